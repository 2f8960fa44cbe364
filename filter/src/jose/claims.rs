//! The claims of a token whose signature is right (RFC 7519, section 4). Registered claims have the types that the RFC gives them;
//! what they say is the caller's to check.

use super::strict_json;
use serde_json::{Map, Value};

/// Verified claims: only [`super::Unverified::verify`] makes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Map<String, Value>);

// === impl Claims ===

impl Claims {
    /// None: the payload is no set of claims, or a registered claim has another type than RFC 7519 says.
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let claims = strict_json::object(payload)?;
        claims.iter().all(|(name, value)| is_of_its_type(name, value)).then_some(Self(claims))
    }

    /// A claim by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All claims, in the order of the token.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// All claims, as they are.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// `iss`: who made the token.
    pub fn iss(&self) -> Option<&str> {
        self.text("iss")
    }

    /// `sub`: of whom it speaks.
    pub fn sub(&self) -> Option<&str> {
        self.text("sub")
    }

    /// `aud`: for whom it is, one or several; none if the claim is not there.
    pub fn audiences(&self) -> Vec<&str> {
        match self.get("aud") {
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            Some(one) => one.as_str().into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// `exp`: the seconds since 1970 from which on it must not be taken; not always whole.
    pub fn exp(&self) -> Option<f64> {
        self.seconds("exp")
    }

    /// `nbf`: the seconds since 1970 before which it must not be taken; not always whole.
    pub fn nbf(&self) -> Option<f64> {
        self.seconds("nbf")
    }

    /// `iat`: the seconds since 1970 at which it was made; not always whole.
    pub fn iat(&self) -> Option<f64> {
        self.seconds("iat")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    fn seconds(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Value::as_f64)
    }
}

fn is_of_its_type(name: &str, value: &Value) -> bool {
    match name {
        "iss" | "sub" | "jti" => value.is_string(),
        "aud" => value.as_array().map_or(value.is_string(), |several| several.iter().all(Value::is_string)),
        // JSON has no infinity, and a number too large for one was refused before.
        "exp" | "nbf" | "iat" => value.as_f64().is_some_and(|seconds| seconds >= 0.0),
        // OpenID Connect, not RFC 7519; the verification here reads it as text, so it is text for a host's verification, too.
        "nonce" => value.is_string() || value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Claims> {
        Claims::parse(text.as_bytes())
    }

    #[test]
    fn registered_claims_are_read() {
        let text = r#"{"iss":"https://i.test","sub":"s","aud":["a","b"],"exp":1.5e3,"nbf":0,"iat":18446744073709551615,"jti":"j","x":null}"#;
        let claims = parse(text).unwrap();
        assert_eq!((claims.iss(), claims.sub()), (Some("https://i.test"), Some("s")));
        assert_eq!(claims.audiences(), ["a", "b"]);
        assert_eq!((claims.exp(), claims.nbf()), (Some(1500.0), Some(0.0)));
        assert_eq!(claims.iat(), Some(18_446_744_073_709_551_615.0));
        assert_eq!(claims.get("x"), Some(&Value::Null));
        assert_eq!(claims.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "x"]);
        assert_eq!(claims.as_map().len(), 8);
    }

    #[test]
    fn claims_that_are_not_there_are_none() {
        let claims = parse("{}").unwrap();
        assert_eq!((claims.iss(), claims.sub(), claims.exp(), claims.nbf(), claims.iat()), (None, None, None, None, None));
        assert!(claims.audiences().is_empty());
        assert_eq!(parse(r#"{"aud":"one"}"#).unwrap().audiences(), ["one"]);
        assert!(parse(r#"{"aud":[]}"#).unwrap().audiences().is_empty());
    }

    #[test]
    fn registered_claims_of_another_type_are_refused() {
        for name in ["iss", "sub", "jti"] {
            for value in ["1", "null", "[]", "{}", "true", "[\"a\"]"] {
                assert_eq!(parse(&format!("{{\"{name}\":{value}}}")), None, "{name} {value}");
            }
        }
        for value in ["1", "null", "{}", "true", "[1]", "[\"a\",1]", "[[\"a\"]]", "[null]"] {
            assert_eq!(parse(&format!("{{\"aud\":{value}}}")), None, "aud {value}");
        }
        for name in ["exp", "nbf", "iat"] {
            for value in ["\"1\"", "null", "[]", "{}", "true", "1e400", "-1", "-0.5", "-1e400", "NaN", "Infinity", "0x1"] {
                assert_eq!(parse(&format!("{{\"{name}\":{value}}}")), None, "{name} {value}");
            }
        }
        assert_eq!(parse(r#"{"nonce":1}"#), None);
    }

    #[test]
    fn a_payload_that_is_no_object_or_not_strict_is_refused() {
        for text in [
            "",
            "foo",
            "[]",
            "1",
            "\"{}\"",
            "{} ,",
            "{\"a\":1,\"a\":2}",
            "{\"exp\":1,\"exp\":9999999999}",
            "{\"a\":{\"b\":1,\"b\":1}}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(Claims::parse(b"{\"a\":\"\xc3\"}"), None);
    }
}
