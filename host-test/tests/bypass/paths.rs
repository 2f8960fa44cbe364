//! Ways to write a path, most of them meant to be read differently by two readers. Texts are one character a byte.

/// A name, and how the target is written for the base path of a stage and a path below it.
pub type Variant = (&'static str, fn(&str, &str) -> String);

/// All variants; the first is the path as it is.
pub const VARIANTS: [Variant; 78] = [
    ("plain", |b, p| format!("{b}{p}")),
    ("a trailing slash", |b, p| format!("{b}{p}/")),
    ("two trailing slashes", |b, p| format!("{b}{p}//")),
    ("a trailing slash and a query", |b, p| format!("{b}{p}/?x=1")),
    ("two slashes behind the stage", |b, p| format!("{b}/{p}")),
    ("three slashes behind the stage", |b, p| format!("{b}//{p}")),
    ("two slashes before the stage", |b, p| format!("/{b}{p}")),
    ("three slashes before the stage", |b, p| format!("//{b}{p}")),
    ("two slashes within", |b, p| format!("{b}{}", at_last_slash(p, "//"))),
    ("two slashes everywhere", |b, p| format!("{b}{p}").replace('/', "//")),
    ("the first letter encoded", |b, p| format!("{b}{}", encoded(p, |place, _| place == 1, false))),
    ("all letters encoded", |b, p| format!("{b}{}", encoded(p, |_, byte| byte != b'/', false))),
    ("all letters encoded in capitals", |b, p| format!("{b}{}", encoded(p, |_, byte| byte != b'/', true))),
    ("every other letter encoded", |b, p| format!("{b}{}", encoded(p, |place, byte| byte != b'/' && place % 2 == 0, false))),
    ("the stage encoded", |b, p| format!("{}{p}", encoded(b, |_, byte| byte != b'/', true))),
    ("everything encoded", |b, p| encoded(&format!("{b}{p}"), |place, _| place > 0, true)),
    ("a letter encoded twice", |b, p| format!("{b}{}", encoded(p, |place, _| place == 1, false).replace('%', "%25"))),
    ("a capital encoded", |b, p| format!("{b}{}", encoded(&p.to_ascii_uppercase(), |place, _| place == 1, true))),
    ("an encoded slash within", |b, p| format!("{b}{}", at_last_slash(p, "%2F"))),
    ("an encoded slash in small letters", |b, p| format!("{b}{}", at_last_slash(p, "%2f"))),
    ("an encoded slash behind a slash", |b, p| format!("{b}{}", at_last_slash(p, "/%2f"))),
    ("an encoded slash behind the stage", |b, p| format!("{b}%2F{}", &p[1..])),
    ("an encoded slash at the end", |b, p| format!("{b}{p}%2F")),
    ("an encoded slash in front", |b, p| format!("/%2f{}{p}", b.trim_start_matches('/'))),
    ("a slash encoded twice", |b, p| format!("{b}{}", at_last_slash(p, "%252F"))),
    ("a slash encoded thrice", |b, p| format!("{b}{}", at_last_slash(p, "%25252f"))),
    ("a backslash", |b, p| format!("{b}{}", at_last_slash(p, "\\"))),
    ("an encoded backslash", |b, p| format!("{b}{}", at_last_slash(p, "%5C"))),
    ("an encoded backslash in small letters", |b, p| format!("{b}/x%5c..{p}")),
    ("a semicolon", |b, p| format!("{b}{p};")),
    ("a parameter", |b, p| format!("{b}{p};x=1")),
    ("a parameter behind the stage", |b, p| format!("{b};x=1{p}")),
    ("a parameter in front", |b, p| format!("{b}/;x=1{p}")),
    ("an encoded semicolon", |b, p| format!("{b}{p}%3Bx=1")),
    ("one dot", |b, p| format!("{b}/.{p}")),
    ("one dot at the end", |b, p| format!("{b}{p}/.")),
    ("two dots", |b, p| format!("{b}/other/..{p}")),
    ("two dots at the end", |b, p| format!("{b}{p}/..")),
    ("two dots out of the stage", |b, p| format!("{b}/..{b}{p}")),
    ("encoded dots", |b, p| format!("{b}/other/%2e%2e{p}")),
    ("a dot and an encoded one", |b, p| format!("{b}/other/.%2E{p}")),
    ("dots encoded twice", |b, p| format!("{b}/other/%252e%252e{p}")),
    ("dots and a semicolon", |b, p| format!("{b}/other/..;{p}")),
    ("dots and a parameter", |b, p| format!("{b}/other/..;a=b{p}")),
    ("dots and an encoded slash", |b, p| format!("{b}/other/..%2F{}", &p[1..])),
    ("an encoded slash and dots", |b, p| format!("{b}/other%2F..{p}")),
    ("three dots", |b, p| format!("{b}/...{p}")),
    ("a trailing dot", |b, p| format!("{b}{p}.")),
    ("an encoded trailing dot", |b, p| format!("{b}{p}%2e")),
    ("a trailing dot and a slash", |b, p| format!("{b}{p}./")),
    ("capitals", |b, p| format!("{b}{}", p.to_ascii_uppercase())),
    ("one capital", |b, p| {
        format!("{b}{}", p.char_indices().map(|(i, c)| if i == 1 { c.to_ascii_uppercase() } else { c }).collect::<String>())
    }),
    ("the stage in capitals", |b, p| format!("{}{p}", b.to_ascii_uppercase())),
    ("an encoded space", |b, p| format!("{b}{p}%20")),
    ("an encoded tab", |b, p| format!("{b}{p}%09")),
    ("an encoded line end", |b, p| format!("{b}{p}%0d%0aX-User:%20alice")),
    ("an encoded NUL", |b, p| format!("{b}{p}%00")),
    ("a NUL", |b, p| format!("{b}{p}\0")),
    ("a tab", |b, p| format!("{b}{p}\t")),
    ("a query that looks like a path", |b, p| format!("{b}{p}?/../other/place&x=/other/place")),
    ("a path in the query of another", |b, p| format!("{b}/other/place?{p}")),
    ("an empty query", |b, p| format!("{b}{p}?")),
    ("an encoded question mark", |b, p| format!("{b}{p}%3Fx=1")),
    ("a fragment", |b, p| format!("{b}/other/place#{p}")),
    ("an encoded fragment", |b, p| format!("{b}{p}%23x")),
    ("absolute form", |b, p| format!("http://gateway.test{b}{p}")),
    ("absolute form of another host", |b, p| format!("http://live.test{p}?base={b}")),
    ("no slash in front", |b, p| format!("{}{p}", b.trim_start_matches('/'))),
    ("behind another path", |b, p| format!("{b}/other{p}")),
    ("like an ARN", |b, p| format!("{b}/x/GET{p}")),
    ("without the stage", |_, p| p.to_owned()),
    ("the stage twice", |b, p| format!("{b}{b}{p}")),
    ("a segment more", |b, p| format!("{b}{p}/x")),
    ("beyond the ASCII", |b, p| format!("{b}{p}\u{e9}\u{ff}")),
    ("overlong UTF-8", |b, p| format!("{b}{}", at_last_slash(p, "%c0%af"))),
    ("a broken encoding", |b, p| format!("{b}{p}%2")),
    ("characters that no URI has", |b, p| format!("{b}{p}|{{}}\"")),
    ("a colon", |b, p| format!("{b}{p}:GET")),
];

/// Long ones.
pub const LONG: [Variant; 4] = [
    ("a segment of 1,500", |b, p| format!("{b}{p}/{}", "a".repeat(1_500))),
    ("a segment of 2,000", |b, p| format!("{b}{p}/{}", "a".repeat(2_000))),
    ("many slashes", |b, p| format!("{b}{}{p}", "/".repeat(3_000))),
    ("40,000 bytes", |b, p| format!("{b}{p}/{}", "a/".repeat(20_000))),
];

/// In the place of the last slash.
fn at_last_slash(path: &str, text: &str) -> String {
    let at = path.rfind('/').expect("paths begin with one");
    // With one segment, in the place of the slash behind it.
    if at == 0 { format!("{path}{text}x") } else { format!("{}{text}{}", &path[..at], &path[at + 1..]) }
}

fn encoded(path: &str, which: impl Fn(usize, u8) -> bool, in_capitals: bool) -> String {
    let one = |(place, byte): (usize, u8)| match which(place, byte) && byte.is_ascii_alphanumeric() {
        true if in_capitals => format!("%{byte:02X}"),
        true => format!("%{byte:02x}"),
        false => char::from(byte).to_string(),
    };
    path.bytes().enumerate().map(one).collect()
}
