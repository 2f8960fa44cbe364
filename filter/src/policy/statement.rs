//! One statement: whom, what and when it is about, and whether it allows or denies.

use super::condition::{self, Condition};
use super::document::Reader;
use super::pattern::{Pattern, Steps, Style};
use super::principal::Principals;
use super::truth::Truth;
use super::{Kind, Request};
use crate::definition::Node;

/// A compiled statement.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    /// None: the policy belongs to whoever asks.
    principals: Option<Principals>,
    actions: Choice,
    resources: Choice,
    conditions: Vec<Condition>,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// One request while it is evaluated.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request<'a>,
    /// The resource with separated parts.
    pub(super) resource_parts: String,
    pub(super) steps: Steps,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug)]
struct Choice {
    not: bool,
    style: Style,
    patterns: Vec<Pattern>,
}

/// The actions of execute-api.
const ACTIONS: [&str; 3] = ["execute-api:Invoke", "execute-api:InvalidateCache", "execute-api:ManageConnections"];

/// The short form of a resource, in resource policies.
const OWN_API: &str = "execute-api:/";

/// How long a resource may be that an authorizer returns (documented).
const RESOURCE_LIMIT: usize = 512;

/// Whether a resource can be one of the API: what stands in front of the stage matches.
fn may_name(text: &str, api: &str) -> bool {
    let head = text.split('/').next().unwrap_or(text);
    // A `*` in the last part goes on behind it.
    let star = head.rfind('*').filter(|star| head.rfind(':') < Some(*star));
    let head = star.and_then(|star| head.get(..=star)).unwrap_or(head);
    head.contains("${") || Pattern::read(head, Style::Wild, false).is_ok_and(|head| head.matches_one_of(&[api]))
}

// === impl Effect ===

impl Effect {
    fn compile(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match node.string(reader.problems)? {
            "Allow" => Some(Self::Allow),
            "Deny" => Some(Self::Deny),
            text => {
                reader.problems.error(&node.path, format!("`{text}` is no effect"), Some("`Allow` or `Deny`, in this case"));
                None
            }
        }
    }
}

// === impl Statement ===

impl Statement {
    /// Reads a statement.
    pub(super) fn compile(node: &Node<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let has_principal = matches!(reader.kind, Kind::Resource(_));
        let mut known = vec!["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
        if has_principal {
            known.extend(["Principal", "NotPrincipal"]);
        } else if let Some(principal) = node.get("Principal").or_else(|| node.get("NotPrincipal")) {
            known.extend(["Principal", "NotPrincipal"]);
            let message = "a principal stands only in a resource policy: this policy belongs to whoever asks";
            reader.problems.stray(&principal.path, message, None);
        }
        reader.only(node, &known);
        if let Some(sid) = node.get("Sid") {
            sid.string(reader.problems);
        }
        let effect = reader.required(node, "Effect").and_then(|effect| Effect::compile(&effect, reader));
        // The mistakes of the other elements are told, too.
        let told = effect.unwrap_or(Effect::Deny);
        let named = if has_principal { reader.one_of(node, "Principal", "NotPrincipal") } else { None };
        let principals = named.map(|(not, node)| Principals::compile(&node, not, told, reader));
        let actions = reader.one_of(node, "Action", "NotAction").map(|(not, node)| Choice::of_actions(not, &node, told, reader));
        let resources =
            reader.one_of(node, "Resource", "NotResource").map(|(not, node)| Choice::of_resources(not, &node, told, reader));
        let conditions = node.get("Condition").map(|block| condition::compile(&block, told, reader)).unwrap_or_default();
        // Not without its principals: that would be about everybody.
        let principals = if has_principal { Some(principals?) } else { None };
        Some(Self { effect: effect?, principals, actions: actions?, resources: resources?, conditions })
    }

    /// Whether it is about the request.
    pub(super) fn applies(&self, asked: &mut Asked<'_>) -> Truth {
        if self.principals.as_ref().is_some_and(|principals| !principals.include(asked.request.principal)) {
            return Truth::No;
        }
        let Asked { request, resource_parts, steps } = asked;
        let resource = if self.resources.style == Style::Arn { resource_parts.as_str() } else { request.resource };
        let what = self.actions.covers(request.action, request, steps).min(self.resources.covers(resource, request, steps));
        if what == Truth::No {
            return what;
        }
        what.min(Truth::all(self.conditions.iter().map(|condition| condition.holds(asked))))
    }
}

// === impl Choice ===

impl Choice {
    fn of_actions(not: bool, node: &Node<'_>, effect: Effect, reader: &mut Reader<'_>) -> Self {
        let nodes = reader.list(node);
        let patterns = reader.patterns(&nodes, effect, |text, _| match text.split_once(':') {
            Some((service, name)) if !service.is_empty() && !name.is_empty() => Pattern::read(text, Style::WildFolded, false),
            _ if text == "*" => Pattern::read(text, Style::WildFolded, false),
            _ => Err("an action is `*` or names its service, `execute-api:Invoke`"),
        });
        for node in nodes.iter().filter(|_| matches!(reader.kind, Kind::Resource(_)) && !not) {
            let text = node.value.as_str().unwrap_or_default();
            let pattern = Pattern::read(text, Style::WildFolded, false);
            if text.contains(':') && pattern.is_ok_and(|pattern| !pattern.matches_one_of(&ACTIONS)) {
                let message = format!("`{text}` is no action of execute-api: nobody ever asks for it");
                reader.problems.warning(&node.path, message, Some("the action is `execute-api:Invoke`"));
            }
        }
        Self { not, style: Style::WildFolded, patterns }
    }

