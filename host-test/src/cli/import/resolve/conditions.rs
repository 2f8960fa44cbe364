//! `Conditions` of a template: what is deployed depends on parameters alone, so each of them is decided before any resource is looked
//! at. AWS: "Condition functions" of CloudFormation.

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate::problem::{JsonPath, Problem, Problems};

use super::{MAX_DEPTH, Outcome, Resolver, text_of};

// === impl Resolver ===

impl Resolver<'_> {
    /// Whether a condition holds, or why nobody can say so. What is wrong is told by who needs the condition.
    pub fn condition(&mut self, name: &str, asked_at: &JsonPath) -> Result<bool, Vec<Problem>> {
        let told = std::mem::take(&mut self.problems);
        // Values of a condition are all known, or it is a mistake: as in the second go.
        let resources = self.resources.replace(Default::default());
        let holds = self.named(name, asked_at);
        self.resources = resources;
        let problems = std::mem::replace(&mut self.problems, told).into_vec();
        holds.ok_or(problems)
    }

    /// Each condition is decided once, however many others name it.
    fn named(&mut self, name: &str, asked_at: &JsonPath) -> Option<bool> {
        if !self.conditions.contains_key(name) {
            let told = std::mem::take(&mut self.problems);
            let holds = self.decide(name, asked_at);
            let found = std::mem::replace(&mut self.problems, told).into_vec();
            self.conditions.insert(name.to_owned(), holds.ok_or(found));
        }
        match self.conditions.get(name)?.clone() {
            Ok(holds) => Some(holds),
            Err(found) => {
                self.tell(found);
                None
            }
        }
    }

    fn decide(&mut self, name: &str, asked_at: &JsonPath) -> Option<bool> {
        let template = self.template;
        let Some(expression) = template.conditions.get(name) else {
            self.problems.error(asked_at, format!("the template has no condition `{name}`"), None);
            return None;
        };
        let path = JsonPath::root().key("Conditions").key(name);
        let open = format!("condition {name}");
        if self.open.contains(&open) {
            self.problems.error(&path, format!("the condition `{name}` depends on itself"), None);
            return None;
        }
        self.open.push(open);
        let holds = self.holds(expression, &path);
        self.open.pop();
        holds
    }

    fn holds(&mut self, expression: &Value, path: &JsonPath) -> Option<bool> {
        if self.depth > MAX_DEPTH {
            self.problems.error(path, format!("conditions are nested deeper than {MAX_DEPTH}"), None);
            return None;
        }
        self.depth += 1;
        let holds = self.decided(expression, path);
        self.depth -= 1;
        holds
    }

    fn decided(&mut self, expression: &Value, path: &JsonPath) -> Option<bool> {
        let wrong = |problems: &mut Problems| {
            let help = "one of `Fn::And`, `Fn::Equals`, `Fn::Not`, `Fn::Or`, `Condition`";
            problems.error(path, "no condition", Some(help));
            None
        };
        let Some((name, argument)) = expression.as_object().filter(|one| one.len() == 1).and_then(|one| one.iter().next()) else {
            return wrong(&mut self.problems);
        };
        let place = path.key(name);
        match (name.as_str(), argument) {
            ("Condition", Value::String(other)) => self.named(other, &place),
            ("Fn::Equals", Value::Array(pair)) if pair.len() == 2 => {
                let mut texts = BTreeMap::new();
                for (index, side) in pair.iter().enumerate() {
                    match self.resolve(side, &place.index(index)) {
                        Outcome::Known(value) => texts.insert(index, text_of(&value).unwrap_or_else(|| value.to_string())),
                        Outcome::Nothing => texts.insert(index, String::new()),
                        Outcome::Kept(_) | Outcome::Failed => return None,
                    };
                }
                Some(texts.get(&0) == texts.get(&1))
            }
            ("Fn::Not", Value::Array(one)) if one.len() == 1 => {
                one.first().and_then(|one| self.holds(one, &place.index(0))).map(|holds| !holds)
            }
            ("Fn::And" | "Fn::Or", Value::Array(all)) => {
                let is_and = name == "Fn::And";
                let holds: Option<Vec<bool>> =
                    all.iter().enumerate().map(|(index, one)| self.holds(one, &place.index(index))).collect();
                holds.map(|holds| if is_and { holds.iter().all(|holds| *holds) } else { holds.iter().any(|holds| *holds) })
            }
            _ => wrong(&mut self.problems),
        }
    }
}
