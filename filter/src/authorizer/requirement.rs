//! What an operation demands of its caller, as the definition says it: `security`, the security schemes that it names, and
//! `x-amazon-apigateway-auth`. An API key is asked for by a security scheme, too, and beside an authorizer.
//!
//! AWS: "x-amazon-apigateway-authorizer object", "x-amazon-apigateway-authtype property", "x-amazon-apigateway-auth object".

use crate::definition::{Node, OpenApi, Operation, Protocol};
use crate::problem::Problems;

/// What a method demands of its callers.
#[derive(Debug)]
pub struct Demanded<'a> {
    /// What guards it.
    pub requirement: Requirement<'a>,
    /// Whether a caller has to show an API key, too.
    pub api_key: bool,
}

/// What guards a method.
#[derive(Debug)]
pub enum Requirement<'a> {
    /// `NONE`: everyone may call.
    Open,
    /// `AWS_IAM`: who signs as a user that may.
    Iam,
    /// An authorizer.
    Scheme(SchemeRequirement<'a>),
}

/// What one security scheme asks for.
enum Asked<'a> {
    Key,
    Guard(Requirement<'a>),
}

/// A security scheme with an authorizer, and what one method asks of it.
#[derive(Debug)]
pub struct SchemeRequirement<'a> {
    /// Its name in the definition.
    pub name: &'a str,
    /// The security scheme object.
    pub scheme: Node<'a>,
    /// Its `x-amazon-apigateway-authorizer`.
    pub authorizer: Node<'a>,
    /// Of which the caller needs one.
    pub scopes: Vec<String>,
}

const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";

// === impl Demanded ===

impl<'a> Demanded<'a> {
    /// Reads it; none when something is wrong with it, which is told: a route is never served without what guards it.
    pub fn read(operation: &Operation<'_>, api: &OpenApi<'a>, protocol: Protocol, problems: &mut Problems) -> Option<Self> {
        let auth = operation.node.guarding("x-amazon-apigateway-auth", problems);
        let signed = match &auth {
            Some(auth) => Some(read_auth(auth, problems)?),
            None => None,
        };
        let Some(security) = security_of(operation, api, protocol, problems) else {
            let requirement = if signed == Some(true) { Requirement::Iam } else { Requirement::Open };
            return Some(Self { requirement, api_key: false });
        };
        let mut demanded = Vec::new();
        let mut api_key = false;
        for alternative in security.elements(problems) {
            let schemes = alternative.members(problems);
            if schemes.is_empty() && security.value.as_array().is_some_and(|all| all.len() > 1) {
                let message = "API Gateway knows no optional authorization";
                problems.error(&alternative.path, message, Some("take `{}` away, or everything but it"));
                return None;
            }
            for (name, scopes) in schemes {
                match Asked::of_scheme(name, &scopes, api, protocol, problems)? {
                    Asked::Key => api_key = true,
                    Asked::Guard(requirement) => demanded.push((requirement, scopes)),
                }
            }
        }
        let mut demanded = demanded.into_iter();
        let first = demanded.next().map(|(first, _)| first);
        if let Some((_, second)) = demanded.next() {
            problems.error(&second.path, "a method has one authorizer, and this is a second one", None);
            return None;
        }
        let requirement = match (signed, first) {
            (Some(false) | None, None) => Requirement::Open,
            (Some(true), None | Some(Requirement::Iam)) => Requirement::Iam,
            (None, Some(demanded)) => demanded,
            (Some(_), Some(_)) => {
                let path = auth.map_or_else(|| security.path.clone(), |auth| auth.path);
                problems.error(&path, "`x-amazon-apigateway-auth` and `security` ask for different things", Some("keep one"));
                return None;
            }
        };
        Some(Self { requirement, api_key })
    }
}

// === impl Asked ===

impl<'a> Asked<'a> {
    fn of_scheme(name: &str, scopes: &Node<'_>, api: &OpenApi<'a>, protocol: Protocol, problems: &mut Problems) -> Option<Self> {
        let schemes = api.root.get("components").and_then(|components| components.get("securitySchemes"));
        let schemes = schemes.or_else(|| api.root.get("securityDefinitions"));
        let Some((name, scheme)) = schemes.and_then(|schemes| schemes.named(name)) else {
            let help = "define it under `components.securitySchemes` (Swagger 2.0: `securityDefinitions`)";
            problems.error(&scopes.path, format!("no security scheme is named `{name}`"), Some(help));
            return None;
        };
        let scheme = scheme.resolved(&api.root, problems)?;
        let asked_at = scopes;
        let scopes: Vec<String> = asked_at.strings(problems).into_iter().map(str::to_owned).collect();
        let sigv4 = match scheme.guarding("x-amazon-apigateway-authtype", problems) {
            Some(authtype) => authtype.string(problems)?.eq_ignore_ascii_case("awsSigv4"),
            None => false,
        };
        if let Some(authorizer) = scheme.guarding(AUTHORIZER, problems) {
            authorizer.no_nulls(problems);
            return Some(Self::Guard(Requirement::Scheme(SchemeRequirement { name, scheme, authorizer, scopes })));
        }
        if sigv4 {
            return Some(Self::Guard(Requirement::Iam));
        }
        let text = |key: &str| scheme.value.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        if text("type") == "apiKey" && text("name").eq_ignore_ascii_case("x-api-key") {
            return read_key(name, &scheme, asked_at, protocol, problems).then_some(Self::Key);
        }
        let help = format!("say who checks it: `{AUTHORIZER}: {{type: jwt, …}}`");
        problems.error(&scheme.path, format!("security scheme `{name}` has no `{AUTHORIZER}`"), Some(&help));
        None
    }
}