    /// AWS: a `*` that ends a part of an ARN "can expand to match beyond the colon boundaries". So it does, over the boundaries
    /// between the six parts. A colon in the path, which the client writes, is a boundary only where that denies:
    /// assumed(policy-colon-in-path).
    fn of_resources(not: bool, node: &Node<'_>, effect: Effect, reader: &mut Reader<'_>) -> Self {
        let style = if (effect == Effect::Allow) != not { Style::Arn } else { Style::Wild };
        let nodes = reader.list(node);
        let own = match &reader.kind {
            Kind::Resource(api) => Some(api.to_string()),
            Kind::Identity | Kind::Authorizer => None,
        };
        let is_returned = matches!(reader.kind, Kind::Authorizer);
        let patterns = reader.patterns(&nodes, effect, |text, variables| {
            let head = text.splitn(6, ':').take(5).any(|part| part.contains("${")) && variables;
            match (&own, text.strip_prefix(OWN_API)) {
                _ if is_returned && text.chars().count() > RESOURCE_LIMIT => Err("longer than 512 characters"),
                (Some(own), Some(rest)) => Pattern::read(&format!("{own}/{rest}"), style, variables),
                _ if head => Err("a policy variable stands only behind the fifth colon of an ARN"),
                _ if text.starts_with("arn:") || text.starts_with('*') => Pattern::read(text, style, variables),
                _ => Err("a resource is `*` or an ARN; of a resource policy also `execute-api:/…`"),
            }
        });
        for (own, node) in own.iter().filter(|_| !not).flat_map(|own| nodes.iter().map(move |node| (own, node))) {
            let text = node.value.as_str().unwrap_or_default();
            if text.starts_with("arn:") && !may_name(text, own) {
                let help = "write `execute-api:/*`, or set `apiId`, `accountId` and `region`";
                reader.problems.warning(&node.path, format!("`{text}` names nothing of this API, `{own}`"), Some(help));
            }
        }
        Self { not, style, patterns }
    }

