//! Tokens, signatures, keys, cookies: none of them is right, so whatever gets through with one is a find.

use super::super::shot::{Aim, Shot};
use super::{Make, NO_ERROR, REFUSED};

/// base64url without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - three.len()));
        (0..=three.len()).for_each(|place| out.push(char::from(ALPHABET[bits >> (18 - 6 * place) & 63])));
    }
    out
}

/// A token of sorts.
fn made(make: &mut Make) -> (String, Vec<u8>) {
    const HEADERS: [&str; 18] = [
        r#"{"alg":"none"}"#,
        r#"{"alg":"NoNe","typ":"JWT"}"#,
        r#"{"alg":"RS256","kid":"rs256"}"#,
        r#"{"alg":"HS256","kid":"rs256"}"#,
        r#"{"alg":"ES256","kid":"rs256"}"#,
        r#"{"alg":"RS256","kid":"../../dev/null"}"#,
        r#"{"alg":"RS256","kid":{"a":1}}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":"RS256","alg":"none"}"#,
        r#"{"alg":"RS256","jku":"http://evil.test/jwks"}"#,
        r#"{"alg":"RS256","jwk":{"kty":"oct","k":"AAAA"}}"#,
        r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"RS256","x5c":["AAAA"]}"#,
        "",
        "null",
        "[]",
        "{",
        r#"{"enc":"A256GCM","alg":"dir"}"#,
    ];
    const CLAIMS: [&str; 14] = [
        r#"{"iss":"https://issuer.test","aud":"api","sub":"me","exp":9999999999}"#,
        r#"{"iss":"https://issuer.test","aud":["api"],"exp":1e400}"#,
        r#"{"iss":"https://issuer.test","exp":"9999999999"}"#,
        r#"{"iss":["https://issuer.test"]}"#,
        r#"{"exp":-1}"#,
        r#"{"exp":9999999999999999999999999}"#,
        r#"{"iss":"https://issuer.test","iss":"x","aud":"api"}"#,
        "",
        "null",
        "1",
        "\"text\"",
        "[]",
        "{\"a\":",
        "\u{feff}{}",
    ];
    let bomb = make.between(1, 6_000);
    let length = make.between(0, 600);
    let noise = make.bytes(length);
    let (name, header, claims): (&str, Vec<u8>, Vec<u8>) = match make.random.below(9) {
        0 => (
            "deep header",
            format!("{{\"alg\":\"RS256\",\"a\":{}{}}}", "[".repeat(bomb), "]".repeat(bomb)).into(),
            CLAIMS[0].into(),
        ),
        1 => ("deep claims", HEADERS[2].into(), format!("{}1{}", "{\"a\":".repeat(bomb), "}".repeat(bomb)).into()),
        2 => (
            "many claims",
            HEADERS[2].into(),
            format!("{{{}\"z\":1}}", (0..bomb / 12).map(|n| format!("\"{n}\":{n},")).collect::<String>()).into(),
        ),
        3 => ("noise", noise.clone(), noise.clone()),
        _ => ("token", make.one(&HEADERS).into(), make.one(&CLAIMS).into()),
    };
    let signature = match make.random.below(5) {
        0 => Vec::new(),
        1 => vec![0; 64],
        2 => vec![0xff; 256],
        3 => vec![0; 256],
        _ => noise,
    };
    let parts = [base64url(&header), base64url(&claims), base64url(&signature)];
    let text = match make.random.below(12) {
        0 => parts[..2].join("."),
        1 => format!("{}.{}", parts.join("."), parts[2]),
        2 => format!("{}.a.b", parts.join(".")),
        3 => parts.join(".") + "=",
        4 => parts.join("").replace('-', "+"),
        5 => ".".repeat(make.between(1, 5_000)),
        6 => format!(" {} ", parts.join(".")),
        _ => parts.join("."),
    };
    let mut bytes = text.into_bytes();
    if make.random.below(10) == 0 && !bytes.is_empty() {
        let place = make.random.below(bytes.len());
        bytes[place] = make.one(&[0x80, 0xff, b' ', b',', b'%', 0x01]);
    }
    (format!("{name}, {} bytes, {}", bytes.len(), String::from_utf8_lossy(&header[..header.len().min(60)])), bytes)
}

/// A token that is wrong, at every guard that reads one.
pub fn token(make: &mut Make) -> Shot {
    const PLACES: [(Aim, &str); 8] = [
        (Aim::Rest, "/prod/same"),
        (Aim::Rest, "/prod/admin/7/x"),
        (Aim::Rest, "/prod/pool"),
        (Aim::Rest, "/policed/jwt"),
        (Aim::Http, "/admin"),
        (Aim::Http, "/slash/"),
        (Aim::Rest, "/prod/admin/7"),
        (Aim::Rest, "/prod/nested/deep/er"),
    ];
    let (aim, path) = make.one(&PLACES);
    let (name, token) = made(make);
    let scheme = make.one(&["Bearer ", "bearer ", "", "Bearer  ", "Basic ", "Bearer\t", "Bearer tok-abc,Bearer "]);
    let in_query = make.random.below(6) == 0 && token.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    if in_query {
        let target = [b"/files/a?token=".as_slice(), &token].concat();
        let bytes = make.head("GET", &target, &[]);
        return make.one_request(format!("{name}, in the query"), Aim::Http, "GET", bytes, REFUSED);
    }
    let bytes = make.head("GET", path.as_bytes(), &[[b"authorization: ", scheme.as_bytes(), &token].concat()]);
    make.one_request(format!("{name}, {scheme:?} at {path}"), aim, "GET", bytes, REFUSED)
}

