//! A resource path: `/pets/{id}/toys/{proxy+}`.

/// A parsed resource path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Static(String),
    Parameter(String),
    Greedy(String),
}

/// Why a path is no resource path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidPattern {
    /// A parameter must be a whole segment (documented).
    PartialParameter(String),
    /// `{proxy+}` must be the last segment (documented).
    GreedyInside(String),
    /// A character that no request path has there: it would never match.
    Character(String),
    /// `//`
    EmptySegment,
    /// One name twice.
    RepeatedParameter(String),
}

// === impl Pattern ===

impl Pattern {
    /// Reads a path that begins with `/`; a trailing slash does not count.
    pub fn parse(path: &str) -> Result<Self, InvalidPattern> {
        if path.contains("//") {
            return Err(InvalidPattern::EmptySegment);
        }
        let trimmed = path.strip_prefix('/').unwrap_or(path);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let mut segments = Vec::new();
        for text in trimmed.split('/').filter(|_| !trimmed.is_empty()) {
            if matches!(segments.last(), Some(Segment::Greedy(_))) {
                return Err(InvalidPattern::GreedyInside(path.to_owned()));
            }
            segments.push(Segment::parse(text)?);
        }
        let mut names = std::collections::BTreeSet::new();
        for name in segments.iter().filter_map(Segment::name) {
            if !names.insert(name) {
                return Err(InvalidPattern::RepeatedParameter(name.to_owned()));
            }
        }
        Ok(Self { segments })
    }

    /// The route for matchit. Parameters are named by their position, so that `/a/{x}` and `/a/{y}/b` stand in one table.
    pub(super) fn to_matchit(&self) -> String {
        if self.segments.is_empty() {
            return "/".to_owned();
        }
        let mut route = String::new();
        for (index, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Static(text) => route.push_str(&format!("/{text}")),
                Segment::Parameter(_) => route.push_str(&format!("/{{p{index}}}")),
                Segment::Greedy(_) => route.push_str(&format!("/{{*p{index}}}")),
            }
        }
        route
    }

    /// The names of its parameters, in order.
    pub fn parameters(&self) -> Vec<String> {
        self.segments.iter().filter_map(Segment::name).map(str::to_owned).collect()
    }

    /// How general each segment is, from the left: the smaller of two is the more specific.
    pub(super) fn generality(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Static(_) => 0,
            Segment::Parameter(_) => 1,
            Segment::Greedy(_) => 2,
        };
        self.segments.iter().map(rank).collect()
    }

    /// Whether it ends in `{proxy+}`.
    pub fn is_greedy(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Greedy(_)))
    }

    /// The parameter at each depth, with the path that leads to it: REST APIs allow one name a place.
    pub fn variable_places(&self) -> Vec<(String, String)> {
        let mut above = String::new();
        let mut places = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Static(text) => above.push_str(&format!("/{text}")),
                Segment::Parameter(name) => {
                    places.push((above.clone(), format!("{{{name}}}")));
                    above.push_str("/{}");
                }
                Segment::Greedy(name) => places.push((above.clone(), format!("{{{name}+}}"))),
            }
        }
        places
    }
}

// === impl Segment ===

impl Segment {
    fn parse(text: &str) -> Result<Self, InvalidPattern> {
        if text.is_empty() {
            return Err(InvalidPattern::EmptySegment);
        }
        let partial = || InvalidPattern::PartialParameter(text.to_owned());
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(inner) => {
                let (name, greedy) = inner.strip_suffix('+').map_or((inner, false), |name| (name, true));
                if name.is_empty() || name.contains(['{', '}', '+']) {
                    return Err(partial());
                }
                Ok(if greedy { Self::Greedy(name.to_owned()) } else { Self::Parameter(name.to_owned()) })
            }
            None if text.contains(['{', '}']) => Err(partial()),
            None if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)) => {
                Err(InvalidPattern::Character(text.to_owned()))
            }
            None => Ok(Self::Static(text.to_owned())),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Static(_) => None,
            Self::Parameter(name) | Self::Greedy(name) => Some(name),
        }
    }
}

// === impl InvalidPattern ===

impl std::fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PartialParameter(text) => write!(f, "a parameter must be a whole segment: `{text}`"),
            Self::GreedyInside(path) => write!(f, "a greedy parameter must be the last segment: `{path}`"),
            Self::Character(text) => write!(f, "`{text}` has a character that no path segment has"),
            Self::EmptySegment => write!(f, "a resource path has no empty segment"),
            Self::RepeatedParameter(name) => write!(f, "parameter `{name}` stands twice in one path"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_by_position_in_the_table() {
        let pattern = Pattern::parse("/a/{id}/b.c/{proxy+}").unwrap();
        assert_eq!(pattern.to_matchit(), "/a/{p1}/b.c/{*p3}");
        assert_eq!(pattern.parameters(), ["id", "proxy"]);
        assert_eq!(Pattern::parse("/").unwrap().to_matchit(), "/");
        assert_eq!(Pattern::parse("/a/").unwrap(), Pattern::parse("/a").unwrap());
    }

    #[test]
    fn each_parameter_is_told_with_the_place_it_has() {
        let places = |path| Pattern::parse(path).unwrap().variable_places();
        let own =
            |places: &[(&str, &str)]| places.iter().map(|(above, name)| ((*above).into(), (*name).into())).collect::<Vec<_>>();
        assert_eq!(places("/a/{id}/b/{proxy+}"), own(&[("/a", "{id}"), ("/a/{}/b", "{proxy+}")]));
        assert_eq!(places("/{a}/{b}"), own(&[("", "{a}"), ("/{}", "{b}")]));
        assert_eq!(places("/a/b"), own(&[]));
    }

    #[test]
    fn what_is_wrong_with_a_path_is_told() {
        for (path, told) in [
            ("/a{b}", "a parameter must be a whole segment: `a{b}`"),
            ("/{a", "a parameter must be a whole segment: `{a`"),
            ("/{a{}", "a parameter must be a whole segment: `{a{}`"),
            ("/{a+}/b", "a greedy parameter must be the last segment: `/{a+}/b`"),
            ("/a b", "`a b` has a character that no path segment has"),
            ("/a//b", "a resource path has no empty segment"),
            ("/{a}/{a}", "parameter `a` stands twice in one path"),
        ] {
            assert_eq!(Pattern::parse(path).map_err(|error| error.to_string()), Err(told.to_owned()), "{path}");
        }
    }

    #[test]
    fn what_aws_does_not_import_is_refused() {
        for path in ["/a{b}", "/{a}b", "/{a+}/b", "/a//b", "/{}", "/{+}", "/{a}/{a}", "/a}", "//", "//x", "/a b", "/a?b", "/%41"] {
            assert!(Pattern::parse(path).is_err(), "{path}");
        }
    }
}
