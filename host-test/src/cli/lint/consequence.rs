//! What follows from a problem: for the document, and for a client of the API.

use tollgate::problem::Severity;

use crate::cli::diagnostics::Diagnostic;

/// What becomes of that against which a problem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The document does not compile.
    Refused,
    /// The document is served without it.
    Ignored,
    /// It is served as it is written, and that is hardly what was meant.
    Served,
}

/// Why a warning is no matter, or is one: the first whose words are in the message.
const OF_WARNINGS: [(&str, Fate, &str); 40] = [
    (
        "no upstream for",
        Fate::Refused,
        "Envoy refuses the document, because it knows no cluster for the host; `tollgate serve` finds the host by itself",
    ),
    ("every request is answered 500", Fate::Served, "a client gets 500 there; AWS answers so, too"),
    ("AWS answers every request with 500", Fate::Served, "a client gets 500 there; AWS answers so, too"),
    ("every request is answered 401", Fate::Served, "a client gets 401 there"),
    ("invalid HTTP endpoint specified for URI", Fate::Served, "a client gets 500 there; AWS answers so, too"),
    ("selecting it answers 500", Fate::Served, "a client gets 500 where this response is selected; AWS answers so, too"),
    ("cannot look at a payload of a binary media type", Fate::Served, "a client gets 500 for such a body"),
    ("nobody can call", Fate::Served, "a client gets 401 or 403 there"),
    ("browsers cannot send a preflight here", Fate::Served, "a page of another origin cannot call this"),
    ("it goes upstream as it stands", Fate::Served, "the backend gets the braces in its path"),
    ("API Gateway takes no offset above", Fate::Served, "it is served as written; AWS does not take it"),
    ("it is served", Fate::Served, "it is served as written; AWS does not take it"),
    ("a rate of 0 is served", Fate::Served, "a client gets 429 once the burst is used up"),
    (
        "requests are signed by whoever sends them",
        Fate::Ignored,
        "the backend sees the role of Envoy's cluster (or of the command) as its caller; a client notices nothing where that role may do the same",
    ),
    (
        "authorizerCredentials has no effect",
        Fate::Ignored,
        "the function sees the role of Envoy's cluster (or of the command) as its caller; a client notices nothing where that role may call it",
    ),
    ("credentials has no effect", Fate::Ignored, "a client and the backend notice nothing: HTTP backends get no AWS signature"),
    (
        "tlsConfig has no effect",
        Fate::Ignored,
        "whether the backend's certificate is verified, and how, is said by Envoy's cluster; a client notices nothing where it says the same",
    ),
    (
        "responses are not compressed",
        Fate::Ignored,
        "a client that accepts gzip gets answers uncompressed, unless Envoy's compressor filter is there",
    ),
    (
        "the listener's matter",
        Fate::Ignored,
        "who can connect, and by which TLS, is decided by Envoy's listener; a client notices where the two differ",
    ),
    (
        "lines go to the access loggers of the proxy",
        Fate::Ignored,
        "a client notices nothing; the operator finds the lines where Envoy's access loggers write, or `tollgate serve --access-log`",
    ),
    ("it prints -", Fate::Served, "a client notices nothing; the access log has a dash there"),
    ("nothing is sent to X-Ray", Fate::Ignored, "a client notices nothing; the operator gets the traces of Envoy's own tracers"),
    ("HTTP APIs have no execution logs", Fate::Ignored, "a client notices nothing; on AWS neither, and there is no log"),
    ("HTTP APIs do not validate requests", Fate::Ignored, "the backend gets requests that were not validated; on AWS, too"),
    ("REST APIs ignore security at the root", Fate::Ignored, "methods without `security` of their own are open; on AWS, too"),
    ("tokens signed with ES512 are refused", Fate::Ignored, "a client with such a token gets 401"),
    (
        "a token is remembered as long as it counts",
        Fate::Ignored,
        "a client notices nothing: a token that has expired is refused at once",
    ),
    ("is not used", Fate::Ignored, "a client whose token names this key gets 401"),
    ("is no action of execute-api", Fate::Served, "the statement applies to no request"),
    ("names nothing of this API", Fate::Served, "the statement applies to no request"),
    ("asks for no condition key of API Gateway", Fate::Served, "a Deny with it applies to every request, an Allow to none"),
    ("no caller here is ever a", Fate::Served, "the principal fits no caller"),
    ("is on no usage plan", Fate::Served, "a client with this key gets 403"),
    ("more keys are on no usage plan", Fate::Served, "a client with one of these keys gets 403"),
    ("has no apiStages", Fate::Served, "a client with a key of this plan gets 403"),
    ("must not be mapped", Fate::Served, "a client gets 500 there; AWS answers so, too"),
    ("is not sent upstream", Fate::Ignored, "the backend does not get it; on AWS neither"),
    ("is the gateway's own and is not mapped", Fate::Ignored, "a client gets the gateway's own value"),
    ("it is never set", Fate::Ignored, "what is mapped stays out of the request or the answer"),
    (
        "has no effect",
        Fate::Ignored,
        "it changes nothing that a client notices; on AWS neither, but where the message says otherwise",
    ),
];

const REFUSED: &str = "the document does not compile: neither Envoy nor `tollgate serve` serves any of it";
const IGNORED: &str = "the document is served without it";

/// What becomes of it, and what that means.
pub fn of(diagnostic: &Diagnostic) -> (Fate, &'static str) {
    if diagnostic.severity == Severity::Error {
        return (Fate::Refused, REFUSED);
    }
    let message = diagnostic.message.replace('`', "");
    let known = OF_WARNINGS.iter().find(|(words, ..)| message.contains(words));
    known.map_or((Fate::Ignored, IGNORED), |(_, fate, what)| (*fate, *what))
}

// === impl Fate ===

impl Fate {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Ignored => "ignored",
            Self::Served => "served as written",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(message: &str) -> Diagnostic {
        let (file, path) = ("a".to_owned(), "$".to_owned());
        Diagnostic { severity: Severity::Warning, file, place: None, path, message: message.to_owned(), help: None }
    }

    #[test]
    fn a_warning_has_the_consequence_of_its_words_and_an_error_refuses() {
        let found = of(&warning("`credentials` has no effect: requests are signed by whoever sends them"));
        assert!(found.0 == Fate::Ignored && found.1.contains("role of Envoy's cluster"), "{found:?}");
        assert_eq!(of(&warning("something else")), (Fate::Ignored, IGNORED));
        assert_eq!(of(&Diagnostic { severity: Severity::Error, ..warning("x") }), (Fate::Refused, REFUSED));
    }

    #[test]
    fn no_consequence_is_hidden_by_one_before_it() {
        for (at, (words, ..)) in OF_WARNINGS.iter().enumerate() {
            assert!(!OF_WARNINGS[..at].iter().any(|(earlier, ..)| words.contains(earlier)), "`{words}` is never found");
        }
    }

    #[test]
    fn every_warning_of_the_parity_page_has_its_consequence() {
        let page = include_str!("../../../../docs/parity.md");
        let rows = page.lines().filter(|line| line.contains("| warned |") && line.split('|').count() >= 7);
        let mut looked_at = 0;
        for row in rows {
            let notes = row.split('|').nth(5).unwrap();
            let quotes: Vec<&str> = notes.split('`').skip(1).step_by(2).collect();
            let known = |quote: &&str| OF_WARNINGS.iter().any(|(words, ..)| quote.contains(words) || words.contains(*quote));
            assert!(quotes.iter().any(known), "no consequence: {row}");
            looked_at += 1;
        }
        assert!(looked_at >= 35, "{looked_at}");
    }
}
