//! What is attacked: APIs, their stages, routes and guards, as one table. [`super::documents`] makes gateway documents of it,
//! [`super::reference`] reads it with AWS's rules in hand; neither knows the other.

use self::Guard::{AnyToken, Iam, Jwt, JwtInQuery, Open, Pool, Request, Sealed, Simple, Token};
use self::Protocol::{Http, Rest};

/// REST or HTTP; each has its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The document `rest`.
    Rest,
    /// The document `http`.
    Http,
}

/// One API.
#[derive(Debug)]
pub struct Api {
    /// Its id, part of ARNs and of upstream paths.
    pub id: &'static str,
    /// Its document.
    pub protocol: Protocol,
    /// Where it is served.
    pub stages: &'static [Stage],
    /// `x-amazon-apigateway-policy`
    pub policy: Option<Rules>,
    /// `x-amazon-apigateway-cors`
    pub cors: bool,
    /// Its methods.
    pub routes: &'static [Route],
    /// Paths below a stage, which requests aim at.
    pub targets: &'static [&'static str],
}

/// One stage.
#[derive(Debug)]
pub struct Stage {
    /// Its name, part of ARNs.
    pub name: &'static str,
    /// What stands in front of paths; empty: nothing.
    pub base: &'static str,
    /// Its domain.
    pub host: &'static str,
    /// Whether it is served at that domain alone.
    pub is_listed: bool,
}

/// One method of a resource; `$default` is a pattern of its own.
#[derive(Debug)]
pub struct Route {
    /// A method, or ANY.
    pub method: &'static str,
    /// The path of the definition.
    pub pattern: &'static str,
    /// What stands before it.
    pub guard: Guard,
}

/// What a route demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Nothing, but a resource policy counts.
    Open,
    /// AWS_IAM
    Iam,
    /// A TOKEN authorizer with a validation expression, on Authorization.
    Token,
    /// A TOKEN authorizer without one, on X-Token.
    AnyToken,
    /// A TOKEN authorizer whose function denies everything.
    Sealed,
    /// A REQUEST authorizer that answers with a policy; X-User and `tenant`.
    Request,
    /// A REQUEST authorizer that answers yes or no; X-User.
    Simple,
    /// A JWT authorizer on Authorization, and the scopes of which one is needed.
    Jwt(&'static [&'static str]),
    /// A JWT authorizer on the query parameter `token`.
    JwtInQuery,
    /// A Cognito user pool on Authorization, and the scopes.
    Pool(&'static [&'static str]),
}

/// A policy: resource patterns, without `arn:aws:execute-api:us-east-1:000000000000:`.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Of statements that allow.
    pub allow: &'static [&'static str],
    /// Of statements that deny.
    pub deny: &'static [&'static str],
}

/// Who signs.
#[derive(Debug)]
pub struct User {
    /// The access key id, and the secret is made of it.
    pub key: &'static str,
    /// Another account than that of the APIs.
    pub is_foreign: bool,
    /// What the user's own policy says.
    pub rules: Option<Rules>,
}

/// The account of the APIs.
pub const ACCOUNT: &str = "000000000000";

/// All users.
pub const USERS: [User; 4] = [
    User { key: "AKIDALL", is_foreign: false, rules: Some(Rules { allow: &["*"], deny: &[] }) },
    User {
        key: "AKIDSOME",
        is_foreign: false,
        rules: Some(Rules { allow: &["*/GET/*", "*/POST/nested/*"], deny: &["*/GET/admin*", "web/*/GET/two"] }),
    },
    User { key: "AKIDNONE", is_foreign: false, rules: None },
    User { key: "AKIDFAR", is_foreign: true, rules: Some(Rules { allow: &["*"], deny: &[] }) },
];

/// What the functions of TOKEN authorizers say of whom they know.
pub const TOKEN_RULES: Rules = Rules {
    allow: &["*/GET/admin/*", "*/GET/one/*", "*/POST/nested*", "*/GET/tok", "*/POST/report/*"],
    deny: &["*/GET/admin/secret*"],
};

