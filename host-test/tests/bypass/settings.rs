//! What Envoy does to a path before the filter sees it, by the settings of its HTTP connection manager: written down from Envoy's
//! documentation of `normalize_path`, `merge_slashes` and `path_with_escaped_slashes_action` and from what Envoy 1.40 was seen to do
//! with each kind of path, so that the reference judges what the gateway gets and not what the client sent.

use serde_json::Value;

/// Settings under which the whole matrix is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// As `envoy/edge.yaml` has them: nothing is done.
    Shipped,
    /// Dot segments and slashes are folded, `%2F` stays.
    Normalized,
    /// The same, and an encoded slash is refused.
    Rejecting,
    /// The same, and encoded slashes are decoded first.
    Unescaping,
    /// The same, and the client is sent to the decoded path.
    Redirecting,
}

/// All of them.
pub const SETTINGS: [Setting; 5] =
    [Setting::Shipped, Setting::Normalized, Setting::Rejecting, Setting::Unescaping, Setting::Redirecting];

/// What becomes of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The filter gets this one.
    Forwards(String),
    /// Envoy answers itself, with this status.
    Answers(&'static str),
}

// === impl Setting ===

impl Setting {
    /// As the settings stand in Envoy's configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipped => "as shipped",
            Self::Normalized => "normalize, merge, KEEP_UNCHANGED",
            Self::Rejecting => "normalize, merge, REJECT_REQUEST",
            Self::Unescaping => "normalize, merge, UNESCAPE_AND_FORWARD",
            Self::Redirecting => "normalize, merge, UNESCAPE_AND_REDIRECT",
        }
    }

    /// Puts them into an HTTP connection manager.
    pub fn apply(self, manager: &mut Value) {
        let action = match self {
            Self::Shipped => return,
            Self::Normalized => "KEEP_UNCHANGED",
            Self::Rejecting => "REJECT_REQUEST",
            Self::Unescaping => "UNESCAPE_AND_FORWARD",
            Self::Redirecting => "UNESCAPE_AND_REDIRECT",
        };
        manager["normalize_path"] = true.into();
        manager["merge_slashes"] = true.into();
        manager["path_with_escaped_slashes_action"] = action.into();
    }

    /// What the filter gets for a target. Behind a tab there is no target any more.
    pub fn read(self, target: &str) -> Reading {
        if self == Self::Shipped {
            return Reading::Forwards(target.to_owned());
        }
        let (line, behind) = target.split_at(target.find('\t').unwrap_or(target.len()));
        if line.contains('#') || !line.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            return Reading::Answers("400");
        }
        let authority = line.find("://").filter(|at| ["http", "https"].contains(&&line[..*at])).map_or(0, |at| {
            let host = at + "://".len();
            line[host..].find(['/', '?']).map_or(line.len(), |length| host + length)
        });
        let (authority, local) = line.split_at(authority);
        let (path, query) = local.split_at(local.find('?').unwrap_or(local.len()));
        if !path.starts_with('/') && authority.is_empty() {
            return Reading::Answers("400");
        }
        let unescaped = ["%2F", "%2f"].iter().fold(path.to_owned(), |path, code| path.replace(code, "/"));
        let unescaped = ["%5C", "%5c"].iter().fold(unescaped, |path, code| path.replace(code, "\\"));
        let path = match self {
            Self::Rejecting if unescaped != path => return Reading::Answers("400"),
            Self::Redirecting if unescaped != path && path_of(&unescaped).is_some() => return Reading::Answers("307"),
            Self::Unescaping | Self::Redirecting => unescaped,
            _ => path.to_owned(),
        };
        match path_of(&path) {
            None => Reading::Answers("400"),
            Some(path) => Reading::Forwards(format!("{authority}{path}{query}{behind}")),
        }
    }
}

/// A path without dot segments and empty ones; none where there is an encoded NUL.
fn path_of(path: &str) -> Option<String> {
    // `..;x` counts as `..`, though not where its dots are encoded.
    let bare = |segment: &str| match () {
        () if segment.starts_with("..;") => "..".to_owned(),
        () if segment.starts_with(".;") => ".".to_owned(),
        () => segment.to_owned(),
    };
    let stripped: Vec<String> = path.split('/').map(bare).collect();
    let path = stripped.join("/").replace('\\', "/");
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(&path).split('/').collect();
    let (mut kept, mut is_open) = (Vec::new(), false);
    for segment in segments {
        let dots = segment.replace("%2e", ".").replace("%2E", ".");
        is_open = matches!(dots.as_str(), "." | "..");
        match dots.as_str() {
            "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(plain(segment)?),
        }
    }
    if is_open {
        kept.push(String::new());
    }
    let whole = format!("/{}", kept.join("/"));
    if !whole.contains("//") {
        return Some(whole);
    }
    let end = if whole.ends_with('/') { "/" } else { "" };
    let filled: Vec<&str> = whole.split('/').filter(|segment| !segment.is_empty()).collect();
    Some(format!("/{}{end}", filled.join("/")))
}

/// Unreserved characters decoded (RFC 3986, section 2.3), what a URI does not have encoded; none where there is an encoded NUL. A
/// `%` that encodes nothing stays, and where decoding behind it would make it encode something, it is encoded itself.
fn plain(segment: &str) -> Option<String> {
    let code = |at: usize| {
        let digits = segment.get(at + 1..at + 3)?;
        u8::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    let (mut out, mut at, mut stray) = (String::new(), 0, Vec::new());
    while let Some(byte) = segment.as_bytes().get(at).copied() {
        let step = match (byte, code(at)) {
            (b'%', Some(0)) => return None,
            (b'%', Some(code)) if code.is_ascii_alphanumeric() || b"-._~".contains(&code) => {
                out.push(char::from(code));
                3
            }
            (b'%', Some(_)) => {
                out.push_str(&segment[at..at + 3]);
                3
            }
            (b'%', None) => {
                stray.push(out.len());
                out.push('%');
                1
            }
            (b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}', _) => {
                out.push_str(&format!("%{byte:02X}"));
                1
            }
            _ => {
                out.push(char::from(byte));
                1
            }
        };
        at += step;
    }
    for place in stray.into_iter().rev() {
        if out.get(place + 1..place + 3).is_some_and(|two| two.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            out.insert_str(place + 1, "25");
        }
    }
    Some(out)
}
