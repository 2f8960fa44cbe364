//! What proxy integrations have in common: request and response pass through.

use super::Scope;
use crate::definition::Node;

/// Settings of non-proxy integrations, which exports of proxies may have and nothing acts on.
pub fn check_settings(node: &Node<'_>, scope: &mut Scope<'_, '_>) {
    scope.warn_of_no_effect(node, &[("requestTemplates", "a proxy integration passes the body through")]);
    for (_, response) in node.get("responses").map(|responses| responses.members(scope.problems)).unwrap_or_default() {
        response.only(&["statusCode", "responseParameters", "responseTemplates", "contentHandling"], scope.problems);
        let why = "a proxy integration passes the response through";
        scope.warn_of_no_effect(&response, &[("responseParameters", why), ("responseTemplates", why), ("contentHandling", why)]);
    }
}