/// What those of REQUEST authorizers say.
pub const REQUEST_RULES: Rules =
    Rules { allow: &["*/POST/*", "*/PUT/*", "*/GET/admin/*"], deny: &["*/files/private*", "*/POST/*/x/no"] };

const fn route(method: &'static str, pattern: &'static str, guard: Guard) -> Route {
    Route { method, pattern, guard }
}

const fn stage(name: &'static str, base: &'static str, host: &'static str, is_listed: bool) -> Stage {
    Stage { name, base, host, is_listed }
}

/// All APIs.
pub const APIS: [Api; 7] = [
    Api {
        id: "main",
        protocol: Rest,
        stages: &[stage("prod", "/prod", "gateway.test", false), stage("live", "", "live.test", true)],
        policy: None,
        cors: false,
        routes: &[
            route("GET", "/", Iam),
            route("GET", "/admin", Iam),
            route("GET", "/admin/{id}", Token),
            route("GET", "/admin/public", Open),
            route("GET", "/admin/{id}/x", Jwt(&[])),
            route("POST", "/admin/{id}/x", Jwt(&["write", "admin"])),
            route("GET", "/same", Jwt(&[])),
            route("ANY", "/same", Open),
            route("ANY", "/files/{proxy+}", Request),
            route("GET", "/files/{proxy+}", Pool(&[])),
            route("GET", "/pool", Pool(&[])),
            route("POST", "/pool", Pool(&["api/write"])),
            route("POST", "/nested", AnyToken),
            route("ANY", "/nested/deep/er", Iam),
            route("GET", "/one/{any}", AnyToken),
            route("ANY", "/sealed", Sealed),
            route("HEAD", "/head", Jwt(&[])),
            // The dangerous fallback: whatever leads around a route above ends here, in the open.
            route("ANY", "/{proxy+}", Open),
        ],
        targets: &[
            "/",
            "/admin",
            "/admin/7",
            "/admin/secret",
            "/admin/public",
            "/admin/7/x",
            "/same",
            "/files/a",
            "/files/a/b",
            "/files/private/c",
            "/pool",
            "/nested",
            "/nested/deep/er",
            "/one/two",
            "/sealed",
            "/head",
            "/other/place",
        ],
    },
    Api {
        id: "single",
        protocol: Rest,
        stages: &[stage("single", "/single", "gateway.test", false)],
        policy: None,
        cors: false,
        routes: &[
            route("GET", "/{any}", Jwt(&[])),
            route("ANY", "/{any}", Open),
            route("POST", "/{any}/x", Request),
            route("ANY", "/{any}/x/{tail+}", Iam),
        ],
        targets: &["/admin", "/7/x", "/7/x/no", "/7/x/y/z"],
    },
    Api {
        id: "policed",
        protocol: Rest,
        stages: &[stage("p", "/policed", "gateway.test", false)],
        policy: Some(Rules {
            allow: &["policed/*"],
            deny: &["policed/*/DELETE/*", "policed/*/*/internal", "policed/*/*/internal/*", "policed/p/GET/report*"],
        }),
        cors: false,
        routes: &[
            route("GET", "/internal", Open),
            route("GET", "/internal/{id}", Iam),
            route("GET", "/admin", Iam),
            route("GET", "/tok", Token),
            route("GET", "/jwt", Jwt(&[])),
            route("GET", "/pool", Pool(&[])),
            route("GET", "/report/{id}", Open),
            route("POST", "/report/{id}", AnyToken),
            route("ANY", "/{proxy+}", Open),
        ],
        targets: &["/internal", "/internal/7", "/admin", "/tok", "/jwt", "/pool", "/report/7", "/other/place"],
    },
    Api {
        id: "needy",
        protocol: Rest,
        stages: &[stage("v", "/needy/v1", "gateway.test", false)],
        policy: Some(Rules { allow: &["needy/*/GET/public/*", "needy/v/GET/iam/*"], deny: &["needy/*/GET/iam/denied"] }),
        cors: false,
        routes: &[
            route("GET", "/public/{id}", Open),
            route("POST", "/public/{id}", Iam),
            route("GET", "/public/{id}/jwt", Jwt(&[])),
            route("GET", "/public/{id}/pool", Pool(&[])),
            route("GET", "/iam/{id}", Iam),
            route("GET", "/jwt", Jwt(&[])),
            route("GET", "/pool", Pool(&[])),
            route("GET", "/tok", Token),
            route("ANY", "/{proxy+}", Open),
        ],
        targets: &[
            "/public/7",
            "/public/7/jwt",
            "/public/7/pool",
            "/iam/7",
            "/iam/denied",
            "/jwt",
            "/pool",
            "/tok",
            "/other/place",
        ],
    },
    Api {
        id: "web",
        protocol: Http,
        stages: &[stage("$default", "", "gateway.test", false), stage("dev", "/dev", "gateway.test", false)],
        policy: None,
        cors: false,
        routes: &[
            route("GET", "/admin", Jwt(&[])),
            route("GET", "/admin/{id}", Simple),
            route("ANY", "/admin/{id}/x", Iam),
            route("POST", "/admin/{id}/x", Jwt(&["write", "admin"])),
            route("GET", "/same", Jwt(&[])),
            route("ANY", "/same", Open),
            route("ANY", "/files/{proxy+}", Request),
            route("GET", "/files/{proxy+}", JwtInQuery),
            route("GET", "/{any}", Iam),
            route("POST", "/{any}/deep", Jwt(&["write"])),
            route("GET", "/slash/", Jwt(&[])),
            route("ANY", "/{proxy+}", Open),
            route("ANY", "$default", Jwt(&[])),
        ],
        targets: &[
            "/",
            "/admin",
            "/admin/7",
            "/admin/7/x",
            "/same",
            "/files/a",
            "/files/private/c",
            "/two",
            "/two/deep",
            "/slash",
            "/slash/",
            "/other/place",
        ],
    },
    Api {
        id: "fall",
        protocol: Http,
        stages: &[stage("$default", "", "fall.test", true)],
        policy: None,
        cors: false,
        routes: &[
            route("GET", "/admin", Jwt(&[])),
            route("POST", "/admin", Iam),
            route("PUT", "/admin/{id}", Request),
            route("GET", "/admin/{id}/x", JwtInQuery),
            route("ANY", "$default", Open),
        ],
        targets: &["/", "/admin", "/admin/7", "/admin/7/x", "/other/place"],
    },
    Api {
        id: "cors",
        protocol: Http,
        stages: &[stage("$default", "", "cors.test", true)],
        policy: None,
        cors: true,
        routes: &[
            route("GET", "/admin", Jwt(&[])),
            route("ANY", "/same", Simple),
            route("OPTIONS", "/own", Jwt(&[])),
            route("ANY", "/{proxy+}", Open),
        ],
        targets: &["/admin", "/same", "/own", "/other/place"],
    },
];

