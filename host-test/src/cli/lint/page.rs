//! docs/parity.md as the report uses it: the page quotes every refusal and every warning, so a message leads to its feature.

use std::sync::OnceLock;

const PAGE: &str = include_str!("../../../../docs/parity.md");

/// A row that says what becomes of a feature, and in which words the user hears of it.
#[derive(Debug)]
pub struct Feature {
    /// As the page calls it.
    pub name: String,
    /// The section that has it: `docs/parity.md#integrations`
    pub link: String,
    quotes: Vec<String>,
}

/// The feature that a message is about: the one that quotes most of it.
pub fn feature_of(message: &str) -> Option<&'static Feature> {
    let message = message.replace('`', "");
    let quoted = |feature: &Feature| {
        feature.quotes.iter().filter(|quote| message.contains(quote.as_str())).map(String::len).max().unwrap_or(0)
    };
    features().iter().filter(|feature| quoted(feature) > 0).max_by_key(|feature| quoted(feature))
}

/// Every feature that is refused or warned of.
fn features() -> &'static [Feature] {
    static FEATURES: OnceLock<Vec<Feature>> = OnceLock::new();
    FEATURES.get_or_init(|| read(PAGE))
}

fn read(page: &str) -> Vec<Feature> {
    let mut section = "";
    let mut features = Vec::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            section = heading.trim_start_matches('#').trim();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        // feature, REST, HTTP, evidence, notes, between two outer bars
        let ["", name, rest, http, _, notes @ .., ""] = cells.as_slice() else { continue };
        let is_told = |state: &str| matches!(state, "refused" | "warned");
        if is_told(rest) || is_told(http) {
            let notes = notes.join("|");
            let quotes = notes.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            features.push(Feature { name: (*name).to_owned(), link: format!("docs/parity.md#{}", anchor(section)), quotes });
        }
    }
    features
}

/// Where a heading can be linked to.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_leads_to_the_row_that_quotes_most_of_it() {
        let feature = feature_of("`credentials` has no effect: requests are signed by whoever sends them: the proxy").unwrap();
        assert_eq!(
            (feature.name.as_str(), feature.link.as_str()),
            ("`credentials` of AWS and AWS_PROXY", "docs/parity.md#integrations")
        );
        assert!(feature_of("`xyz` is unheard of").is_none());
    }

    #[test]
    fn the_page_has_features_that_are_refused_and_warned_of_each_with_a_quote() {
        assert!(features().len() > 70, "{}", features().len());
        for feature in features() {
            assert!(!feature.quotes.is_empty(), "{}", feature.name);
        }
    }
}
