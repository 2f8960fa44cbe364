//! Query strings. Names and values are decoded once for whoever reads them (`+` is a space: recorded,
//! `test_lambda_aws_proxy_integration`); what is only passed on is passed on as it was sent.

use super::path::hex;

/// A decoded query string: names and values in the order sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

// === impl Query ===

impl Query {
    /// Decodes what follows the `?`. API Gateway splits at `;` too (documented under its known issues).
    pub fn parse(query: &str) -> Self {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        };
        Self(query.split(['&', ';']).filter(|pair| !pair.is_empty()).map(pair).collect())
    }

    /// The values of a name, in order; names are case-sensitive.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The last value of a name: what API Gateway takes where a single value is asked for.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match tail {
                [high, low, after @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                    bytes.push(hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0));
                    rest = after;
                }
                // A broken encoding stays what it is.
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes all but RFC 3986's unreserved characters: for a value that becomes part of a path segment or a query.
pub fn percent_encode(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for &byte in value {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(value + if value < 10 { b'0' } else { b'A' - 10 });
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_and_keep_their_order() {
        let query = Query::parse("a=1&b=x%2By+z&a=2;c&%61=3&bad=%zz%4");
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(query.last("a"), Some("3"));
        assert_eq!(query.last("b"), Some("x+y z"));
        assert_eq!(query.last("c"), Some(""));
        assert_eq!(query.last("bad"), Some("%zz%4"));
        assert_eq!(query.last("A"), None);
    }

    #[test]
    fn encoding_leaves_only_unreserved_characters() {
        assert_eq!(percent_encode("a/b c?~é".as_bytes()), "a%2Fb%20c%3F~%C3%A9");
    }
}