// === impl Api ===

impl Api {
    /// What the upstream path of a route begins with: it tells which route a request came through.
    pub fn marker(&self, route: &Route) -> String {
        let place = self.routes.iter().position(|other| std::ptr::eq(other, route)).expect("a route of this API");
        format!("/{}{place}", self.id)
    }
}

// === impl Route ===

impl Route {
    /// The names of the pattern's variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.pattern.split('/').filter_map(|part| Some(part.strip_prefix('{')?.trim_end_matches(['}', '+'])))
    }
}

// === impl Guard ===

impl Guard {
    /// For counting.
    pub fn kind(self) -> &'static str {
        match self {
            Open => "open",
            Iam => "IAM",
            Token => "TOKEN",
            AnyToken => "TOKEN without expression",
            Sealed => "TOKEN that denies",
            Request => "REQUEST",
            Simple => "REQUEST, yes or no",
            Jwt([]) => "JWT",
            Jwt(_) => "JWT with scopes",
            JwtInQuery => "JWT in the query",
            Pool([]) => "Cognito",
            Pool(_) => "Cognito with scopes",
        }
    }
}

// === impl Protocol ===

impl Protocol {
    /// The name of its document.
    pub fn document(self) -> &'static str {
        match self {
            Rest => "rest",
            Http => "http",
        }
    }
}
