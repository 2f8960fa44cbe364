//! What the settings of a document belong to, and the page that tells of each.

/// One line of the report's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Apis,
    Stages,
    Routes,
    Integrations,
    IntegrationResponses,
    Authorization,
    Authorizers,
    ResourcePolicies,
    Requests,
    Models,
    GatewayResponses,
    Cors,
    UsagePlans,
    ApiKeys,
    Account,
    Extensions,
    /// No setting of API Gateway: what the document says of its own, and the file itself.
    Document,
}

use Kind::{
    Account, ApiKeys, Apis, Authorization, Authorizers, Cors, Document, Extensions, GatewayResponses, IntegrationResponses,
    Integrations, Models, Requests, ResourcePolicies, Routes, Stages, UsagePlans,
};

/// As the report calls it, and where it is explained.
const KINDS: [(Kind, &str, &str); 17] = [
    (Apis, "APIs", "docs/document.md#an-api"),
    (Stages, "stages", "docs/document.md#a-stage"),
    (Routes, "routes", "docs/parity.md#routing-stages-and-domains"),
    (Integrations, "integrations", "docs/parity.md#integrations"),
    (IntegrationResponses, "integration responses", "docs/parity.md#integration-responses"),
    (Authorization, "authorization", "docs/parity.md#what-guards-a-route"),
    (Authorizers, "authorizers", "docs/parity.md#authorization"),
    (ResourcePolicies, "resource policies", "docs/parity.md#policies"),
    (Requests, "requests", "docs/validation.md#settings"),
    (Models, "models", "docs/validation.md#what-a-validator-finds"),
    (GatewayResponses, "gateway responses", "docs/parity.md#gateway-responses"),
    (Cors, "CORS", "docs/parity.md#cors"),
    (UsagePlans, "usage plans", "docs/document.md#usage-plans"),
    (ApiKeys, "API keys", "docs/document.md#an-api-key"),
    (Account, "account", "docs/document.md#account"),
    (Extensions, "other extensions", "docs/parity.md#extensions"),
    (Document, "document", "docs/document.md#the-document"),
];

// === impl Kind ===

impl Kind {
    /// All of them, in the order of the report.
    pub fn all() -> impl Iterator<Item = Kind> {
        KINDS.iter().map(|(kind, ..)| *kind)
    }

    /// As the report calls it.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The section of a page.
    pub fn link(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Kind, &'static str, &'static str) {
        KINDS.iter().find(|(kind, ..)| *kind == self).unwrap_or(&KINDS[KINDS.len() - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_of_its_own() {
        for kind in Kind::all() {
            assert_eq!(kind.row().0, kind);
        }
        assert_eq!(Kind::all().count(), Document as usize + 1);
    }

    #[test]
    fn every_kind_links_to_a_heading_that_is_there() {
        let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for kind in Kind::all() {
            let (file, anchor) = kind.link().split_once('#').unwrap();
            let text = std::fs::read_to_string(repository.join(file)).unwrap();
            let headings = text.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
            assert!(headings.map(super::super::page::anchor).any(|known| known == anchor), "{}", kind.link());
        }
    }
}
