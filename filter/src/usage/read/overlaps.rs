//! A key on two plans of one stage: nobody could say which of them counts.
//!
//! AWS: `CreateUsagePlanKey` refuses it; "Usage plans and API keys for REST APIs in API Gateway".

use super::plan::Draft;
use crate::problem::Problems;
use crate::usage::{Key, Table};

/// How many keys of a pair of plans are told one by one.
const SHOWN: usize = 3;

/// Stages that the same plans have.
struct Shared<'d> {
    /// As API and stage.
    stages: Vec<(&'d str, &'d str)>,
    plans: Vec<usize>,
}

/// Two plans with a stage in common.
struct Pair {
    first: usize,
    second: usize,
    /// Which keys of the second one the first one has, too.
    both: Vec<bool>,
}

/// Tells of all of them. Stages that the same plans have are looked at once: what it takes grows with the number of keys, not with
/// that of keys times stages.
pub fn tell(drafts: &[Draft], keys: &[Key], problems: &mut Problems) {
    let mut stages: Table<Shared> = Table::default();
    for (index, draft) in drafts.iter().enumerate() {
        for stage in draft.plan.stages.entries() {
            let new = || Shared { stages: vec![(&stage.api, &stage.stage)], plans: Vec::new() };
            if let Some(shared) = stages.entry(stage.name(), new) {
                shared.plans.push(index);
            }
        }
    }
    let mut groups: Table<Shared> = Table::default();
    for Shared { stages, plans } in stages.into_entries().into_iter().filter(|shared| shared.plans.len() > 1) {
        let name = name_of(&plans);
        if let Some(group) = groups.entry(name, || Shared { stages: Vec::new(), plans }) {
            group.stages.extend_from_slice(&stages);
        }
    }
    let mut pairs: Table<Pair> = Table::default();
    for group in groups.entries() {
        let mut first_plan: Vec<Option<usize>> = vec![None; keys.len()];
        for second in &group.plans {
            let Some(draft) = drafts.get(*second) else { continue };
            for (position, (key, _)) in draft.keys.iter().enumerate() {
                let Some(first) = first_plan.get_mut(*key) else { continue };
                let first = *first.get_or_insert(*second);
                if first == *second {
                    continue;
                }
                let new = || Pair { first, second: *second, both: vec![false; draft.keys.len()] };
                let pair = pairs.entry(name_of(&[first, *second]), new);
                if let Some(both) = pair.and_then(|pair| pair.both.get_mut(position)) {
                    *both = true;
                }
            }
        }
    }
    for Pair { first, second, both } in pairs.into_entries() {
        let (Some(first_draft), Some(second_draft)) = (drafts.get(first), drafts.get(second)) else { continue };
        let mut stages = Vec::new();
        for group in groups.entries() {
            if group.plans.contains(&first) && group.plans.contains(&second) {
                stages.extend_from_slice(&group.stages);
            }
        }
        let stages = which(&stages);
        let mut shared = second_draft.keys.iter().zip(both).filter(|(_, both)| *both);
        let plan = &first_draft.plan.name;
        let help = "a key has one plan for a stage";
        for ((key, path), _) in shared.by_ref().take(SHOWN) {
            let name = keys.get(*key).map_or("", |key| &key.name);
            let own = &second_draft.plan.name;
            let message = format!("key `{name}` is on the usage plans `{plan}` and `{own}`, which both have {stages}");
            problems.error(path, message, Some(help));
        }
        if let more @ 1.. = shared.count() {
            let message = format!("{more} more keys of this plan are on usage plan `{plan}`, which has {stages}, too");
            problems.error(&second_draft.keys_path, message, Some(help));
        }
    }
}

/// What no other plans have.
fn name_of(plans: &[usize]) -> Vec<u8> {
    let mut name = Vec::new();
    for plan in plans {
        name.extend_from_slice(&plan.to_le_bytes());
    }
    name
}

/// stage `prod` of `petstore` and 2 more
fn which(stages: &[(&str, &str)]) -> String {
    let first = stages.first().map_or(String::new(), |(api, stage)| format!("stage `{stage}` of `{api}`"));
    match stages.len() {
        0 | 1 => first,
        several => format!("{first} and {} more", several - 1),
    }
}