/// Whether a security scheme is one of API Gateway's keys.
fn read_key(name: &str, scheme: &Node<'_>, scopes: &Node<'_>, protocol: Protocol, problems: &mut Problems) -> bool {
    if protocol == Protocol::Http {
        let help = "an authorizer can tell callers apart";
        problems.error(&scheme.path, format!("HTTP APIs have no API keys (security scheme `{name}`)"), Some(help));
        return false;
    }
    if let Some(place) = scheme.get("in").filter(|place| place.value != "header") {
        let message = format!("an API key is read from the header `X-API-Key` only (security scheme `{name}`)");
        problems.error(&place.path, message, Some("write `in: header`"));
        return false;
    }
    if scopes.value.as_array().is_some_and(|scopes| !scopes.is_empty()) {
        problems.error(&scopes.path, format!("security scheme `{name}` knows no scopes"), Some("write `[]`"));
        return false;
    }
    true
}

/// Whether `x-amazon-apigateway-auth` asks for a signature.
fn read_auth(auth: &Node<'_>, problems: &mut Problems) -> Option<bool> {
    auth.only(&["type"], problems);
    let Some(kind) = auth.get("type") else {
        problems.error(&auth.path, "no `type`", Some("`NONE` or `AWS_IAM`"));
        return None;
    };
    kind.one_of(&[("NONE", false), ("AWS_IAM", true)], problems)
}

