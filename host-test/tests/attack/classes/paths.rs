//! Paths and hosts that two readers could read differently: each payload in each place.

use super::super::shot::{Aim, Shot};
use super::super::upstream::TICKET;
use super::{Make, NO_ERROR};

/// What has no one reading: 400, wherever in a path it stands.
const REFUSED: [&[u8]; 38] = [
    b"/./",
    b"/../",
    b"/%2e/",
    b"/%2E%2e/",
    b"/.%2e/",
    b"/%2e./",
    b"/..;/",
    b"/..;x=1/",
    b"/.;/",
    b"/..%3b/",
    b"/..%3Bx=1/",
    b"%2f..%2f",
    b"%2F%2e%2e%2f",
    b"/..%2f",
    b"%2f../",
    b"\\",
    b"\\..\\",
    b"%5c",
    b"%5C",
    b"/%5c../",
    b"\0",
    b"%00",
    b"/%00/",
    b"#",
    b"/#/",
    b"\x01",
    b"\x0b",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"%",
    b"%2-",
    b"%zz",
    b"%u002f",
    b"%%32",
    b"%-1",
];

/// What is a literal, and stays one.
const LITERAL: [&[u8]; 36] = [
    b"/",
    b"//",
    b"///",
    b"%2F",
    b"%2f",
    b"%252F",
    b"%252e%252e",
    b"%25252f",
    b";x=1",
    b";",
    b"%3b",
    b"%20",
    b"+",
    b"%0d%0a",
    b"%0aX-Evil:%201",
    b"%09",
    b"%7f",
    b"%ff",
    b"%c0%af",
    b"%ef%bc%8f",
    b"%23",
    b"%3f",
    b"%3F",
    b"...",
    b".x",
    b"x.",
    b"~",
    b":",
    b"@",
    b"{}",
    b"|",
    b"\"",
    b"<>",
    b"^`",
    b"$context.path",
    b"%24%7bjndi:x%7d",
];

const METHODS: [&str; 6] = ["GET", "GET", "POST", "PUT", "HEAD", "OPTIONS"];

/// The places within a path, `@` for the payload; the last are those of a query.
const PLACES: [(&str, bool); 16] = [
    ("/k@/proxy/x", true),
    ("/k/proxy@/x", true),
    ("/k/proxy/@x", true),
    ("/k/proxy/a@b", true),
    ("/k/proxy/a/b@", true),
    ("@/k/proxy/x", true),
    ("/@k/proxy/x", true),
    ("/k/@/proxy/x", true),
    ("/k/http/a@b", true),
    ("/k/keyed/a@b", true),
    ("/w/proxy/a@b", true),
    ("/w@/function", true),
    ("/k/proxy/x?q=@", false),
    ("/k/proxy/x?@=q", false),
    ("/k/http/7?q=a@b&q=@", false),
    ("/w/proxy/x?q=@", false),
];

/// The same for the documents of the matrix.
const MATRIX_PLACES: [&str; 8] = [
    "/prod/admin@",
    "/prod/admin/@7",
    "/prod/a@dmin",
    "/prod@/admin",
    "@/prod/files/a",
    "/prod/files/a@b",
    "/policed/internal@",
    "/admin/7@/x",
];

/// A payload at a place, or two of them.
pub fn path(make: &mut Make) -> Shot {
    let aim = make.aim();
    let (pattern, is_path) = if aim == Aim::Kinds { make.one(&PLACES) } else { (make.one(&MATRIX_PLACES), true) };
    let is_refused = make.random.below(2) == 0;
    let mut payload = if is_refused { make.one(&REFUSED).to_vec() } else { make.one(&LITERAL).to_vec() };
    if make.random.below(3) == 0 {
        let other = make.one(&LITERAL);
        payload =
            if make.random.below(2) == 0 { [payload.as_slice(), other].concat() } else { [other, payload.as_slice()].concat() };
    }
    let (before, behind) = pattern.split_once('@').expect("there is a place");
    let mut target = [before.as_bytes(), &payload, behind.replace('@', "").as_bytes()].concat();
    let method = make.one(&METHODS);
    if target.starts_with(b"/") && make.random.below(8) == 0 {
        target = [b"http://gateway.test".as_slice(), &target].concat();
    }
    let name = format!("{} {}", method, String::from_utf8_lossy(&target));
    // A `?` makes a query of what is behind it, where dots and percent signs mean nothing.
    let is_whole = is_path && !payload.contains(&b'?') && !is_dissolved(&payload);
    let statuses: &[u16] = if is_refused && is_whole { &[400] } else { NO_ERROR };
    let bytes = make.head(method, &target, &[]);
    make.one_request(name, aim, method, bytes, statuses)
}

