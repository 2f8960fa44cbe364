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
            let name = stage.name();
            stages.insert(&name, Shared { stages: vec![(&stage.api, &stage.stage)], plans: Vec::new() });
            stages.get_mut(&name).into_iter().for_each(|shared| shared.plans.push(index));
        }
    }
    let mut groups: Table<Shared> = Table::default();
    for Shared { stages, plans } in stages.into_entries().into_iter().filter(|shared| shared.plans.len() > 1) {
        let name: Vec<u8> = plans.iter().flat_map(|plan| plan.to_le_bytes()).collect();
        groups.insert(&name, Shared { stages: Vec::new(), plans });
        groups.get_mut(&name).into_iter().for_each(|group| group.stages.extend(&stages));
    }
    let mut pairs: Table<Pair> = Table::default();
    for group in groups.entries() {
        let mut first_plan: Vec<Option<usize>> = vec![None; keys.len()];
        for plan in &group.plans {
            for (position, (key, _)) in drafts.get(*plan).into_iter().flat_map(|draft| &draft.keys).enumerate() {
                let Some(first) = first_plan.get_mut(*key) else { continue };
                let first = *first.get_or_insert(*plan);
                if first == *plan {
                    continue;
                }
                let name = [first.to_le_bytes(), plan.to_le_bytes()].concat();
                let positions = drafts.get(*plan).map_or(0, |draft| draft.keys.len());
                pairs.insert(&name, Pair { first, second: *plan, both: vec![false; positions] });
                let pair = pairs.get_mut(&name).and_then(|pair| pair.both.get_mut(position));
                pair.into_iter().for_each(|both| *both = true);
            }
        }
    }
    for Pair { first, second, both } in pairs.into_entries() {
        let (Some(first_draft), Some(second_draft)) = (drafts.get(first), drafts.get(second)) else { continue };
        let of_both = groups.entries().iter().filter(|group| group.plans.contains(&first) && group.plans.contains(&second));
        let stages = which(&of_both.flat_map(|group| &group.stages).copied().collect::<Vec<_>>());
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

/// stage `prod` of `petstore` and 2 more
fn which(stages: &[(&str, &str)]) -> String {
    let first = stages.first().map_or(String::new(), |(api, stage)| format!("stage `{stage}` of `{api}`"));
    match stages.len() {
        0 | 1 => first,
        several => format!("{first} and {} more", several - 1),
    }
}
