//! From host and path to stage. AWS: "Use API mappings to connect API stages to a custom domain name": the longest base path that
//! matches whole segments wins.

use crate::http::strip_port;
use std::collections::HashMap;

/// All stages of a document.
#[derive(Debug)]
pub struct StageTable<T> {
    /// By domain; the empty name stands for every domain that is not listed.
    hosts: HashMap<String, HashMap<String, T>>,
    /// Segments of the longest base path: what bounds the search, however long the path of a request is.
    depth: usize,
}

/// A stage that serves a request.
#[derive(Debug, PartialEq, Eq)]
pub struct StageMatch<'a, T> {
    /// What was put in.
    pub stage: &'a T,
    /// What is left of the path, with one slash in front: `/stage//x` is routed as `/x` (recorded).
    pub path: String,
}

// === impl StageTable ===

impl<T> Default for StageTable<T> {
    fn default() -> Self {
        Self { hosts: HashMap::new(), depth: 0 }
    }
}

impl<T> StageTable<T> {
    /// Adds a stage at a domain (`""`: any) and base path (`""`: none); gives back what stood there before.
    pub fn insert(&mut self, host: &str, base_path: &str, stage: T) -> Option<T> {
        self.depth = self.depth.max(base_path.matches('/').count());
        self.hosts.entry(host.to_owned()).or_default().insert(base_path.to_owned(), stage)
    }

    /// The stages of a domain: its own when it is listed, else those of no domain.
    fn of_host(&self, host: &str) -> Option<&HashMap<String, T>> {
        self.hosts.get(strip_port(host).to_ascii_lowercase().as_str()).or_else(|| self.hosts.get(""))
    }

    /// Whether a domain is listed by name.
    pub fn lists(&self, host: &str) -> bool {
        self.hosts.contains_key(strip_port(host).to_ascii_lowercase().as_str())
    }

    /// Any stage of a domain, for who needs to know only whose domain it is.
    pub fn any_of(&self, host: &str) -> impl Iterator<Item = &T> {
        self.of_host(host).into_iter().flat_map(HashMap::values)
    }

    /// The stage with the longest base path.
    pub fn find(&self, host: &str, path: &str) -> Option<StageMatch<'_, T>> {
        let base_paths = self.of_host(host)?;
        // Where each of the first segments ends: the only places where a base path can.
        let ends = path.match_indices('/').map(|(end, _)| end).skip(1).chain([path.len()]);
        let ends: Vec<usize> = [0].into_iter().chain(ends.take(self.depth)).collect();
        ends.into_iter().rev().find_map(|end| {
            let (base, rest) = path.split_at_checked(end)?;
            let stage = base_paths.get(base)?;
            Some(StageMatch { stage, path: ["/", rest.trim_start_matches('/')].concat() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_its_own_stages_when_it_is_listed_and_else_those_of_no_domain() {
        let mut table = StageTable::default();
        for (host, base_path, stage) in [("api.test", "", 1), ("api.test", "/a", 2), ("", "/prod", 3)] {
            assert_eq!(table.insert(host, base_path, stage), None);
        }
        for (host, listed, stages) in [("API.test:443", true, &[1, 2][..]), ("api.test", true, &[1, 2]), ("other", false, &[3])] {
            let mut of = table.any_of(host).copied().collect::<Vec<_>>();
            of.sort_unstable();
            assert_eq!((table.lists(host), of.as_slice()), (listed, stages), "{host}");
        }
        assert_eq!(table.insert("", "/prod", 4), Some(3));
    }

    #[test]
    fn the_longest_base_path_of_whole_segments_wins() {
        let mut table = StageTable::default();
        for (host, base_path, stage) in [
            ("api.test", "", "root"),
            ("api.test", "/orders/v1", "v1"),
            ("api.test", "/orders/v1/items", "items"),
            ("", "/prod", "prod"),
            ("", "/dev", "dev"),
        ] {
            assert_eq!(table.insert(host, base_path, stage), None);
        }
        for (host, path, wanted) in [
            ("api.test", "/orders/v1/x", Some(("v1", "/x"))),
            ("API.test:8080", "/orders/v1/items", Some(("items", "/"))),
            ("api.test", "/orders/v1/itemsx", Some(("v1", "/itemsx"))),
            ("api.test", "/", Some(("root", "/"))),
            ("other", "/prod/prod", Some(("prod", "/prod"))),
            ("other", "/prod//x", Some(("prod", "/x"))),
            ("other", "/prod/", Some(("prod", "/"))),
            ("other", "/", None),
            ("other", "/production", None),
        ] {
            let found = table.find(host, path);
            assert_eq!(found.as_ref().map(|m| (*m.stage, m.path.as_str())), wanted, "{host} {path}");
        }
    }
}
