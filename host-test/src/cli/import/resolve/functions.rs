//! The functions themselves, one each.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use tollgate::problem::JsonPath;

use super::{MAX_TEXT, Outcome, Resolver, text_of};

/// Functions of the transform `AWS::LanguageExtensions`, and those whose values only AWS knows.
const PROCESSED: &str = "import the template as AWS processed it: `aws cloudformation get-template --template-stage Processed`";

/// The function that an object is, and its argument: `{"Ref": …}` or `{"Fn::…": …}` and nothing beside it.
pub fn of(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    // `Fn::Transform` stands among the members that it adds to.
    if let Some(argument) = members.get("Fn::Transform") {
        return Some(("Fn::Transform", argument));
    }
    let (name, argument) = members.iter().next().filter(|_| members.len() == 1)?;
    let is_one = name.starts_with("Fn::") || name == "Ref" && argument.is_string();
    is_one.then_some((name.as_str(), argument))
}

// === impl Resolver ===

impl Resolver<'_> {
    /// Resolves `{name: argument}`, which is `value`.
    pub(super) fn function(&mut self, value: &Value, name: &str, argument: &Value, path: &JsonPath) -> Outcome {
        let place = path.key(name);
        match name {
            "Ref" => self.reference(value, argument.as_str().unwrap_or_default(), None, path),
            "Fn::GetAtt" => self.get_att(value, argument, path),
            "Fn::Sub" => self.sub(value, argument, path),
            "Fn::If" => self.choose(value, argument, &place),
            "Fn::Transform" => {
                let what = argument.get("Name").and_then(Value::as_str).unwrap_or("a macro");
                self.fail(value, path, format!("`Fn::Transform` by {what} happens in AWS"), Some(PROCESSED))
            }
            "Fn::Join" | "Fn::Select" | "Fn::Split" | "Fn::FindInMap" | "Fn::Base64" | "Fn::ImportValue" => {
                match self.resolve(argument, &place) {
                    Outcome::Known(argument) => self.plain(value, name, &argument, path),
                    Outcome::Kept(argument) => Outcome::Kept(json!({ name: argument })),
                    Outcome::Nothing => self.wrong(value, name, path),
                    Outcome::Failed => Outcome::Failed,
                }
            }
            "Fn::Length" | "Fn::ToJsonString" | "Fn::GetStackOutput" => {
                self.fail(value, path, format!("`{name}` is of the transform AWS::LanguageExtensions"), Some(PROCESSED))
            }
            "Fn::Cidr" | "Fn::GetAZs" => self.fail(value, path, format!("`{name}` is not resolved here"), Some(PROCESSED)),
            "Fn::And" | "Fn::Equals" | "Fn::Not" | "Fn::Or" => {
                self.fail(value, path, format!("`{name}` belongs to `Conditions`"), Some("name the condition in `Fn::If`"))
            }
            _ => self.fail(value, path, format!("CloudFormation has no function `{name}`"), None),
        }
    }

    fn wrong(&mut self, value: &Value, name: &str, path: &JsonPath) -> Outcome {
        let form = match name {
            "Fn::Join" => "[BETWEEN, [TEXT, …]]",
            "Fn::Select" => "[INDEX, [VALUE, …]]",
            "Fn::Split" => "[BETWEEN, TEXT]",
            "Fn::FindInMap" => "[MAP, KEY, KEY]",
            "Fn::GetAtt" => "[LOGICALID, ATTRIBUTE]",
            "Fn::If" => "[CONDITION, VALUE, VALUE]",
            "Fn::Sub" => "TEXT, or [TEXT, {NAME: VALUE}]",
            _ => "TEXT",
        };
        self.fail(value, path, format!("`{name}` has another argument than it takes"), Some(&format!("write `{name}: {form}`")))
    }

    /// A function whose argument is known.
    fn plain(&mut self, value: &Value, name: &str, argument: &Value, path: &JsonPath) -> Outcome {
        let texts = |list: &Value| list.as_array()?.iter().map(text_of).collect::<Option<Vec<_>>>();
        let pair = argument.as_array().filter(|pair| pair.len() == 2);
        let known = match (name, pair.map(Vec::as_slice)) {
            ("Fn::Join", Some([between, list])) => {
                let Some((between, list)) = text_of(between).zip(texts(list)) else { return self.wrong(value, name, path) };
                return self.text(value, path, &list.iter().map(String::as_str).collect::<Vec<_>>(), &between);
            }
            ("Fn::Split", Some([between, text])) => text_of(between)
                .filter(|between| !between.is_empty())
                .zip(text_of(text))
                .map(|(between, text)| text.split(&between).map(Value::from).collect()),
            ("Fn::Select", Some([index, list])) => {
                let index = text_of(index).and_then(|index| index.parse::<usize>().ok());
                let Some((index, list)) = index.zip(list.as_array()) else { return self.wrong(value, name, path) };
                match list.get(index) {
                    Some(element) => Some(element.clone()),
                    None => {
                        let message = format!("`Fn::Select` takes value {index} of a list that has {}", list.len());
                        return self.fail(value, path, message, Some("the first one has the index 0"));
                    }
                }
            }
            ("Fn::Base64", _) => text_of(argument).map(|text| Value::String(tollgate::base64::encode(text.as_bytes()))),
            ("Fn::FindInMap", _) => return self.find_in_map(value, argument, path),
            ("Fn::ImportValue", _) => {
                let Some(export) = text_of(argument) else { return self.wrong(value, name, path) };
                let Some(given) = self.settings.values.get(&export) else {
                    let help = format!("say what it is: `--value '{export}=…'`; `aws cloudformation list-exports` shows it");
                    return self.fail(value, path, format!("another stack exports `{export}`"), Some(&help));
                };
                Some(Value::String(given.clone()))
            }
            _ => None,
        };
        match known {
            Some(known) => Outcome::Known(known),
            None => self.wrong(value, name, path),
        }
    }

    fn find_in_map(&mut self, value: &Value, argument: &Value, path: &JsonPath) -> Outcome {
        let keys: Option<Vec<String>> = argument.as_array().map(|keys| keys.iter().take(3).filter_map(text_of).collect());
        let Some([map, first, second]) = keys.as_deref() else { return self.wrong(value, "Fn::FindInMap", path) };
        let found = self.template.mappings.get(map).and_then(|map| map.get(first)).and_then(|map| map.get(second));
        // With AWS::LanguageExtensions there may be a default.
        let default = argument.get(3).and_then(|options| options.get("DefaultValue"));
        match found.or(default) {
            Some(found) => Outcome::Known(found.clone()),
            None => {
                let message = format!("the mapping `{map}` has no `{first}` with a `{second}`");
                self.fail(value, path, message, Some("`--region`, `--account` and `--parameter` may lead to another one"))
            }
        }
    }

    fn get_att(&mut self, value: &Value, argument: &Value, path: &JsonPath) -> Outcome {
        let (id, attribute) = match argument {
            Value::String(text) => match text.split_once('.') {
                Some((id, attribute)) => (id.to_owned(), attribute.to_owned()),
                None => return self.wrong(value, "Fn::GetAtt", path),
            },
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(id), attribute] => match self.resolve(attribute, &path.key("Fn::GetAtt").index(1)) {
                    Outcome::Known(Value::String(attribute)) => (id.clone(), attribute),
                    Outcome::Failed => return Outcome::Failed,
                    _ => return self.wrong(value, "Fn::GetAtt", path),
                },
                _ => return self.wrong(value, "Fn::GetAtt", path),
            },
            _ => return self.wrong(value, "Fn::GetAtt", path),
        };
        let plain = json!({ "Fn::GetAtt": [id, attribute] });
        self.reference(&plain, &id, Some(&attribute), path)
    }

    fn choose(&mut self, value: &Value, argument: &Value, path: &JsonPath) -> Outcome {
        let Some([Value::String(name), yes, no]) = argument.as_array().map(Vec::as_slice) else {
            return self.wrong(value, "Fn::If", path);
        };
        match self.condition(name, path) {
            Ok(true) => self.resolve(yes, &path.index(1)),
            Ok(false) => self.resolve(no, &path.index(2)),
            Err(problems) if self.resources.is_some() => {
                self.tell(problems);
                Outcome::Failed
            }
            Err(_) => Outcome::Kept(value.clone()),
        }
    }

    /// A text with `${…}` in it is that text in pieces: what is known is put in, and the rest waits as a `Fn::Join`.
    fn sub(&mut self, value: &Value, argument: &Value, path: &JsonPath) -> Outcome {
        let (text, variables) = match argument {
            Value::String(text) => (text, None),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text), Value::Object(variables)] => (text, Some(variables)),
                _ => return self.wrong(value, "Fn::Sub", path),
            },
            _ => return self.wrong(value, "Fn::Sub", path),
        };
        let mut pieces: Vec<Value> = Vec::new();
        let mut rest = text.as_str();
        let mut is_known = true;
        // A variable stands for one value, however often the text takes it.
        let mut resolved: HashMap<&str, Outcome> = HashMap::new();
        let mut length = 0;
        while let Some((before, after)) = rest.split_once("${") {
            pieces.push(before.into());
            let Some((name, tail)) = after.split_once('}') else {
                return self.fail(value, path, "`${` has no `}`", Some("write `${!NAME}` for a text `${NAME}`"));
            };
            rest = tail;
            if let Some(literal) = name.strip_prefix('!') {
                pieces.push(format!("${{{literal}}}").into());
                continue;
            }
            let name = name.trim();
            let outcome = match (variables.and_then(|variables| variables.get_key_value(name)), name.split_once('.')) {
                (Some((name, variable)), _) => {
                    if !resolved.contains_key(name.as_str()) {
                        let outcome = self.resolve(variable, &path.key("Fn::Sub").index(1).key(name));
                        resolved.insert(name.as_str(), outcome);
                    }
                    resolved.get(name.as_str()).cloned().unwrap_or(Outcome::Failed)
                }
                (None, Some((id, attribute))) => {
                    self.reference(&json!({ "Fn::GetAtt": [id, attribute] }), id, Some(attribute), path)
                }
                (None, None) => self.reference(&json!({ "Ref": name }), name, None, path),
            };
            match outcome {
                Outcome::Known(known) => match text_of(&known) {
                    Some(text) if length + text.len() > MAX_TEXT => {
                        return self.fail(value, path, format!("the text has more than {MAX_TEXT} bytes"), None);
                    }
                    Some(text) => {
                        length += text.len();
                        pieces.push(text.into());
                    }
                    None => return self.fail(value, path, format!("`${{{name}}}` is no text"), Some("join a list by `Fn::Join`")),
                },
                Outcome::Nothing => {}
                // What waits waits once: texts within texts would double at each step.
                Outcome::Kept(kept) if resolved.contains_key(name) && pieces.contains(&kept) => {
                    return Outcome::Kept(value.clone());
                }
                Outcome::Kept(kept) => {
                    is_known = false;
                    pieces.push(kept);
                }
                Outcome::Failed => return Outcome::Failed,
            }
        }
        pieces.push(rest.into());
        if is_known {
            return Outcome::Known(pieces.iter().filter_map(Value::as_str).collect::<String>().into());
        }
        pieces.retain(|piece| piece.as_str() != Some(""));
        Outcome::Kept(json!({ "Fn::Join": ["", pieces] }))
    }
}
