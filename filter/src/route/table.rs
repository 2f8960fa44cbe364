//! Route tables: one matchit table a method and one for ANY, so that a (resource, method) pair is what matches and a resource without
//! the verb never hides a less specific one that has it (recorded: `test_proxy_routing_with_hardcoded_resource_sibling`).
//!
//! REST: at each level static before `{param}` before `{proxy+}`, with backtracking: one table.
//! HTTP APIs: a full match before a greedy one, then `$default` (documented: "Routing API requests"): two tables, because `{id}`
//! may stand beside `{proxy+}` there.

use super::Pattern;
use crate::definition::Protocol;
use crate::http::METHODS;
use matchit::{InsertError, Router};
use std::sync::Arc;

/// A method that API Gateway knows; `ANY` stands for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// One method.
    Method(&'static str),
    /// Every method for which the same resource has none of its own.
    Any,
}

/// All routes of one stage.
#[derive(Debug)]
pub struct RouteTable<T> {
    protocol: Protocol,
    routes: Vec<(Arc<Pattern>, T)>,
    methods: [VerbTable; METHODS.len()],
    any: VerbTable,
    default: Option<T>,
}

#[derive(Debug, Default, Clone)]
struct VerbTable {
    /// REST: everything. HTTP: routes without a greedy parameter.
    full: Routers,
    /// HTTP: routes with one.
    greedy: Routers,
}

/// One router, and more where patterns stand side by side that one does not take: `/{proxy+}` and `/{tenant}/{proxy+}`. Their
/// number depends on the shapes of the patterns, not on how many there are.
#[derive(Debug, Default, Clone)]
struct Routers(Vec<Router<usize>>);

/// The very pattern is there already.
struct Taken;

/// A route that answers a request.
#[derive(Debug)]
pub struct RouteMatch<'a, T> {
    /// What was put in.
    pub route: &'a T,
    /// Names and values as sent, without the slash that a greedy parameter may end in.
    pub parameters: Vec<(String, String)>,
}

/// Two routes that would answer the same requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict;

// === impl RouteTable ===

impl<T> RouteTable<T> {
    /// Without routes.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, routes: Vec::new(), methods: Default::default(), any: VerbTable::default(), default: None }
    }

    /// Adds a route.
    pub fn insert(&mut self, pattern: impl Into<Arc<Pattern>>, verb: Verb, route: T) -> Result<(), Conflict> {
        let pattern = pattern.into();
        let table = match verb {
            Verb::Any => &mut self.any,
            Verb::Method(name) => {
                let mut tables = METHODS.iter().zip(&mut self.methods);
                tables.find(|(method, _)| **method == name).map(|(_, table)| table).ok_or(Conflict)?
            }
        };
        let greedy = self.protocol == Protocol::Http && pattern.is_greedy();
        let routers = if greedy { &mut table.greedy } else { &mut table.full };
        routers.insert(&pattern.to_matchit(), self.routes.len()).map_err(|Taken| Conflict)?;
        self.routes.push((pattern, route));
        Ok(())
    }

    /// The same table in no more memory than it takes: while it grows each list in it has room for more.
    pub fn settled(mut self) -> Self {
        for table in self.methods.iter_mut().chain([&mut self.any]) {
            *table = table.clone();
        }
        self.routes.shrink_to_fit();
        self
    }

    /// How many routes there are.
    pub fn len(&self) -> usize {
        self.routes.len() + usize::from(self.default.is_some())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets the `$default` route.
    pub fn set_default(&mut self, route: T) -> Result<(), Conflict> {
        if self.default.is_some() {
            return Err(Conflict);
        }
        self.default = Some(route);
        Ok(())
    }

    /// The route of a request. Trailing slashes do not count (recorded for one and REST; for more, and for HTTP APIs,
    /// assumed(http-trailing-slash), and the safe way: a guarded `/admin` also guards `/admin/`).
    pub fn find(&self, method: &str, path: &str) -> Option<RouteMatch<'_, T>> {
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        self.find_in_tables(method, path).or_else(|| {
            let known = METHODS.contains(&method);
            self.default.as_ref().filter(|_| known).map(|route| RouteMatch { route, parameters: Vec::new() })
        })
    }

    fn find_in_tables(&self, method: &str, path: &str) -> Option<RouteMatch<'_, T>> {
        let position = METHODS.iter().position(|known| *known == method)?;
        let table = self.methods.get(position)?;
        let full = || self.best([&table.full, &self.any.full], path);
        let (found, parameters) = full().or_else(|| self.best([&table.greedy, &self.any.greedy], path))?;
        let (pattern, route) = self.routes.get(found)?;
        Some(RouteMatch { route, parameters: pattern.parameters().into_iter().zip(parameters).collect() })
    }

    /// The most specific match, and of two that are alike the first: a method of its own beats ANY of the same resource.
    fn best(&self, routers: [&Routers; 2], path: &str) -> Option<(usize, Vec<String>)> {
        let mut found = routers.into_iter().flat_map(|routers| &routers.0).filter_map(|router| router.at(path).ok());
        let generality = |index: usize| self.routes.get(index).map(|(pattern, _)| pattern.generality());
        let first = found.next()?;
        let best = found.fold(first, |best, next| if generality(*next.value) < generality(*best.value) { next } else { best });
        Some((*best.value, best.params.iter().map(|(_, value)| value.to_owned()).collect()))
    }
}