/// A signature that is wrong.
pub fn signature(make: &mut Make) -> Shot {
    let repeat = make.between(0, 400);
    let mut part = |usual: &str| match make.random.below(9) {
        0 => String::new(),
        1 => usual.repeat(repeat),
        2 => format!("{usual},{usual}"),
        3 => format!("{usual}/../"),
        4 => format!(" {usual} = "),
        5 => "\u{e9}\u{ff}".to_owned(),
        _ => usual.to_owned(),
    };
    let (key, scope) = (part("AKIDALL"), part("20261121/us-east-1/execute-api/aws4_request"));
    let (signed, signature, date) = (part("host;x-amz-date"), part(&"0".repeat(64)), part("20261121T000000Z"));
    let is_query = make.random.below(2) == 0;
    let path = make.one(&["/prod/admin", "/prod/nested/deep/er", "/prod/", "/single/7/x/y/z", "/policed/internal/7"]);
    let name = format!("{path} {key:.30} {scope:.60} {signed:.40} {signature:.30} {date:.30}, query {is_query}");
    let latin = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect::<Vec<u8>>();
    let bytes = if is_query {
        let plain = |text: &str| {
            latin(text)
                .iter()
                .map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
                .collect::<String>()
        };
        let target = format!(
            "{path}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders={}&X-Amz-Signature={}",
            plain(&key),
            plain(&scope),
            plain(&date),
            make.one(&["60", "-1", "99999999999999999999", "x", ""]),
            plain(&signed),
            plain(&signature)
        );
        make.head("GET", target.as_bytes(), &[])
    } else {
        let value =
            format!("authorization: AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}");
        make.head(
            "GET",
            path.as_bytes(),
            &[latin(&value), latin(&format!("x-amz-date: {date}")), b"x-amz-content-sha256: UNSIGNED-PAYLOAD".to_vec()],
        )
    };
    make.one_request(name, Aim::Rest, "GET", bytes, REFUSED)
}

/// Keys that are none, cookies without end, queries of thousands of parameters.
pub fn key(make: &mut Make) -> Shot {
    let count = make.between(1, 4_000);
    let noise: Vec<u8> = make.bytes(40).into_iter().filter(|byte| !matches!(byte, b'\n' | b'\r' | 0)).collect();
    if make.random.below(2) == 0 {
        let keys: [Vec<u8>; 8] = [
            b"x-api-key: the-key-of-the-caller-0".to_vec(),
            b"x-api-key: the-key-of-the-caller-011".to_vec(),
            b"x-api-key: THE-KEY-OF-THE-CALLER-01".to_vec(),
            b"x-api-key: the-key-of-the-caller-01,the-key-of-the-caller-01".to_vec(),
            b"x-api-key:".to_vec(),
            [b"x-api-key: ".as_slice(), &noise].concat(),
            [b"x-api-key: ".as_slice(), &b"k".repeat(count * 4)].concat(),
            b"x-api-key: \xff".to_vec(),
        ];
        let line = make.random.one_of(&keys).clone();
        let path = make.one(&["/k/keyed/x", "/k/keyed/x?x-api-key=the-key-of-the-caller-01", "/k/keyed/%41"]);
        let bytes = make.head("GET", path.as_bytes(), std::slice::from_ref(&line));
        return make.one_request(
            format!("{path} {}", String::from_utf8_lossy(&line[..line.len().min(80)])),
            Aim::Kinds,
            "GET",
            bytes,
            REFUSED,
        );
    }
    let path = make.one(&["/k/mock", "/k/http/7", "/k/function", "/w/function", "/k/proxy/x"]);
    let (target, lines): (String, Vec<Vec<u8>>) = match make.random.below(5) {
        0 => (format!("{path}?{}", (0..count).map(|n| format!("p{n}={n}&")).collect::<String>()), Vec::new()),
        1 => (format!("{path}?{}", "q=%ff%00&".repeat(count)), Vec::new()),
        2 => (format!("{path}?{}", "&=;".repeat(count)), Vec::new()),
        3 => {
            (path.to_owned(), vec![format!("cookie: {}", (0..count).map(|n| format!("c{n}=v; ")).collect::<String>()).into_bytes()])
        }
        _ => (path.to_owned(), (0..count % 90).map(|n| [format!("cookie: c{n}=").as_bytes(), &noise].concat()).collect()),
    };
    let bytes = make.head("GET", target.as_bytes(), &lines);
    make.one_request(format!("{} … ({} bytes), {} lines", path, target.len(), lines.len()), Aim::Kinds, "GET", bytes, NO_ERROR)
}
