//! Access logs: the line that a stage's `accessLogSettings` describe where there is one, the proxy's own words otherwise.

use std::path::Path;

use serde_json::{Value, json};

/// The filter renders the line of a stage and leaves it with the request.
pub const LINE: &str = "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%";

/// Whether it did: a CEL expression.
const HAS_LINE: &str = "'wasm.tollgate_access_log' in filter_state";

/// The loggers in the place of the template's only one. Where a stage describes its line, a request has either that or the
/// template's own: what reached no such stage is seen, too.
pub fn loggers(own: &Value, has_line: bool, file: Option<&Path>) -> Value {
    if !has_line {
        return json!([to(own.clone(), file)]);
    }
    let mut without = to(own.clone(), file);
    without["filter"] = when(&format!("!({HAS_LINE})"));
    json!([stage(file), without])
}

/// The logger of stages that describe their line.
pub fn stage(file: Option<&Path>) -> Value {
    let logger = json!({
        "name": "envoy.access_loggers.stdout",
        "filter": when(HAS_LINE),
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            "log_format": { "text_format_source": { "inline_string": format!("{LINE}\n") } },
        },
    });
    to(logger, file)
}

fn when(expression: &str) -> Value {
    json!({ "extension_filter": {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            "expression": expression,
        },
    } })
}

/// The same logger, to a file where one is named.
fn to(mut logger: Value, file: Option<&Path>) -> Value {
    if let Some(file) = file {
        logger["name"] = "envoy.access_loggers.file".into();
        let config = &mut logger["typed_config"];
        config["@type"] = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog".into();
        config["path"] = file.display().to_string().into();
    }
    logger
}
