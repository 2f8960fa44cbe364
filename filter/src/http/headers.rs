//! An ordered multimap of header fields. Values are bytes, because any client can send any byte; names compare without case.

/// Header fields in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

// === impl Headers ===

impl Headers {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of a field.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The last value of a field: what API Gateway takes where a single value is asked for.
    pub fn last(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).last()
    }

    /// The values of a field, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_slice())
    }

    /// Whether the field is there.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a line, keeping those that are there.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts one line in the place of all lines of that name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        let name = name.into();
        self.remove(&name);
        self.0.push((name, value.into()));
    }

    /// Removes all lines of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// Keeps the lines that the test wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// Gives every line of one name another name.
    pub fn rename(&mut self, from: &str, to: &str) {
        for (name, _) in self.0.iter_mut().filter(|(n, _)| n.eq_ignore_ascii_case(from)) {
            to.clone_into(name);
        }
    }

    /// A line a field, each behind a line end.
    pub fn describe(&self) -> String {
        self.iter().map(|(name, value)| format!("\n{name}: {}", String::from_utf8_lossy(value))).collect()
    }

    /// All lines, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_slice()))
    }
}

impl FromIterator<(String, Vec<u8>)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(lines: I) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl IntoIterator for Headers {
    type Item = (String, Vec<u8>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Whether a text is a field name: a token (RFC 9110, section 5.6.2). Anything else would end the name, or the line.
pub fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether bytes may stand in a field value (RFC 9110, section 5.5): no control characters but the tab. A value that came from
/// elsewhere must not end the line, and Envoy refuses the whole message for the others.
pub fn is_field_value(value: &[u8]) -> bool {
    !value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_the_name_or_the_line_is_refused() {
        for name in ["", "a b", "a:", "a\r\nb", ":status", "\u{e9}"] {
            assert!(!is_field_name(name), "{name:?}");
        }
        assert!(is_field_name("X-Amz_Date.1") && is_field_value(b"a\xff b"));
        assert!(is_field_value(b"a\tb"));
        for value in [b"a\r".as_slice(), b"\n", b"\0", b"\x01", b"\x1b[", b"\x7f"] {
            assert!(!is_field_value(value));
        }
    }

    #[test]
    fn names_compare_without_case_and_keep_their_order() {
        let mut headers = Headers::new();
        headers.append("X-A", "1");
        headers.append("b", "2");
        headers.append("x-a", "3");
        assert_eq!(headers.get_all("X-a").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(headers.last("x-A"), Some(b"3".as_slice()));
        headers.set("x-a", "4");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("b", b"2".as_slice()), ("x-a", b"4")]);
        headers.rename("B", "c");
        assert!(headers.contains("C"));
    }
}
