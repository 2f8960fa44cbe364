//! The plans. A backend is written as in a case file; none is one that says hello.

pub(super) struct Plan {
    pub text: &'static str,
    pub listener: &'static str,
    pub method: &'static str,
    pub headers: &'static [(&'static str, &'static str)],
    pub body: &'static str,
    /// With trailers the body is sent chunked.
    pub trailers: &'static [(&'static str, &'static str)],
    pub backend: &'static str,
}

/// A GET without anything.
const GET: Plan = Plan { text: "", listener: "open", method: "GET", headers: &[], body: "", trailers: &[], backend: "" };

/// A POST of three bytes.
const POST: Plan = Plan { method: "POST", body: "abc", ..GET };

/// More than the narrow listener buffers.
const LARGE: &str = match std::str::from_utf8(&[b'x'; 2000]) {
    Ok(text) => text,
    Err(_) => "",
};

pub(super) const PLANS: &[Plan] = &[
    Plan { text: "request:all; request-body:show; request-trailers:trailers", trailers: &[("x-t", "v")], ..POST },
    Plan { text: "response:all; response-body:show", backend: r#"{"chunks": ["abc"]}"#, ..GET },
    Plan { text: "request:all", headers: &[("connection", "x-mine"), ("x-mine", "1"), ("keep-alive", "1")], ..GET },
    Plan { text: "request:all", headers: &[("expect", "100-continue")], ..POST },
    Plan { text: "request:all; response:all", ..GET },
    Plan {
        text: "request:set :path /b; request:set :method PUT; request:set :authority other; request:add x-a 1; request:add x-a 2; request:all",
        ..GET
    },
    Plan {
        text: "request:get x-rep; request:set x-rep new; request:get accept; request:add accept c; request:all",
        headers: &[("x-rep", "1"), ("x-rep", "2"), ("accept", "a"), ("accept", "b")],
        ..GET
    },
    Plan {
        text: "request:all",
        headers: &[
            ("accept-encoding", "1"),
            ("accept-encoding", "2"),
            ("access-control-request-headers", "1"),
            ("access-control-request-headers", "2"),
            ("access-control-request-method", "1"),
            ("access-control-request-method", "2"),
            ("access-control-request-private-network", "1"),
            ("access-control-request-private-network", "2"),
            ("authorization", "1"),
            ("authorization", "2"),
            ("cache-control", "1"),
            ("cache-control", "2"),
            ("cdn-loop", "1"),
            ("cdn-loop", "2"),
            ("content-encoding", "1"),
            ("content-encoding", "2"),
            ("content-type", "1"),
            ("content-type", "2"),
            ("grpc-accept-encoding", "1"),
            ("grpc-accept-encoding", "2"),
            ("grpc-timeout", "1"),
            ("grpc-timeout", "2"),
            ("if-match", "1"),
            ("if-match", "2"),
            ("if-modified-since", "1"),
            ("if-modified-since", "2"),
            ("if-none-match", "1"),
            ("if-none-match", "2"),
            ("if-range", "1"),
            ("if-range", "2"),
            ("if-unmodified-since", "1"),
            ("if-unmodified-since", "2"),
            ("origin", "1"),
            ("origin", "2"),
            ("pragma", "1"),
            ("pragma", "2"),
            ("referer", "1"),
            ("referer", "2"),
            ("user-agent", "1"),
            ("user-agent", "2"),
            ("via", "1"),
            ("via", "2"),
            ("x-client-trace-id", "1"),
            ("x-client-trace-id", "2"),
            ("x-envoy-attempt-count", "1"),
            ("x-envoy-attempt-count", "2"),
            ("x-forwarded-host", "1"),
            ("x-forwarded-host", "2"),
            ("x-forwarded-port", "1"),
            ("x-forwarded-port", "2"),
            ("cookie", "1"),
            ("cookie", "2"),
            ("x-api-key", "1"),
            ("x-api-key", "2"),
            ("x-amz-date", "1"),
            ("x-amz-date", "2"),
            ("accept-language", "1"),
            ("accept-language", "2"),
            ("range", "1"),
            ("range", "2"),
            ("vary", "1"),
            ("vary", "2"),
        ],
        ..GET
    },
    Plan {
        text: "response:all",
        backend: r#"{"headers": [["access-control-allow-credentials", "1"], ["access-control-allow-credentials", "2"], ["access-control-allow-headers", "1"], ["access-control-allow-headers", "2"], ["access-control-allow-methods", "1"], ["access-control-allow-methods", "2"], ["access-control-allow-origin", "1"], ["access-control-allow-origin", "2"], ["access-control-allow-private-network", "1"], ["access-control-allow-private-network", "2"], ["access-control-expose-headers", "1"], ["access-control-expose-headers", "2"], ["access-control-max-age", "1"], ["access-control-max-age", "2"], ["age", "1"], ["age", "2"], ["cache-control", "1"], ["cache-control", "2"], ["content-encoding", "1"], ["content-encoding", "2"], ["content-type", "1"], ["content-type", "2"], ["date", "1"], ["date", "2"], ["etag", "1"], ["etag", "2"], ["expires", "1"], ["expires", "2"], ["last-modified", "1"], ["last-modified", "2"], ["location", "1"], ["location", "2"], ["server", "1"], ["server", "2"], ["vary", "1"], ["vary", "2"], ["via", "1"], ["via", "2"], ["x-request-id", "1"], ["x-request-id", "2"], ["set-cookie", "1"], ["set-cookie", "2"], ["link", "1"], ["link", "2"], ["www-authenticate", "1"], ["www-authenticate", "2"], ["retry-after", "1"], ["retry-after", "2"], ["x-cache", "1"], ["x-cache", "2"], ["pragma", "1"], ["pragma", "2"]], "body": "x"}"#,
        ..GET
    },
    Plan {
        text: "response:add cache-control x; response:add content-type y; response:add set-cookie z; response:set server mine; response:all",
        ..GET
    },
    Plan {
        text: "request:all",
        headers: &[
            ("connection", "x-mine"),
            ("x-mine", "1"),
            ("te", "gzip"),
            ("proxy-connection", "keep-alive"),
            ("x-envoy-max-retries", "9"),
            ("x-envoy-other", "1"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "mine"),
        ],
        ..GET
    },
    Plan { text: "response:set :status 201; response:remove content-type; response:add x-a 1", ..GET },
    Plan { text: "response:remove :status; log:property response/code_details; log:property response/code", ..GET },
    Plan { text: "response:set :status abc", ..GET },
    Plan { text: "request:remove :path; response:all; log:property response/code_details; log:property response/flags", ..GET },
    Plan {
        text: "request:remove :authority; response:all; log:property response/code_details; log:property response/flags",
        ..GET
    },
    Plan { text: "request:remove :method; response:all; log:property response/code_details; log:property response/flags", ..GET },
    Plan { text: "log:request-header :path; log:get :status; log:property request/path; done:property request/path", ..GET },
    Plan {
        text: "request:property request/path; request:property request/url_path; request:property request/query; request:property request/host; request:property request/method; request:property request/scheme; request:property request/protocol; request:property request/size; request:property request/duration; request:property request/headers/x-a; request:property connection/mtls; request:property plugin_name; request:property xds/cluster_name; request:property cluster_name; request:property route_name; request:property nothing; request:property response/code; request:property response/flags",
        headers: &[("x-a", "1"), ("x-a", "2")],
        ..GET
    },
    Plan {
        text: "response:property response/code; response:property response/code_details; response:property request/path; response:property response/headers/content-type; response:property xds/cluster_name; response:property cluster_name; log:property response/size",
        ..GET
    },
    Plan {
        text: "request:set-property me you; request:property me; request:property filter_state/wasm.me; request:property wasm.me; response:property me",
        ..GET
    },
    Plan { text: "request:log x", method: "HEAD", ..GET },
    Plan { text: "response:all", backend: r#"{"status": 204}"#, ..GET },
    Plan { text: "response:all", backend: r#"{"status": 304, "headers": [["etag", "x"]]}"#, ..GET },
    Plan { text: "request-body:show; request-body:upper", ..POST },
    Plan { text: "request-body:show; request-body:upper", listener: "strict", ..POST },
    Plan {
        text: "request:call be 500 /c; request:pause; call:continue; request-body:collect; request-body:show",
        listener: "strict",
        ..POST
    },
    Plan {
        text: "response:call be 500 /c; response:pause; call:continue-response; response-body:collect; response-body:show",
        listener: "strict",
        ..GET
    },
    Plan {
        text: "request:pause; request-body:collect; request-body:show; request-body:body longer; request-body:set content-length 6; request-body:set :path /new; request-body:set x-late 1",
        ..POST
    },
    Plan {
        text: "request:pause; request-body:pause; request-trailers:trailers; request-trailers:show; request-trailers:append zzz; request-trailers:add x-new 1",
        trailers: &[("x-t", "v")],
        ..POST
    },
    Plan {
        text: "request-body:append X; request-body:prepend Y",
        headers: &[("x-note", "chunked")],
        trailers: &[("x-t", "v")],
        ..POST
    },
    Plan {
        text: "request-body:collect; response:property response/code_details; response:all; response-body:show",
        listener: "narrow",
        body: LARGE,
        ..POST
    },
    Plan {
        text: "request:pause; request-body:collect; response:property response/code_details; response:set x-seen 1",
        listener: "narrow",
        body: LARGE,
        ..POST
    },
    Plan {
        text: "response:pause; response-body:collect; response:log head; log:property response/code_details",
        listener: "narrow",
        backend: r#"{"bodySize": 100000}"#,
        ..GET
    },
    Plan {
        text: "response-body:collect; log:property response/code_details",
        listener: "narrow",
        backend: r#"{"bodySize": 100000}"#,
        ..GET
    },
    Plan {
        text: "response:pause; response-body:collect; response-body:show; response-body:body other length; response:remove content-length",
        ..GET
    },
    Plan {
        text: "response:pause; response-body:collect; response-body:body other length; response-body:set content-length 12; response-body:set :status 418",
        ..GET
    },
    Plan {
        text: "response:pause; response-body:pause; response-trailers:trailers; response-trailers:show; response-trailers:upper; response-trailers:add x-new 1",
        headers: &[("te", "trailers")],
        backend: r#"{"chunks": ["abc"], "trailers": [["x-t", "v"]]}"#,
        ..GET
    },
    Plan { text: "request:continue; request:pause; request-body:show", ..POST },
    Plan {
        text: "request:reply 200 hi; request:pause; response:all; response-body:show; response:property response/code; response:property response/code_details",
        ..GET
    },
    Plan { text: "request:reply 403; response:all", ..GET },
    Plan { text: "request:reply 201 hi; request:reply-again; response:all", ..GET },
    Plan { text: "request:reply 200 hi", method: "HEAD", ..GET },
    Plan { text: "request:reply 403 no; response:all", headers: &[("content-type", "application/grpc")], ..GET },
    Plan { text: "response:reply 201 new; response:log head; response-body:show", ..GET },
    Plan { text: "response:pause; response-body:reply 201 new; response-body:log seen", ..GET },
    Plan { text: "response-body:reply 201 new; response-body:log seen", ..GET },
    Plan { text: "request:reply 200 early; request-body:log body", ..POST },
    Plan { text: "request:call be 500 /c; request:pause; call:reply 202 fromcall; response:all", ..GET },
    Plan {
        text: "request:set x-tollgate-cluster nope; response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        ..GET
    },
    Plan {
        text: "request:remove x-tollgate-cluster; response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        ..GET
    },
    Plan {
        text: "request:set x-tollgate-cluster dead; response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        ..GET
    },
    Plan {
        text: "response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        backend: r#"{"fault": "reset"}"#,
        ..GET
    },
    Plan {
        text: "response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        backend: r#"{"fault": "hang"}"#,
        ..GET
    },
    Plan {
        text: "request:set x-envoy-upstream-rq-timeout-ms 100; response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        backend: r#"{"fault": "hang"}"#,
        ..GET
    },
    Plan {
        text: "request:set x-envoy-upstream-rq-timeout-ms 2000; response:all; response-body:show; response:property response/code_details; response:property response/flags; response:property response/code",
        backend: r#"{"delayMillis": 700, "body": "late"}"#,
        ..GET
    },
    Plan { text: "request:call dead 500 /; request:pause; call:reply 200 ok", ..GET },
    Plan { text: "request:call be 100 /hang; request:pause; call:reply 200 ok", backend: r#"{"fault": "hang"}"#, ..GET },
    Plan { text: "request:call be 500 /x; request:pause; call:reply 200 ok", backend: r#"{"fault": "reset"}"#, ..GET },
    Plan {
        text: "request:call be 500 /x; request:pause; call:reply 200 ok",
        backend: r#"{"status": 404, "headers": [["vary", "a"], ["vary", "b"]], "chunks": ["no"], "trailers": [["x-t", "v"]]}"#,
        ..GET
    },
    Plan { text: "request:call nope 500 /; request:bare-call be; request:grpc nope 500 m", ..GET },
    Plan { text: "request:grpc dead 500 m; request:pause; grpc:reply 200 ok", ..GET },
    Plan { text: "request:call be 500 /c; request:pause; call:set x-late 1; call:continue", ..GET },
    Plan {
        text: "request:foreign nope; request:foreign clear_route_cache; request:foreign verify_signature; request:foreign set_envoy_filter_state",
        ..GET
    },
    Plan {
        text: "request:share k 7 v; request:shared k; request:share k 99 w; request:shared k; request:share k 1 z; request:shared k; request:share k 0 y; request:shared k; request:shared other",
        ..GET
    },
    Plan { text: "request:print printed; request:close; log:property response/code_details", ..GET },
];
