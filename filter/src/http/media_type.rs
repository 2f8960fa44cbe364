//! Media types, as far as API Gateway looks at them: `type/subtype`, parameters stripped.

/// `type/subtype`, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MediaType(String);

/// `binaryMediaTypes` of an API: which payloads are bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BinaryMediaTypes(Vec<String>);

// === impl MediaType ===

impl MediaType {
    /// `application/json`: what API Gateway takes where no type is named.
    pub const JSON: &'static str = "application/json";

    /// Reads a header value: the first type of a list, without parameters.
    pub fn of_header(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        let first = text.split(',').next().unwrap_or_default();
        Self(first.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The type of a header that may be missing: `application/json` then.
    pub fn of_header_or_json(value: Option<&[u8]>) -> Self {
        match value.map(Self::of_header) {
            Some(media_type) if !media_type.0.is_empty() => media_type,
            _ => Self(Self::JSON.to_owned()),
        }
    }

    /// The entry for what a request accepts, else the one for JSON, else the first.
    pub fn choose<'a, T>(accept: Option<&[u8]>, entries: &'a [(Self, T)]) -> Option<&'a (Self, T)> {
        let accepted = Self::of_header_or_json(accept);
        let of = |wanted: &str| entries.iter().find(|(media_type, _)| media_type.0 == wanted);
        of(&accepted.0).or_else(|| of(Self::JSON)).or_else(|| entries.first())
    }

    /// `type/subtype`
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl BinaryMediaTypes ===

impl BinaryMediaTypes {
    /// The list as it is written: `image/png`, `image/*`, `*/*`.
    pub fn new(types: &[&str]) -> Self {
        Self(types.iter().map(|text| text.trim().to_ascii_lowercase()).collect())
    }

    /// Whether the first type of a `content-type` or `accept` header is one of them. An entry `*/subtype` matches nothing (recorded:
    /// `test_aws_proxy_binary_response`), and a range in the header only one that is as wide.
    pub fn contain(&self, header: Option<&[u8]>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let MediaType(wanted) = MediaType::of_header_or_json(header);
        let is_range = wanted.contains('*');
        self.0.iter().any(|entry| match entry.strip_suffix('*') {
            Some("*/" | "") => true,
            Some(start) => start.ends_with('/') && wanted.starts_with(start),
            None => !is_range && *entry == wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_in_the_list_and_not_in_the_header() {
        let listed = |types: &[&str], header: &str| BinaryMediaTypes::new(types).contain(Some(header.as_bytes()));
        let recorded = ["image/png", "*/test"];
        assert!(listed(&recorded, "image/png") && listed(&recorded, "Image/PNG; q=1, a/b"));
        for header in ["image/jpg", "image/*", "*/*", "*/test", "random/test", ""] {
            assert!(!listed(&recorded, header), "{header}");
        }
        assert!(listed(&["image/*"], "image/gif") && !listed(&["image/*"], "imagery/gif"));
        assert!(listed(&["image/*"], "image/*") && !listed(&["image/*"], "*/*") && !listed(&["image/*"], "image"));
        assert!(listed(&["*/*"], "a/b") && listed(&["*/*"], "*/*") && BinaryMediaTypes::new(&["*/*"]).contain(None));
        assert!(!BinaryMediaTypes::default().contain(Some(b"a/b")));
    }

    #[test]
    fn parameters_case_and_further_types_do_not_count() {
        assert_eq!(MediaType::of_header(b"Text/HTML; charset=utf-8, a/b").as_str(), "text/html");
        assert_eq!(MediaType::of_header_or_json(None).as_str(), "application/json");
        assert_eq!(MediaType::of_header_or_json(Some(b" ")).as_str(), "application/json");
    }
}
