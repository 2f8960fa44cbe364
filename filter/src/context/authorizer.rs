//! What an authorizer found out about the caller: `$context.authorizer` and `$context.identity`.

use serde_json::{Map, Value};

/// What `$context` and events say of the caller once somebody authorized the request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuthorizerFacts {
    /// `$context.authorizer.principalId`
    pub principal_id: Option<String>,
    /// What a Lambda authorizer's `context` said: `$context.authorizer.NAME`. Values of REST APIs are texts already.
    pub context: Map<String, Value>,
    /// The claims of a verified token, as texts: `$context.authorizer.claims.NAME`. None where no token was.
    pub claims: Option<Vec<(String, String)>>,
    /// The scopes of a verified token, where the route asks for scopes.
    pub scopes: Option<Vec<String>>,
    /// The API key that a Lambda authorizer named.
    pub usage_identifier_key: Option<String>,
    /// Who signed the request.
    pub caller: Option<CallerFacts>,
}

/// The IAM caller of a signed request: `$context.identity`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallerFacts {
    /// `$context.identity.accessKey`
    pub access_key: String,
    /// `$context.identity.accountId`
    pub account_id: String,
    /// `$context.identity.userArn`
    pub user_arn: String,
    /// `$context.identity.user` and `$context.identity.caller`
    pub user: String,
}

// === impl AuthorizerFacts ===

impl AuthorizerFacts {
    /// `$context.authorizer.NAME`; objects, and `claims` itself, are not there (documented for `claims`).
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        if let Some(claim) = name.strip_prefix("claims.") {
            return self.claims.iter().flatten().find(|(name, _)| name == claim).map(|(_, value)| value.clone());
        }
        if name == "principalId" {
            return self.principal_id.clone();
        }
        match self.context.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null | Value::Object(_) | Value::Array(_) => None,
            scalar => Some(scalar.to_string()),
        }
    }
}

// === impl CallerFacts ===

impl CallerFacts {
    /// `$context.identity.NAME`
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = match name {
            "accessKey" => &self.access_key,
            "accountId" => &self.account_id,
            "userArn" => &self.user_arn,
            "user" | "caller" => &self.user,
            _ => return None,
        };
        Some(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_print_and_everything_else_is_not_there() {
        let context = json!({"a": "x", "n": 1.5, "b": true, "o": {}, "z": null}).as_object().cloned().unwrap();
        let claims = Some(vec![("sub".to_owned(), "u".to_owned())]);
        let facts = AuthorizerFacts { principal_id: Some("p".to_owned()), context, claims, ..AuthorizerFacts::default() };
        let variable = |name: &str| facts.variable(name);
        assert_eq!(["a", "n", "b", "principalId", "claims.sub"].map(|n| variable(n).unwrap()), ["x", "1.5", "true", "p", "u"]);
        assert_eq!(["o", "z", "claims", "claims.x", "y"].map(variable), [const { None }; 5]);
    }
}
