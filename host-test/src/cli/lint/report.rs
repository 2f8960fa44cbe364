//! How much of a document is served: its settings counted, and each problem with what it strikes, what follows from it and where to
//! read on.
//!
//! A setting counts as not served when a problem stands against it, be it an error or a warning. So a document with an error has
//! settings that count as served, although nothing is served until the error is mended: the count says how far it is from there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::consequence::{self, Fate};
use super::kind::Kind;
use super::page::{Feature, feature_of};
use super::settings::Settings;
use crate::cli::check::Checked;
use crate::cli::diagnostics::{Count, Diagnostic};

/// What is said of one file.
pub struct Report {
    /// As the user named it.
    pub file: String,
    /// Settings of each kind, and how many of them are served; kinds without one left out.
    pub kinds: Vec<(Kind, Tally)>,
    /// What stands against some of them, and what else is to be known.
    pub items: Vec<Item>,
}

/// How many, and how many of them are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All.
    pub settings: usize,
    /// Those that no problem stands against.
    pub served: usize,
}

/// One problem.
pub struct Item {
    /// With its place.
    pub diagnostic: Diagnostic,
    /// What it belongs to.
    pub kind: Kind,
    /// The row of the parity page, where the message is one of its.
    pub feature: Option<&'static Feature>,
    /// What becomes of it.
    pub fate: Fate,
    /// And what that means.
    pub consequence: &'static str,
    /// How many settings it strikes that no earlier problem does.
    pub settings: usize,
}

// === impl Report ===

impl Report {
    /// Counts what a document has, and what stands against it.
    pub fn new(file: String, checked: Checked) -> Self {
        let Checked { source, diagnostics, missed_by_envoy, .. } = checked;
        let settings = Settings::of(&source);
        let mut struck: BTreeSet<&str> = BTreeSet::new();
        let mut items = Vec::new();
        for diagnostic in diagnostics {
            let is_error = Count::of(std::slice::from_ref(&diagnostic)).errors > 0;
            let before = struck.len();
            struck.extend(settings.struck(&diagnostic.path, is_error));
            items.push(Item::new(diagnostic, &settings, struck.len() - before));
        }
        // What is missing is no setting of API Gateway, but an entry of ours.
        items.extend(missed_by_envoy.into_iter().map(|diagnostic| Item::new(diagnostic, &settings, 0)));
        let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
        for (path, kind) in settings.kinds() {
            let tally = tallies.entry(kind).or_default();
            tally.settings += 1;
            tally.served += usize::from(!struck.contains(path));
        }
        let kinds = Kind::all().filter_map(|kind| Some((kind, *tallies.get(&kind)?))).collect();
        debug_assert_eq!(settings.len(), tallies.values().map(|tally| tally.settings).sum::<usize>());
        Self { file, kinds, items }
    }

    /// All kinds together.
    pub fn tally(&self) -> Tally {
        Tally::sum(self.kinds.iter().map(|(_, tally)| *tally))
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let kinds = self
            .kinds
            .iter()
            .map(|(kind, tally)| json!({"kind": kind.as_str(), "settings": tally.settings, "served": tally.served}));
        let Tally { settings, served } = self.tally();
        json!({
            "file": self.file,
            "settings": settings,
            "served": served,
            "kinds": kinds.collect::<Vec<_>>(),
            "problems": self.items.iter().map(Item::to_json).collect::<Vec<_>>(),
        })
    }
}

// === impl Tally ===

impl Tally {
    /// All of them together.
    pub fn sum(tallies: impl Iterator<Item = Tally>) -> Self {
        tallies
            .fold(Self::default(), |sum, tally| Self { settings: sum.settings + tally.settings, served: sum.served + tally.served })
    }
}

// === impl Item ===

impl Item {
    fn new(diagnostic: Diagnostic, settings: &Settings, struck: usize) -> Self {
        let kind = settings.kind_at(&diagnostic.path);
        let feature = feature_of(&diagnostic.message);
        let (fate, consequence) = consequence::of(&diagnostic);
        Self { diagnostic, kind, feature, fate, consequence, settings: struck }
    }

    /// Where to read on, from the root of the repository.
    pub fn link(&self) -> &str {
        self.feature.map_or(self.kind.link(), |feature| feature.link.as_str())
    }

    fn to_json(&self) -> Value {
        let mut value = self.diagnostic.to_json();
        value["kind"] = self.kind.as_str().into();
        value["feature"] = self.feature.map(|feature| feature.name.as_str()).into();
        value["fate"] = self.fate.as_str().into();
        value["consequence"] = self.consequence.into();
        value["settings"] = self.settings.into();
        value["link"] = self.link().into();
        value
    }
}