// === impl Routers ===

impl Routers {
    fn insert(&mut self, route: &str, index: usize) -> Result<(), Taken> {
        for router in &mut self.0 {
            match router.insert(route, index) {
                Ok(()) => return Ok(()),
                Err(InsertError::Conflict { with }) if with == route => return Err(Taken),
                Err(_) => {}
            }
        }
        let mut router = Router::new();
        // A pattern that the empty router refuses is no pattern; `Pattern` makes none.
        router.insert(route, index).map_err(|_| Taken)?;
        self.0.push(router);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(protocol: Protocol, routes: &[(&'static str, &'static str)]) -> RouteTable<String> {
        let mut table = RouteTable::new(protocol);
        for (method, path) in routes {
            let verb = if *method == "ANY" { Verb::Any } else { Verb::Method(method) };
            table.insert(Pattern::parse(path).unwrap(), verb, format!("{method} {path}")).unwrap();
        }
        table
    }

    fn found(table: &RouteTable<String>, method: &str, path: &str) -> Option<String> {
        table.find(method, path).map(|m| {
            let parameters: Vec<_> = m.parameters.iter().map(|(n, v)| format!(" {n}={v}")).collect();
            m.route.clone() + &parameters.concat()
        })
    }

    fn check(table: &RouteTable<String>, rows: &[(&str, &str, Option<&str>)]) {
        for (method, path, wanted) in rows {
            assert_eq!(found(table, method, path).as_deref(), *wanted, "{method} {path}");
        }
    }

    #[test]
    fn a_resource_without_the_verb_does_not_hide_a_less_specific_one() {
        let table =
            table(Protocol::Rest, &[("POST", "/test"), ("OPTIONS", "/{proxy+}"), ("ANY", "/test/{x}"), ("GET", "/{proxy+}")]);
        check(
            &table,
            &[
                ("POST", "/test", Some("POST /test")),
                ("OPTIONS", "/test", Some("OPTIONS /{proxy+} proxy=test")),
                ("GET", "/test", Some("GET /{proxy+} proxy=test")),
                ("PUT", "/test", None),
                ("PUT", "/test/1", Some("ANY /test/{x} x=1")),
                ("TRACE", "/test/1", None),
                ("get", "/test", None),
            ],
        );
    }

    #[test]
    fn siblings_are_tried_in_order_of_precedence_with_backtracking() {
        let routes = [("GET", "/part1"), ("GET", "/part1/fixed"), ("GET", "/{p+}"), ("GET", "/a/{x}/b"), ("GET", "/a/c/d")];
        check(
            &table(Protocol::Rest, &routes),
            &[
                ("GET", "/part1", Some("GET /part1")),
                ("GET", "/part1/fixed", Some("GET /part1/fixed")),
                ("GET", "/part1/random", Some("GET /{p+} p=part1/random")),
                ("GET", "/a/c/b", Some("GET /a/{x}/b x=c")),
                ("GET", "/a/c/d", Some("GET /a/c/d")),
                ("GET", "/a/c/e", Some("GET /{p+} p=a/c/e")),
                ("GET", "/a", Some("GET /{p+} p=a")),
                ("GET", "/", None),
            ],
        );
    }

    #[test]
    fn a_method_of_its_own_beats_any() {
        let table = table(Protocol::Rest, &[("GET", "/a"), ("ANY", "/a")]);
        check(&table, &[("GET", "/a", Some("GET /a")), ("PUT", "/a", Some("ANY /a")), ("HEAD", "/a", Some("ANY /a"))]);
    }

    #[test]
    fn http_apis_prefer_a_full_match_then_greedy_then_default() {
        let routes = [
            ("GET", "/pets/dog/1"),
            ("GET", "/pets/dog/{id}"),
            ("GET", "/pets/{proxy+}"),
            ("ANY", "/{proxy+}"),
            ("GET", "/a/{proxy+}"),
            ("GET", "/{x}/b"),
            ("GET", "/{tenant}/{area}/{proxy+}"),
        ];
        let mut table = table(Protocol::Http, &routes);
        table.set_default("$default".to_owned()).unwrap();
        check(
            &table,
            &[
                ("GET", "/pets/dog/1", Some("GET /pets/dog/1")),
                ("GET", "/pets/dog/2", Some("GET /pets/dog/{id} id=2")),
                ("GET", "/pets/cat/1", Some("GET /pets/{proxy+} proxy=cat/1")),
                ("POST", "/pets/dog/1", Some("ANY /{proxy+} proxy=pets/dog/1")),
                ("GET", "/a/b", Some("GET /{x}/b x=a")),
                ("GET", "/a/c/d", Some("GET /a/{proxy+} proxy=c/d")),
                ("GET", "/t/c/d", Some("GET /{tenant}/{area}/{proxy+} tenant=t area=c proxy=d")),
                ("POST", "/t/c/d", Some("ANY /{proxy+} proxy=t/c/d")),
                ("GET", "/", Some("$default")),
                ("BREW", "/", None),
            ],
        );
    }

    #[test]
    fn slashes_and_encodings_stay_in_the_values() {
        let table = table(Protocol::Rest, &[("GET", "/one/{p}"), ("GET", "/all/{proxy+}")]);
        check(
            &table,
            &[
                ("GET", "/one/foo%2Fbar", Some("GET /one/{p} p=foo%2Fbar")),
                ("GET", "/one/x/", Some("GET /one/{p} p=x")),
                ("GET", "/one/", None),
                ("GET", "/one//", None),
                ("GET", "/all/a//b/", Some("GET /all/{proxy+} proxy=a//b")),
                ("GET", "/one/x//", Some("GET /one/{p} p=x")),
                ("GET", "/ONE/x", None),
                ("GET", "/one/{p}", Some("GET /one/{p} p={p}")),
            ],
        );
    }

    #[test]
    fn two_routes_for_the_same_requests_conflict() {
        for (first, second) in [(("GET", "/a/{x}"), ("GET", "/a/{y}")), (("ANY", "/a"), ("ANY", "/a/"))] {
            let mut table = table(Protocol::Http, &[first]);
            let verb = if second.0 == "ANY" { Verb::Any } else { Verb::Method(second.0) };
            assert_eq!(table.insert(Pattern::parse(second.1).unwrap(), verb, String::new()), Err(Conflict), "{second:?}");
        }
    }

    #[test]
    fn a_resource_with_every_method_takes_an_any_and_no_method_twice() {
        let all = |path| METHODS.iter().map(move |method| (*method, path)).collect::<Vec<_>>();
        let mut full = table(Protocol::Rest, &all("/a"));
        let a = || Pattern::parse("/a").unwrap();
        assert_eq!(full.insert(a(), Verb::Method("GET"), String::new()), Err(Conflict));
        assert_eq!(full.insert(a(), Verb::Any, String::new()), Ok(()));
        // What another resource has does not count.
        let mut other = table(Protocol::Rest, &[all("/b"), vec![("ANY", "/a")]].concat());
        assert_eq!(other.insert(a(), Verb::Any, String::new()), Err(Conflict));
        let mut default = RouteTable::new(Protocol::Http);
        assert_eq!([default.set_default(1), default.set_default(2)], [Ok(()), Err(Conflict)]);
    }

    /// What the rules say of one path, read without a table: all that match, and the most specific of them.
    fn by_the_rules<'a>(protocol: Protocol, routes: &'a [(Verb, String)], method: &str, path: &str) -> Option<&'a (Verb, String)> {
        let takes = |written: &str| {
            let (wanted, there): (Vec<&str>, Vec<&str>) = (written.split('/').collect(), path.split('/').collect());
            let lengths_fit = if written.ends_with("+}") { there.len() >= wanted.len() } else { there.len() == wanted.len() };
            lengths_fit && wanted.iter().zip(&there).all(|(wanted, there)| wanted.starts_with('{') || wanted == there)
        };
        let is_asked = |verb: Verb| verb == Verb::Any || verb == Verb::Method("GET") && method == "GET";
        let generality = |segment: &str| u8::from(segment.starts_with('{')) + u8::from(segment.ends_with("+}"));
        let rank = |(verb, written): &&(Verb, String)| {
            let generality: Vec<u8> = written.split('/').map(generality).collect();
            (protocol == Protocol::Http && written.ends_with("+}"), generality, *verb == Verb::Any)
        };
        routes.iter().filter(|(verb, written)| is_asked(*verb) && takes(written)).min_by_key(rank)
    }

    proptest::proptest! {
        #[test]
        fn tables_find_what_the_rules_say(
            is_http: bool,
            written in proptest::collection::vec(("(/[ab]|/\\{x\\}){0,2}(/[ab]|/\\{y\\}|/\\{proxy\\+\\})", proptest::bool::ANY), 1..8),
            path in "(/[abc]){1,4}",
            method in "GET|PUT",
        ) {
            let protocol = if is_http { Protocol::Http } else { Protocol::Rest };
            let mut table = RouteTable::new(protocol);
            let mut routes = Vec::new();
            for (path, any) in written {
                let verb = if any { Verb::Any } else { Verb::Method("GET") };
                // Neither a name twice nor a route twice.
                let Ok(pattern) = Pattern::parse(&path) else { continue };
                if table.insert(pattern, verb, routes.len()).is_ok() {
                    routes.push((verb, path));
                }
            }
            let table = table.settled();
            let found = table.find(&method, &path).and_then(|found| routes.get(*found.route));
            proptest::prop_assert_eq!(found, by_the_rules(protocol, &routes, &method, &path));
        }
    }
}
