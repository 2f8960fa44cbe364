//! How a function is called: by name, by its ARN, or by a part of that, each with or without a version or an alias ("Invoke", Lambda
//! API).

use super::Account;

/// What Lambda says a name looks like.
pub const PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

/// A function as its caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    /// Without all else.
    pub name: String,
    /// The version or alias.
    pub qualifier: Option<String>,
    /// The part of an ARN in front of the name, if that was given whole.
    arn: Option<String>,
}

// === impl FunctionName ===

impl FunctionName {
    /// Reads a name; nothing where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (before, rest) = match text.rsplit_once("function:") {
            Some((before, rest)) if before.is_empty() || before.ends_with(':') => (before, rest),
            Some(_) => return None,
            None => ("", text),
        };
        let (name, qualifier) = match rest.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (rest, None),
        };
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.$".contains(&byte));
        if !is_word(name) || !qualifier.is_none_or(is_word) {
            return None;
        }
        let arn = (before.starts_with("arn:") && before.split(':').count() == 6).then(|| before.to_owned());
        Some(Self { name: name.to_owned(), qualifier: qualifier.map(str::to_owned), arn })
    }

    /// Its ARN. The account and the region are those that the caller named.
    pub fn arn(&self, account: &Account) -> String {
        let Account { region, id } = account;
        let before =
            self.arn.clone().unwrap_or_else(|| format!("arn:{}:lambda:{region}:{id}:", tollgate::definition::partition(region)));
        let qualifier = self.qualifier.as_ref().map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        format!("{before}function:{}{qualifier}", self.name)
    }

    /// `X-Amz-Executed-Version`: all versions are the same here, and an alias stands for the latest.
    pub fn version(&self) -> &str {
        match &self.qualifier {
            Some(version) if version.bytes().all(|byte| byte.is_ascii_digit()) => version,
            _ => "$LATEST",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_called_by_name_by_arn_or_by_a_part_of_it() {
        let account = Account { id: "000000000000".to_owned(), region: "us-east-1".to_owned() };
        for (text, name, qualifier, arn) in [
            ("f", "f", None, "arn:aws:lambda:us-east-1:000000000000:function:f"),
            ("f:live", "f", Some("live"), "arn:aws:lambda:us-east-1:000000000000:function:f:live"),
            ("123456789012:function:f", "f", None, "arn:aws:lambda:us-east-1:000000000000:function:f"),
            ("function:f:$LATEST", "f", Some("$LATEST"), "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"),
            ("arn:aws:lambda:eu-west-1:1:function:f:7", "f", Some("7"), "arn:aws:lambda:eu-west-1:1:function:f:7"),
        ] {
            let read = FunctionName::parse(text).unwrap();
            assert_eq!(
                (read.name.as_str(), read.qualifier.as_deref(), read.arn(&account).as_str()),
                (name, qualifier, arn),
                "{text}"
            );
        }
        let versions = ["f", "f:live", "f:12"].map(|text| FunctionName::parse(text).unwrap().version().to_owned());
        assert_eq!(versions, ["$LATEST", "$LATEST", "12"]);
        for text in ["", ":", "f:", "a b", "f:a:b", "xfunction:f", "a/b"] {
            assert_eq!(FunctionName::parse(text), None, "{text}");
        }
    }
}
