//! References to what SAM makes of a resource: `!Ref Pets.Stage`, `${Pets.Stage}`, `!Ref Greet.Alias`. AWS: "Referencing generated
//! CloudFormation resources" of the SAM guide.

use std::collections::HashMap;

use serde_json::Value;

/// `Pets.Stage` to the logical id of what was made.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

// === impl Names ===

impl Names {
    /// Something was made of a resource.
    pub fn add(&mut self, resource: &str, property: &str, made: &str) {
        self.0.insert(format!("{resource}.{property}"), made.to_owned());
    }

    /// A resource is called otherwise, too.
    pub fn also(&mut self, name: &str, made: &str) {
        self.0.insert(name.to_owned(), made.to_owned());
    }

    /// Writes the logical ids in the place of the references.
    pub fn resolve(&self, value: &mut Value) {
        if self.0.is_empty() {
            return;
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.resolve(item)),
            Value::Object(members) => {
                for (name, value) in members.iter_mut() {
                    match (name.as_str(), &mut *value) {
                        ("Ref", Value::String(reference)) => self.rename(reference),
                        ("Fn::GetAtt", Value::Array(parts)) => self.rename_attribute(parts),
                        ("Fn::GetAtt", Value::String(name)) => {
                            let mut parts = name.splitn(2, '.').map(Value::from).collect();
                            self.rename_attribute(&mut parts);
                            *value = Value::Array(parts);
                        }
                        ("Fn::Sub", Value::String(text)) => *text = self.substituted(text),
                        ("Fn::Sub", Value::Array(parts)) => {
                            if let Some(Value::String(text)) = parts.first_mut() {
                                *text = self.substituted(text);
                            }
                            parts.iter_mut().for_each(|part| self.resolve(part));
                        }
                        _ => self.resolve(value),
                    }
                }
            }
            _ => {}
        }
    }

    fn rename(&self, reference: &mut String) {
        if let Some(made) = self.0.get(reference) {
            reference.clone_from(made);
        }
    }

    /// `["Pets.Stage", "X"]` and `["Pets", "Stage.X"]` are the same.
    fn rename_attribute(&self, parts: &mut Vec<Value>) {
        let texts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
        let whole = texts.join(".");
        let mut split = whole.splitn(3, '.');
        if let (Some(resource), Some(property), Some(rest)) = (split.next(), split.next(), split.next())
            && let Some(made) = self.0.get(&format!("{resource}.{property}"))
        {
            *parts = vec![Value::from(made.as_str()), Value::from(rest)];
        }
    }

    /// The longest name counts: `${Pets.Stage}`, and `${Pets.DomainName.RegionalDomainName}`.
    fn substituted(&self, text: &str) -> String {
        let (mut made, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else { break };
            made.push_str(before);
            made.push_str("${");
            let mut ends = name.match_indices('.').map(|(at, _)| at).skip(1).chain([name.len()]);
            let known = ends.find_map(|end| Some((self.0.get(name.get(..end)?)?, name.get(end..)?)));
            match known {
                Some((id, attribute)) => made.extend([id.as_str(), attribute]),
                None => made.push_str(name),
            }
            made.push('}');
            rest = behind;
        }
        made + rest
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_sam_made_is_found_however_it_is_referred_to() {
        let mut names = Names::default();
        names.add("Pets", "Stage", "PetsProdStage");
        names.add("Greet", "Alias", "GreetAliaslive");
        let mut value = json!({
            "a": {"Ref": "Pets.Stage"},
            "b": [{"Fn::GetAtt": ["Pets.Stage", "StageName"]}, {"Fn::GetAtt": ["Pets", "Stage.StageName"]}],
            "c": {"Fn::Sub": "https://${Pets}/${Pets.Stage}/${Greet.Alias}/${Greet.Arn}/${!Pets.Stage}"},
            "d": {"Fn::Sub": ["${Pets.Stage}/${x}", {"x": {"Ref": "Greet.Alias"}}]},
            "e": {"Ref": "Pets"},
        });
        names.resolve(&mut value);
        let stage_name = json!({"Fn::GetAtt": ["PetsProdStage", "StageName"]});
        assert_eq!(
            value,
            json!({
                "a": {"Ref": "PetsProdStage"},
                "b": [stage_name, stage_name],
                "c": {"Fn::Sub": "https://${Pets}/${PetsProdStage}/${GreetAliaslive}/${Greet.Arn}/${!Pets.Stage}"},
                "d": {"Fn::Sub": ["${PetsProdStage}/${x}", {"x": {"Ref": "GreetAliaslive"}}]},
                "e": {"Ref": "Pets"},
            })
        );
    }
}
