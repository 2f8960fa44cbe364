//! The report for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::consequence::Fate;
use super::kind::Kind;
use super::report::{Item, Report, Tally};
use crate::cli::diagnostics::printable;

const STRONG: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const REFUSED: Style = AnsiColor::Red.on_default().bold();
const IGNORED: Style = AnsiColor::Yellow.on_default().bold();

/// The count, and each problem below the kind of setting that it belongs to.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let tally = report.tally();
    let style = if tally.served == tally.settings { GOOD } else { STRONG };
    let _ = writeln!(out, "{STRONG}{}{STRONG:#}: {style}{}{style:#}{}", printable(&report.file), of_all(tally), which(report));
    if !report.kinds.is_empty() {
        let kinds: Vec<String> =
            report.kinds.iter().map(|(kind, tally)| format!("{} {} of {}", kind.as_str(), tally.served, tally.settings)).collect();
        let _ = writeln!(out, "  {}", kinds.join(", "));
    }
    for kind in Kind::all() {
        let items: Vec<&Item> = report.items.iter().filter(|item| item.kind == kind).collect();
        if !items.is_empty() {
            let _ = writeln!(out, "\n{STRONG}{}{STRONG:#}", kind.as_str());
            items.iter().for_each(|item| write_item(item, &mut out));
        }
    }
    if report.items.iter().any(|item| item.fate == Fate::Refused && item.diagnostic.severity == tollgate::problem::Severity::Error)
    {
        out.push_str("\nAs long as anything is refused, nothing of the document is served.\n");
    }
    out.push('\n');
    out
}

/// `97 of 103 settings served`
pub fn of_all(Tally { settings, served }: Tally) -> String {
    format!("{served} of {settings} settings served")
}

fn which(report: &Report) -> &'static str {
    let tally = report.tally();
    match (tally.settings - tally.served, report.items.len()) {
        (0, 0) => "",
        (0, _) => "; to be known:",
        (1, _) => "; this one is not:",
        _ => "; these are not:",
    }
}

fn write_item(item: &Item, out: &mut String) {
    let Item { diagnostic, fate, .. } = item;
    let style = if *fate == Fate::Refused { REFUSED } else { IGNORED };
    let place = diagnostic.place.as_ref().map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
    let path = if diagnostic.path.is_empty() { String::new() } else { format!("  {}", printable(&diagnostic.path)) };
    let _ = writeln!(out, "  {}{place}{path}", printable(&diagnostic.file));
    let _ = writeln!(out, "    {style}{}{style:#}: {}", fate.as_str(), printable(&diagnostic.message));
    if let Some(feature) = item.feature {
        let _ = writeln!(out, "    what: {}", printable(&feature.name));
    }
    let count = match item.settings {
        0 => String::new(),
        1 => " (1 setting)".to_owned(),
        count => format!(" ({count} settings)"),
    };
    let _ = writeln!(out, "    consequence: {}{count}", item.consequence);
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "    help: {}", printable(help));
    }
    let _ = writeln!(out, "    see: {}", item.link());
}