/// The operation's own `security`, else that of the whole definition, which counts for HTTP APIs only.
fn security_of<'a>(operation: &Operation<'a>, api: &OpenApi<'a>, protocol: Protocol, problems: &mut Problems) -> Option<Node<'a>> {
    let at_root =
        api.root.guarding("security", problems).filter(|security| security.value.as_array().is_none_or(|list| !list.is_empty()));
    let own = operation.node.guarding("security", problems);
    match at_root {
        Some(security) if protocol == Protocol::Rest => {
            // Recorded: `test_apigateway_import`.
            let message = "REST APIs ignore `security` at the root: the methods are open, as on AWS";
            problems.warning(&security.path, message, Some("say `security` at each method that needs it"));
            own
        }
        at_root => own.or(at_root),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Basepath, Outline};
    use serde_json::{Value, json};

    /// What one method demands, as `key`, `guard` or both, and what is told.
    fn demanded(protocol: Protocol, security: Value, more: Value) -> (Option<(bool, String)>, Vec<String>) {
        let mut operation = json!({"security": security});
        operation.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        demanded_beside(protocol, operation, json!({}))
    }

    /// The same of a whole operation, with more members of the definition.
    fn demanded_beside(protocol: Protocol, operation: Value, more: Value) -> (Option<(bool, String)>, Vec<String>) {
        let mut definition = json!({"openapi": "3.0.1", "paths": {"/a": {"get": operation}}, "components": {"securitySchemes": {
            "key": {"type": "apiKey", "name": "X-Api-Key", "in": "header"},
            "query": {"type": "apiKey", "name": "x-api-key", "in": "query"},
            "login": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}},
            "signed": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
            "other": {"type": "apiKey", "name": "x-other", "in": "header"},
        }}});
        definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut problems = Problems::default();
        let outline = Outline::of_definition(&definition);
        let api = OpenApi::read(&outline.definition(), Basepath::Ignore, &mut problems);
        let tree = api.items[0].open();
        let operation = &api.items[0].operations(&tree, &api.root, &mut problems)[0];
        let demanded = Demanded::read(operation, &api, protocol, &mut problems).map(|demanded| {
            let requirement = match demanded.requirement {
                Requirement::Open => "open".to_owned(),
                Requirement::Iam => "iam".to_owned(),
                Requirement::Scheme(scheme) => format!("{} {:?}", scheme.name, scheme.scopes),
            };
            (demanded.api_key, requirement)
        });
        (demanded, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    fn served(security: Value) -> (bool, String) {
        let (demanded, told) = demanded(Protocol::Rest, security, json!({}));
        assert!(told.is_empty(), "{told:?}");
        demanded.unwrap()
    }

    #[test]
    fn a_key_alone_is_no_authorizer() {
        assert_eq!(served(json!([{"key": []}])), (true, "open".to_owned()));
    }

    #[test]
    fn a_key_and_an_authorizer_are_asked_for_both_however_they_are_listed() {
        for security in
            [json!([{"key": [], "login": ["a"]}]), json!([{"key": []}, {"login": ["a"]}]), json!([{"login": ["a"]}, {"key": []}])]
        {
            assert_eq!(served(security), (true, "login [\"a\"]".to_owned()));
        }
        assert_eq!(served(json!([{"signed": [], "key": []}])), (true, "iam".to_owned()));
        assert_eq!(served(json!([{"login": []}])), (false, "login []".to_owned()));
    }

    #[test]
    fn a_key_stands_beside_a_signature_that_the_method_asks_for_itself() {
        let auth = json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}});
        let (both, told) = demanded(Protocol::Rest, json!([{"key": []}]), auth);
        assert_eq!((both, told), (Some((true, "iam".to_owned())), vec![]));
        let none = json!({"x-amazon-apigateway-auth": {"type": "NONE"}});
        assert_eq!(demanded(Protocol::Rest, json!([{"key": []}]), none).0, Some((true, "open".to_owned())));
    }

    #[test]
    fn a_key_that_would_not_be_asked_for_as_it_is_written_is_an_error() {
        for (protocol, security, start) in [
            (Protocol::Http, json!([{"key": []}]), "$.components.securitySchemes.key: HTTP APIs have no API keys"),
            (Protocol::Http, json!([{"login": [], "key": []}]), "$.components.securitySchemes.key: HTTP APIs have no API keys"),
            (Protocol::Rest, json!([{"query": []}]), "$.components.securitySchemes.query.in: an API key is read from the header"),
            (Protocol::Rest, json!([{"key": ["a"]}]), "$.paths[\"/a\"].get.security[0].key: security scheme `key` knows no scopes"),
            (Protocol::Rest, json!([{"other": []}]), "$.components.securitySchemes.other: security scheme `other` has no"),
            (
                Protocol::Rest,
                json!([{"key": []}, {}]),
                "$.paths[\"/a\"].get.security[1]: API Gateway knows no optional authorization",
            ),
        ] {
            let (demanded, told) = demanded(protocol, security, json!({}));
            assert_eq!((demanded, told.len()), (None, 1), "{told:?}");
            assert!(told[0].starts_with(start), "{told:?}");
        }
    }

    #[test]
    fn a_method_that_says_nothing_is_open_and_one_that_asks_for_a_signature_is_not() {
        for (operation, guarded) in [
            (json!({}), "open"),
            (json!({"security": []}), "open"),
            (json!({"security": [{}]}), "open"),
            (json!({"x-amazon-apigateway-auth": {"type": "NONE"}}), "open"),
            (json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}), "iam"),
            (json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, "security": []}), "iam"),
            (json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, "security": [{"signed": []}]}), "iam"),
        ] {
            let (demanded, told) = demanded_beside(Protocol::Rest, operation.clone(), json!({}));
            assert_eq!((demanded, told), (Some((false, guarded.to_owned())), vec![]), "{operation}");
        }
        for (auth, security) in [
            (json!({"type": "AWS_IAM"}), json!([{"login": []}])),
            (json!({"type": "NONE"}), json!([{"login": []}])),
            (json!({"type": "NONE"}), json!([{"signed": []}])),
            (json!({"type": "IAM"}), json!([])),
            (json!({}), json!([])),
            (json!({"type": "NONE"}), json!([{"login": []}, {"signed": []}])),
        ] {
            let operation = json!({"x-amazon-apigateway-auth": auth, "security": security});
            let (demanded, told) = demanded_beside(Protocol::Rest, operation.clone(), json!({}));
            assert_eq!((demanded, told.is_empty()), (None, false), "{operation}");
        }
        let (_, told) = demanded_beside(Protocol::Rest, json!({"x-amazon-apigateway-auth": null}), json!({}));
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn security_of_the_whole_definition_counts_for_http_apis_and_is_spoken_of_for_rest_apis() {
        let login = || json!([{"login": ["a"]}]);
        for (protocol, operation, root, guarded, told) in [
            (Protocol::Http, json!({}), login(), "login [\"a\"]", 0),
            (Protocol::Http, json!({"security": []}), login(), "open", 0),
            (Protocol::Http, json!({"security": [{"signed": []}]}), login(), "iam", 0),
            (Protocol::Http, json!({}), json!([]), "open", 0),
            (Protocol::Http, json!({"security": login()}), json!([]), "login [\"a\"]", 0),
            (Protocol::Rest, json!({}), login(), "open", 1),
            (Protocol::Rest, json!({"security": [{"signed": []}]}), login(), "iam", 1),
            (Protocol::Rest, json!({}), json!([]), "open", 0),
        ] {
            let (demanded, problems) = demanded_beside(protocol, operation.clone(), json!({"security": root}));
            assert_eq!((demanded, problems.len()), (Some((false, guarded.to_owned())), told), "{protocol:?} {operation} {root}");
        }
    }
}
