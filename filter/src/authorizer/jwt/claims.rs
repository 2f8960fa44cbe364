//! Claims as `$context` and events have them: texts.
//!
//! HTTP APIs (measured by floci): numbers and booleans in quotes, arrays as `[a b]`, objects as JSON text, null left out. A Cognito
//! authorizer has its own ways (seen in events that many people published): arrays as `a,b`, and `exp` and `iat` as dates.

use super::refusal::Manner;
use crate::calendar::Moment;
use crate::context::AuthorizerFacts;
use crate::jose::Claims;
use serde_json::{Map, Value, json};

/// All claims that print, in the order of the token. assumed(rest-jwt-claims): REST APIs print those of a JWT authorizer as HTTP
/// APIs do.
pub fn texts(claims: &Claims, manner: Manner) -> Vec<(String, String)> {
    let print = |(name, value): (&str, &Value)| {
        let is_time = manner == Manner::Cognito && matches!(name, "exp" | "iat");
        let text = match value {
            Value::Null => return None,
            Value::Number(number) if is_time => date(number.as_f64().unwrap_or_default()),
            Value::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(text).collect();
                if manner == Manner::Cognito { elements.join(",") } else { format!("[{}]", elements.join(" ")) }
            }
            value => text(value),
        };
        Some((name.to_owned(), text))
    };
    claims.iter().filter_map(print).collect()
}

/// assumed(claims-in-arrays): what stands in an array, however deep, prints as JSON unless it is a string.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// The scopes of a token: `scp`, else `scope` (measured by floci); a list, or words (RFC 8693, section 4.2).
pub fn scopes(claims: &Claims) -> Vec<String> {
    let owned = |scope: &str| scope.to_owned();
    match claims.get("scp").or_else(|| claims.get("scope")) {
        Some(Value::String(words)) => words.split_ascii_whitespace().map(owned).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(owned).collect(),
        _ => Vec::new(),
    }
}

/// `authorizer.jwt` of events of format 2.0, `authorizer` of format 1.0 of HTTP APIs: all claims, and the scopes where the route
/// asks for scopes.
pub fn event(facts: &AuthorizerFacts) -> Value {
    let claims = facts
        .claims
        .as_ref()
        .map(|claims| claims.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect::<Map<_, _>>());
    json!({ "claims": claims, "scopes": facts.scopes })
}

/// `Thu Dec 06 17:08:23 UTC 2018`, as Java prints a date.
fn date(seconds: f64) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    // The end of the year 9999: numbers beyond are no times.
    let seconds = seconds.clamp(0.0, 253_402_300_799.0) as u64;
    let weekday = usize::try_from(seconds / 86_400 % 7).ok().and_then(|index| WEEKDAYS.get(index)).copied().unwrap_or_default();
    let moment = Moment::of(seconds);
    let Moment { year, day, hour, minute, second, .. } = moment;
    format!("{weekday} {} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}", moment.month_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorizer::jwt::testing::Signer;
    use crate::jose::{KeySet, Origin, Unverified};

    fn claims(payload: &str) -> Claims {
        let signer = Signer::secret("k");
        let (set, _) = KeySet::from_value(&json!({"keys": [signer.jwk]}), Origin::Document).unwrap();
        Unverified::parse(&signer.token(payload)).unwrap().verify(&set, None).unwrap()
    }

    fn printed(payload: &str, manner: Manner) -> String {
        texts(&claims(payload), manner).into_iter().map(|(name, text)| format!("{name}={text};")).collect()
    }

    #[test]
    fn claims_print_as_http_apis_print_them() {
        let payload = r#"{"sub":"u","exp":1544116103,"f":1.5,"b":true,"n":null,"a":["admin","power user",1,true,["x"],{"y":1}],"e":[],"o":{"k":[1,"v"]}}"#;
        let expected = r#"sub=u;exp=1544116103;f=1.5;b=true;a=[admin power user 1 true ["x"] {"y":1}];e=[];o={"k":[1,"v"]};"#;
        assert_eq!(printed(payload, Manner::Http), expected);
    }

    #[test]
    fn claims_print_as_a_cognito_authorizer_prints_them() {
        let payload = r#"{"cognito:groups":["admin","staging-manager"],"email_verified":true,"auth_time":1544112503,"exp":1544116103,"iat":1544112503}"#;
        let expected = "cognito:groups=admin,staging-manager;email_verified=true;auth_time=1544112503;\
            exp=Thu Dec 06 17:08:23 UTC 2018;iat=Thu Dec 06 16:08:23 UTC 2018;";
        assert_eq!(printed(payload, Manner::Cognito), expected);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0.0, "Thu Jan 01 00:00:00 UTC 1970"),
            (951_827_696.9, "Tue Feb 29 12:34:56 UTC 2000"),
            (1_783_035_767.0, "Thu Jul 02 23:42:47 UTC 2026"),
            (4_102_444_799.0, "Thu Dec 31 23:59:59 UTC 2099"),
            (4_107_542_400.0, "Mon Mar 01 00:00:00 UTC 2100"),
            (1e300, "Fri Dec 31 23:59:59 UTC 9999"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[test]
    fn scopes_are_words_or_a_list_and_scp_wins() {
        let of = |payload: &str| scopes(&claims(payload)).join("|");
        assert_eq!(of(r#"{"scope":"a  b/c"}"#), "a|b/c");
        assert_eq!(of(r#"{"scope":"a","scp":"b c"}"#), "b|c");
        assert_eq!(of(r#"{"scope":"a","scp":["b c",1,"d"]}"#), "b c|d");
        assert_eq!(of(r#"{"scope":"a","scp":[]}"#), "");
        assert_eq!(of(r#"{"scope":1}"#), "");
        assert_eq!(of("{}"), "");
    }

    #[test]
    fn events_have_claims_and_scopes() {
        let claims = vec![("sub".to_owned(), "u".to_owned())];
        let facts = AuthorizerFacts { claims: Some(claims), ..AuthorizerFacts::default() };
        assert_eq!(event(&facts), json!({"claims": {"sub": "u"}, "scopes": null}));
        let facts = AuthorizerFacts { scopes: Some(vec!["a".to_owned()]), ..facts };
        assert_eq!(event(&facts), json!({"claims": {"sub": "u"}, "scopes": ["a"]}));
        assert_eq!(event(&AuthorizerFacts::default()), json!({"claims": null, "scopes": null}));
    }
}
