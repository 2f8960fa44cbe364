//! A key on two plans of one stage: nobody could say which of them counts.
//!
//! AWS: `CreateUsagePlanKey` refuses it; "Usage plans and API keys for REST APIs in API Gateway".

use super::plan::Draft;
use crate::problem::Problems;
use crate::usage::Key;

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many keys of a pair of plans are told one by one.
const SHOWN: usize = 3;

/// Tells of all of them. Stages that the same plans have are looked at once: what it takes grows with the number of keys, not with
/// that of keys times stages.
pub fn tell(drafts: &[Draft], keys: &[Key], problems: &mut Problems) {
    let mut plans_of_stage: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        for stage in &draft.plan.stages {
            plans_of_stage.entry((&stage.api, &stage.stage)).or_default().push(index);
        }
    }
    let mut stages_of_plans: BTreeMap<Vec<usize>, Vec<(&str, &str)>> = BTreeMap::new();
    for (stage, plans) in plans_of_stage.into_iter().filter(|(_, plans)| plans.len() > 1) {
        stages_of_plans.entry(plans).or_default().push(stage);
    }
    // Two plans, and which keys of the second one the first one has, too.
    let mut pairs: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
    for plans in stages_of_plans.keys() {
        let mut first_plan = HashMap::new();
        for plan in plans {
            for (position, (key, _)) in drafts.get(*plan).into_iter().flat_map(|draft| &draft.keys).enumerate() {
                let first = *first_plan.entry(key).or_insert(*plan);
                if first != *plan {
                    pairs.entry((first, *plan)).or_default().insert(position);
                }
            }
        }
    }
    for ((first, second), positions) in pairs {
        let (Some(first_draft), Some(second_draft)) = (drafts.get(first), drafts.get(second)) else { continue };
        let both = stages_of_plans.iter().filter(|(plans, _)| plans.contains(&first) && plans.contains(&second));
        let stages = which(&both.flat_map(|(_, stages)| stages).copied().collect());
        let plan = &first_draft.plan.name;
        let help = "a key has one plan for a stage";
        for (key, path) in positions.iter().take(SHOWN).filter_map(|position| second_draft.keys.get(*position)) {
            let name = keys.get(*key).map_or("", |key| &key.name);
            let own = &second_draft.plan.name;
            let message = format!("key `{name}` is on the usage plans `{plan}` and `{own}`, which both have {stages}");
            problems.error(path, message, Some(help));
        }
        if let Some(more @ 1..) = positions.len().checked_sub(SHOWN) {
            let message = format!("{more} more keys of this plan are on usage plan `{plan}`, which has {stages}, too");
            problems.error(&second_draft.keys_path, message, Some(help));
        }
    }
}

/// stage `prod` of `petstore` and 2 more
fn which(stages: &BTreeSet<(&str, &str)>) -> String {
    let first = stages.first().map_or(String::new(), |(api, stage)| format!("stage `{stage}` of `{api}`"));
    match stages.len() {
        0 | 1 => first,
        several => format!("{first} and {} more", several - 1),
    }
}