    fn covers(&self, text: &str, request: &Request<'_>, steps: &mut Steps) -> Truth {
        Truth::any(self.patterns.iter().map(|pattern| pattern.matches(text, request, steps))).negated_if(self.not)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decision::{self, Allow, Deny, Neither};
    use super::super::{ApiArn, Policy, Principal};
    use super::*;
    use crate::problem::Problems;
    use serde_json::{Value, json};

    fn decide(policy: &Policy, action: &str, resource: &str) -> Decision {
        policy.evaluate(&Request { action, resource, principal: &Principal::Anonymous, keys: &|_| None })
    }

    fn returned(effect: &str, element: &str, resources: Value, resource: &str) -> Decision {
        let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", element: resources});
        decide(&Policy::parse(&json!({"Statement": statement})).unwrap(), "execute-api:Invoke", resource)
    }

    #[test]
    fn actions_match_in_any_case_and_resources_do_not() {
        let resource = "arn:aws:execute-api:us-east-1:000000000000:abc/test/GET/pets";
        for (action, asked, decision) in [
            ("EXECUTE-API:invoke", "execute-api:Invoke", Allow),
            ("execute-api:*", "execute-api:Invoke", Allow),
            ("*", "execute-api:Invoke", Allow),
            ("execute-api:I?voke", "execute-api:ManageConnections", Neither),
        ] {
            let policy = Policy::parse(&json!({"Statement": {"Effect": "Allow", "Action": [action], "Resource": "*"}})).unwrap();
            assert_eq!(decide(&policy, asked, resource), decision, "{action}");
            let policy = Policy::parse(&json!({"Statement": {"Effect": "Allow", "NotAction": action, "Resource": "*"}})).unwrap();
            assert_eq!(decide(&policy, asked, resource) == Allow, decision == Neither, "{action}");
        }
        assert_eq!(returned("Allow", "Resource", json!(["arn:aws:execute-api:*:*:*/test/GET/pet?"]), resource), Allow);
        assert_eq!(returned("Allow", "Resource", json!("arn:aws:execute-api:*:*:*/test/get/pets"), resource), Neither);
        assert_eq!(returned("Deny", "NotResource", json!("arn:aws:execute-api:*:*:*/test/GET/*"), resource), Neither);
        assert_eq!(returned("Deny", "NotResource", json!("arn:aws:execute-api:*:*:*/test/PUT/*"), resource), Deny);
    }

    #[test]
    fn a_colon_in_the_path_never_opens_another_api() {
        let crafted = "arn:aws:execute-api:us-east-1:000000000000:abc/test/GET/x:000000000000:other/y";
        for resource in ["arn:aws:execute-api:*:000000000000:other/*", "arn:aws:execute-api:*:other/*"] {
            assert_eq!(returned("Allow", "Resource", json!(resource), crafted), Neither);
            assert_eq!(returned("Deny", "Resource", json!(resource), crafted), Deny);
            assert_eq!(returned("Allow", "NotResource", json!(resource), crafted), Neither);
            assert_eq!(returned("Deny", "NotResource", json!(resource), crafted), Deny);
        }
    }

    #[test]
    fn the_short_form_is_this_api() {
        let api = ApiArn { region: "eu-west-1", account: "111122223333", api: "abc" };
        let own = |short: &str, resource: &str| {
            let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": short});
            let document = json!({"Statement": statement});
            let policy = Policy::compile(&Node::root(&document), Kind::Resource(api), &mut Problems::default());
            decide(&policy.unwrap(), "execute-api:Invoke", resource)
        };
        let method = "arn:aws:execute-api:eu-west-1:111122223333:abc/prod/GET/pets";
        assert_eq!(own("execute-api:/*", method), Allow);
        assert_eq!(own("execute-api:/prod/GET/pets", method), Allow);
        assert_eq!(own("execute-api:/prod/POST/*", method), Neither);
        assert_eq!(own("execute-api:/*", "arn:aws:execute-api:eu-west-1:111122223333:abcd/prod/GET/pets"), Neither);
    }

    #[test]
    fn an_action_names_its_service_and_what_it_does() {
        for (action, is_one) in
            [("execute-api:Invoke", true), ("*", true), ("s3:*", true), (":Invoke", false), ("execute-api:", false), (":", false)]
        {
            let policy = Policy::parse(&json!({"Statement": {"Effect": "Deny", "Action": action, "Resource": "*"}}));
            assert_eq!(policy.is_ok(), is_one, "{action}");
        }
    }

    #[test]
    fn a_resource_that_an_authorizer_returns_has_512_characters_at_the_most() {
        for (length, is_one) in [(RESOURCE_LIMIT, true), (RESOURCE_LIMIT + 1, false)] {
            let resource = format!("arn:{}", "é".repeat(length - 4));
            let policy = Policy::parse(&json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": resource}}));
            assert_eq!(policy.is_ok(), is_one, "{length}");
        }
    }
}