/// Whether what stands beside a payload makes another one of it: `%` and `25` are no broken encoding, `..` and `x` are no dots.
fn is_dissolved(payload: &[u8]) -> bool {
    !REFUSED.contains(&payload)
}

/// A host, or a target, of another form.
pub fn host(make: &mut Make) -> Shot {
    const HOSTS: [&[u8]; 30] = [
        b"gateway.test,evil.test",
        b"gateway.test, evil.test",
        b"a b",
        b"gateway.test/evil",
        b"user@gateway.test",
        b"gateway.test:80:80",
        b"gateway.test:x",
        b"gateway.test:99999999",
        b"[::1]",
        b"[::1",
        b"::1",
        b"gateway.test#x",
        b"gateway.test?x",
        b"gateway.test\\x",
        b"\xff\xfe",
        b"gateway.test\x01",
        b"gateway_test",
        b"%67ateway.test",
        b"",
        b" ",
        b".",
        b"..",
        b"gateway.test.",
        b"GATEWAY.test",
        b"-",
        b"a\tb",
        b"<script>",
        b"gateway.test;x",
        b"*",
        b"localhost",
    ];
    const TARGETS: [&[u8]; 16] = [
        b"*",
        b"gateway.test:80",
        b"//gateway.test/k/proxy/x",
        b"http://",
        b"http:///k/proxy/x",
        b"http:/k/proxy/x",
        b"HTTP://gateway.test/k/proxy/x",
        b"https://gateway.test/k/proxy/x",
        b"ftp://gateway.test/k/proxy/x",
        b"javascript:alert(1)",
        b"http://user:pw@gateway.test/k/proxy/x",
        b"http://a,b/k/proxy/x",
        b"http://gateway.test:99999/k/proxy/x",
        b"?x",
        b"",
        b"http://[::1]/k/proxy/x",
    ];
    let aim = make.aim();
    let method = make.one(&["GET", "POST", "OPTIONS"]);
    let (mut target, mut hosts): (Vec<u8>, Vec<Vec<u8>>) = (super::open_path(aim).into(), vec![b"gateway.test".to_vec()]);
    match make.random.below(4) {
        0 => hosts = vec![make.one(&HOSTS).to_vec()],
        1 => hosts = vec![make.one(&HOSTS).to_vec(), make.one(&HOSTS).to_vec()],
        2 => hosts.clear(),
        _ => target = make.one(&TARGETS).to_vec(),
    }
    let long = make.random.below(40) == 0;
    if long {
        hosts = vec![b"h".repeat(10_000)];
    }
    let name = format!(
        "{method} {} {:?}",
        String::from_utf8_lossy(&target),
        hosts.iter().map(|host| String::from_utf8_lossy(&host[..host.len().min(60)]).into_owned()).collect::<Vec<_>>()
    );
    let mut bytes = [method.as_bytes(), b" ", &target, b" HTTP/1.1\r\n"].concat();
    for host in &hosts {
        bytes.extend([b"host: ".as_slice(), host, b"\r\n"].concat());
    }
    bytes.extend(format!("{TICKET}: {}\r\n\r\n", make.ticket(0)).into_bytes());
    // Of two lines of which one is empty, the other is the host.
    let is_list = hosts.iter().any(|host| host.contains(&b','))
        || (hosts.len() > 1 && hosts.iter().all(|host| !host.trim_ascii().is_empty()));
    make.one_request(name, aim, method, bytes, if is_list { &[400] } else { NO_ERROR })
}
