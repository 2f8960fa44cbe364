//! What plans and stages call the methods of an API: the resource path, a slash and the method, as `ApiStage.throttle` of the API
//! Gateway reference has it. `/pets/{petId}/GET`; the root's is `//GET`.

use crate::definition::{OperationKey, PathItem};
use crate::problem::quoted;

/// The methods of an API, to see whether a name is one of them. Sorted.
#[derive(Debug, Default)]
pub struct Methods(Vec<String>);

/// How many names a help shows.
const SHOWN: usize = 3;

/// The one name of a method, however its path ends.
pub fn method_name(path: &str, method: &str) -> String {
    match path.trim_end_matches('/') {
        // The one route of an API that no path belongs to.
        _ if method == OperationKey::Default.as_str() => method.to_owned(),
        "" => format!("//{method}"),
        path => format!("{path}/{method}"),
    }
}

/// The name that a text means: `/pets/GET`, and for the root `//GET` or `/GET`. A name is not always that of a method.
pub fn name_in_plan(text: &str) -> String {
    match text.rsplit_once('/') {
        Some((path, method)) => method_name(path, &method.to_ascii_uppercase()),
        None => text.to_owned(),
    }
}

/// The name that a route key means: `GET /pets`, `$default`.
pub fn name_of_route(key: &str) -> String {
    match key.split_once(' ') {
        Some((method, path)) => method_name(path.trim(), &method.to_ascii_uppercase()),
        None => key.to_owned(),
    }
}

/// `GET /pets`
pub fn route_of_name(name: &str) -> String {
    match name.rsplit_once('/') {
        Some((path, method)) => format!("{method} {path}"),
        None => name.to_owned(),
    }
}

// === impl Methods ===

impl Methods {
    /// The methods of a definition.
    pub fn of(items: &[PathItem<'_>]) -> Self {
        let names = |item: &PathItem<'_>| item.methods.iter().map(|key| method_name(&item.path, key.as_str())).collect::<Vec<_>>();
        let mut names: Vec<String> = items.iter().flat_map(names).collect();
        names.sort();
        names.dedup();
        Self(names)
    }

    /// Whether there is none, which is a mistake of the definition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one of them.
    pub fn contains(&self, name: &str) -> bool {
        self.0.binary_search_by(|other| other.as_str().cmp(name)).is_ok()
    }

    /// A help that shows which stand beside a name that is none of them.
    pub fn near(&self, name: &str, show: fn(&str) -> String) -> String {
        let near: Vec<String> = self.nearest(name).into_iter().map(show).collect();
        let near: Vec<&str> = near.iter().map(String::as_str).collect();
        format!("near it there is {}", quoted(&near))
    }

    /// Those with the most in common come first. What it costs hardly grows with their number.
    fn nearest(&self, name: &str) -> Vec<&str> {
        let place = self.0.binary_search_by(|other| other.as_str().cmp(name)).unwrap_or_else(|place| place);
        let (before, after) = self.0.split_at(place);
        let in_common = |other: &str| name.bytes().zip(other.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        let mut near: Vec<&str> = Vec::new();
        for other in before.iter().rev().take(SHOWN).chain(after.iter().take(SHOWN)) {
            let place = near.iter().position(|near| in_common(near) < in_common(other)).unwrap_or(near.len());
            near.insert(place, other);
        }
        near.truncate(SHOWN);
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_method_is_one_name() {
        assert_eq!(method_name("/pets/{petId}", "GET"), "/pets/{petId}/GET");
        assert_eq!(name_in_plan("/pets/{petId}/GET"), "/pets/{petId}/GET");
        assert_eq!(name_in_plan("/pets//get"), method_name("/pets/", "GET"));
        for root in ["/GET", "//GET", "//get"] {
            assert_eq!(name_in_plan(root), method_name("/", "GET"));
        }
        assert_eq!(name_of_route("get /pets"), method_name("/pets", "GET"));
        assert_eq!(name_of_route("GET /"), method_name("/", "GET"));
        assert_eq!(name_of_route("$default"), method_name("/$default", "$default"));
        assert_eq!(route_of_name("//GET"), "GET /");
        assert_eq!(route_of_name("/pets/ANY"), "ANY /pets");
    }

    #[test]
    fn the_nearest_names_have_the_most_in_common() {
        let names = ["/a/GET", "/pets/GET", "/pets/POST", "/pets/{petId}/GET", "/z/GET"];
        let methods = Methods(names.map(str::to_owned).into());
        assert!(methods.contains("/pets/POST") && !methods.contains("/pets/PUT"));
        assert_eq!(methods.nearest("/pets/{petid}/GET"), ["/pets/{petId}/GET", "/pets/POST", "/pets/GET"]);
        assert_eq!(methods.nearest("/pets/DELETE"), ["/pets/GET", "/pets/POST", "/pets/{petId}/GET"]);
        assert!(Methods::default().nearest("/a/GET").is_empty());
    }
}
