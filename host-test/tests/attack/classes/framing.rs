//! Where a message ends: lengths and transfer codings that two readers take differently, chunks, pipelines, messages that end too
//! early, come slowly, or are too large. Whatever is hidden in one must come to no upstream.

use super::super::shot::{Aim, Shot, Step};
use super::super::upstream::TICKET;
use super::{Make, NO_ERROR, open_path, ticket};

/// Beside what has no error: transfer codings that Envoy does not know.
const UNKNOWN_CODING: &[u16] = &[200, 400, 403, 404, 411, 413, 501];

/// What a client hides.
fn hidden() -> Vec<u8> {
    b"GET /k/proxy/smuggled HTTP/1.1\r\nhost: gateway.test\r\nx-attack-ticket: smuggled\r\n\r\n".to_vec()
}

/// What a line says about the length, by RFC 9112.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// As many bytes as there are.
    Length,
    /// That there are chunks.
    Chunks,
    /// What must be refused, or says as much as there is.
    Nonsense,
    /// Nothing: it is another line, or a part of one.
    Nothing,
}

/// Transfer codings.
const CODINGS: [(&[u8], Says); 34] = [
    (b"transfer-encoding: chunked", Says::Chunks),
    (b"Transfer-Encoding: CHUNKED", Says::Chunks),
    (b"transfer-encoding:chunked", Says::Chunks),
    (b"transfer-encoding: \tchunked \t", Says::Chunks),
    (b"transfer-encoding: ,chunked", Says::Chunks),
    (b"transfer-encoding: chunked,", Says::Chunks),
    (b"transfer-encoding: xchunked", Says::Nonsense),
    (b"transfer-encoding: chunked, identity", Says::Nonsense),
    (b"transfer-encoding: identity, chunked", Says::Nonsense),
    (b"transfer-encoding: identity", Says::Nonsense),
    (b"transfer-encoding: gzip, chunked", Says::Nonsense),
    (b"transfer-encoding: chunked, chunked", Says::Nonsense),
    (b"transfer-encoding: chunked;q=1", Says::Nonsense),
    (b"transfer-encoding: \"chunked\"", Says::Nonsense),
    (b"transfer-encoding: 'chunked'", Says::Nonsense),
    (b"transfer-encoding : chunked", Says::Nonsense),
    (b"transfer-encoding\t: chunked", Says::Nonsense),
    (b"transfer-encoding: \x0bchunked", Says::Nonsense),
    (b"transfer-encoding: chunked\x0c", Says::Nonsense),
    (b"transfer-encoding: chunked\0", Says::Nonsense),
    (b"transfer-encoding:\r\n chunked", Says::Chunks),
    (b"transfer-encoding:\n chunked", Says::Chunks),
    (b"x: y\ntransfer-encoding: chunked", Says::Chunks),
    (b"transfer-encoding: chunked\r\ntransfer-encoding: identity", Says::Nonsense),
    (b"transfer-encoding: identity\r\ntransfer-encoding: chunked", Says::Nonsense),
    (b"transfer-encoding: chunked\r\ntransfer-encoding: chunked", Says::Nonsense),
    (b"transfer-encoding: chun\r\n ked", Says::Nonsense),
    (b"transfer-encoding: \xffchunked", Says::Nonsense),
    (b"transfer-encoding: chunke\xcc\x84d", Says::Nonsense),
    (b"transfer-encoding:", Says::Nothing),
    (b" transfer-encoding: chunked", Says::Nothing),
    (b"transfer_encoding: chunked", Says::Nothing),
    (b"x: y\rtransfer-encoding: chunked", Says::Nothing),
    (b"x: y\r\rtransfer-encoding: chunked", Says::Nothing),
];

/// Lengths, `@` for that of the body.
const LENGTHS: [(&str, Says); 24] = [
    ("content-length: @", Says::Length),
    ("Content-Length:@", Says::Length),
    ("content-length: 0@", Says::Length),
    ("content-length: \t@ ", Says::Length),
    ("content-length: @, @", Says::Length),
    ("content-length: @\r\ncontent-length: @", Says::Length),
    ("content-length: +@", Says::Nonsense),
    ("content-length: -@", Says::Nonsense),
    ("content-length: @ @", Says::Nonsense),
    ("content-length: 0, @", Says::Nonsense),
    ("content-length: 0x@", Says::Nonsense),
    ("content-length : @", Says::Nonsense),
    ("content-length: 0\r\ncontent-length: @", Says::Nonsense),
    ("content-length: @\r\ncontent-length: 0", Says::Nonsense),
    ("content-length:\r\n @", Says::Nonsense),
    ("content-length: @\x0b", Says::Nonsense),
    ("content-length: @.0", Says::Nonsense),
    ("content-length: @e0", Says::Nonsense),
    ("content-length:", Says::Nonsense),
    ("content-length: 18446744073709551616", Says::Nonsense),
    ("x: y\ncontent-length: @", Says::Nonsense),
    (" content-length: @", Says::Nothing),
    ("content_length: @", Says::Nothing),
    ("x: y\rcontent-length: @", Says::Nothing),
];

/// A request with two lengths, or none that is sure, and another one within its body.
pub fn ambiguous(make: &mut Make) -> Shot {
    let in_a_chunk = [format!("{:x}\r\n", hidden().len()).into_bytes(), hidden(), b"\r\n0\r\n\r\n".to_vec()].concat();
    let behind_chunks = [b"0\r\n\r\n".to_vec(), hidden()].concat();
    let ((coding, of_coding), (length, of_length)) = (make.one(&CODINGS), make.one(&LENGTHS));
    let which = make.random.below(4);
    let says: Vec<Says> = match which {
        0 | 1 => vec![of_coding, of_length],
        2 => vec![of_length],
        _ => vec![of_coding],
    };
    let says: Vec<Says> = says.into_iter().filter(|says| *says != Says::Nothing).collect();
    let body = match says.as_slice() {
        // There is none.
        [] => Vec::new(),
        [Says::Chunks] => in_a_chunk,
        _ => make.random.one_of(&[in_a_chunk, behind_chunks, hidden()]).clone(),
    };
    let length = length.replace('@', &body.len().to_string()).into_bytes();
    let lines = match which {
        0 => vec![coding.to_vec(), length],
        1 => vec![length, coding.to_vec()],
        2 => vec![length],
        _ => vec![coding.to_vec()],
    };
    let method = make.one(&["POST", "POST", "PUT", "GET", "HEAD", "OPTIONS"]);
    let path = make.one(&["/k/proxy/x", "/k/mock", "/k/function", "/w/proxy/x", "/k/http/7"]);
    let shown: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let bytes = [make.head(method, path.as_bytes(), &lines), body.clone()].concat();
    let mut shot =
        make.one_request(format!("{method} {path} {shown:?} {} bytes", body.len()), Aim::Kinds, method, bytes, UNKNOWN_CODING);
    // The length may promise more than there is.
    shot.steps.push(Step::Linger);
    shot.methods.push("GET");
    shot.least = 0;
    shot.is_ragged = true;
    shot
}

/// Chunks, and what may be wrong with them; trailers.
pub fn chunked(make: &mut Make) -> Shot {
    const SIZES: [(&[u8], bool); 22] = [
        (b"2", true),
        (b"02", true),
        (b"0000000000000002", true),
        (b"2;x", true),
        (b"2;x=\"y\"", true),
        (b"2 ;x", false),
        (b"2 ", false),
        (b" 2", false),
        (b"0x2", false),
        (b"+2", false),
        (b"-2", false),
        (b"", false),
        (b"g", false),
        (b"ffffffffffffffff", false),
        (b"10000000000000002", false),
        (b"2\n", false),
        (b"2\r", false),
        (b"2;\xff", false),
        (b"2;\0", false),
        (b"2,2", false),
        (b"2_0", false),
        (b"\xff", false),
    ];
    const ENDS: [(&[u8], bool); 22] = [
        (b"0\r\n\r\n", true),
        (b"00000\r\n\r\n", true),
        (b"0;last\r\n\r\n", true),
        (b"0\r\nx-trailer: 1\r\n\r\n", true),
        (b"0\r\nX: \xff\r\n\r\n", false),
        (b"0\r\ncontent-length: 5\r\n\r\n", false),
        (b"0\r\ntransfer-encoding: chunked\r\n\r\n", false),
        (b"0\r\nhost: evil\r\n\r\n", false),
        (b"0\r\n:path: /evil\r\n\r\n", false),
        (b"0\r\nauthorization: Bearer x\r\n\r\n", false),
        (b"0\r\nx-tollgate-cluster: evil\r\n\r\n", false),
        (b"0\r\nno colon\r\n\r\n", false),
        (b"0\r\n folded: 1\r\n\r\n", false),
        (b"0\r\nx : 1\r\n\r\n", false),
        (b"0\n\n", false),
        (b"0\r\r", false),
        (b"0\r\n\n", false),
        (b"0", false),
        (b"", false),
        (b"0\r\nx: a\0b\r\n\r\n", false),
        (b"-0\r\n\r\n", false),
        (b"0\r\nx-forwarded-for: 1.2.3.4\r\nx-attack-ticket: smuggled\r\n\r\n", false),
    ];
    let mut is_right = true;
    let mut body = Vec::new();
    for _ in 0..make.between(1, 4) {
        let (size, right) = if make.random.below(2) == 0 { SIZES[0] } else { make.one(&SIZES) };
        body.extend([size, b"\r\n{}\r\n"].concat());
        is_right &= right;
    }
    let long = make.random.below(30) == 0;
    if long {
        is_right = false;
        let length = make.between(1_000, 100_000);
        body.extend([b"2;".as_slice(), &b"e".repeat(length), b"\r\n{}\r\n"].concat());
    }
    let (end, right) = make.one(&ENDS);
    body.extend(end);
    let path = make.one(&["/k/proxy/x", "/k/mock", "/k/function", "/w/proxy/x", "/k/http/7", "/k/custom", "/k/model?size=1"]);
    let head =
        make.head("POST", path.as_bytes(), &[b"transfer-encoding: chunked".to_vec(), b"content-type: application/json".to_vec()]);
    let name = format!("POST {path} {:?}", String::from_utf8_lossy(&body[..body.len().min(120)]));
    let mut shot = make.one_request(name, Aim::Kinds, "POST", [head, body].concat(), NO_ERROR);
    if !(is_right && right) {
        shot.steps.push(Step::Linger);
        shot.methods.push("GET");
        shot.least = 0;
    }
    shot.is_ragged = true;
    shot
}

/// Several requests at once, each with its ticket; a bad one among them ends the connection.
pub fn pipelined(make: &mut Make) -> Shot {
    let aim = make.aim();
    let count = make.between(2, 3);
    let bad = make.random.below(count + 2);
    let (mut bytes, mut methods, mut is_bad) = (Vec::new(), Vec::new(), false);
    for place in 0..count {
        let method = make.one(&["GET", "POST", "HEAD", "DELETE"]);
        methods.push(method);
        let line = if place == bad { "content-length: x\r\n" } else { "" };
        is_bad |= place == bad;
        let body = if method == "POST" && place != bad { ("content-length: 2\r\n", "{}") } else { ("", "") };
        let head = format!(
            "{method} {} HTTP/1.1\r\nhost: gateway.test\r\n{TICKET}: {}\r\n{line}{}\r\n{}",
            open_path(aim),
            ticket(make.number, place),
            body.0,
            body.1
        );
        bytes.extend(head.into_bytes());
    }
    let mut shot = make.one_request(format!("{methods:?}, the bad one is {bad}"), aim, "GET", bytes, NO_ERROR);
    shot.least = if is_bad { bad } else { methods.len() };
    shot.methods = methods;
    shot.is_ragged = is_bad;
    shot
}

/// Requests that there is nothing wrong with.
fn sound(make: &mut Make) -> (Aim, &'static str, Vec<u8>) {
    let length = make.between(0, 3_000);
    let body = format!("{{\"name\":\"{}\"}}", "n".repeat(length)).into_bytes();
    let chunks = [format!("{:x}\r\n", body.len()).into_bytes(), body.clone(), b"\r\n0\r\nx-trailer: 1\r\n\r\n".to_vec()].concat();
    let json = b"content-type: application/json".to_vec();
    let by_length = vec![json.clone(), format!("content-length: {}", body.len()).into_bytes()];
    let by_chunks = vec![json, b"transfer-encoding: chunked".to_vec()];
    match make.random.below(8) {
        0 => (Aim::Kinds, "GET", make.head("GET", b"/k/proxy/a?b=c", &[])),
        1 => (Aim::Kinds, "POST", [make.head("POST", b"/k/proxy/a", &by_length), body].concat()),
        2 => (Aim::Kinds, "POST", [make.head("POST", b"/k/http/7", &by_length), body].concat()),
        3 => (Aim::Kinds, "POST", [make.head("POST", b"/k/function", &by_chunks), chunks].concat()),
        4 => (Aim::Kinds, "POST", [make.head("POST", b"/w/proxy/x", &by_chunks), chunks].concat()),
        5 => (Aim::Kinds, "GET", make.head("GET", b"/k/token/x", &[b"x-token: word-slow".to_vec()])),
        6 => (Aim::Rest, "GET", make.head("GET", b"/prod/admin/public", &[])),
        _ => (Aim::Http, "GET", make.head("GET", b"/other/place", &[])),
    }
}

/// A request that ends anywhere, by going, by going away with a bang, or by saying that this was all.
pub fn cut(make: &mut Make) -> Shot {
    let (aim, method, bytes) = sound(make);
    let at = make.random.below(bytes.len());
    let how = make.random.below(4);
    let end = match how {
        0 => vec![Step::Close],
        1 => vec![Step::Reset],
        2 => vec![Step::HalfClose],
        // It was sent in full, and the client goes while the gateway works.
        _ => vec![Step::Wait(1), Step::Reset],
    };
    let at = if how == 3 { bytes.len() } else { at };
    let name = format!("{method}, {at} of {} bytes, then {end:?}", bytes.len());
    let mut shot = make.one_request(name, aim, method, bytes[..at].to_vec(), &[200, 400, 401, 403, 408]);
    shot.steps.extend(end);
    shot.least = 0;
    shot
}

/// A request in pieces.
pub fn slow(make: &mut Make) -> Shot {
    let (aim, method, bytes) = sound(make);
    let pieces = make.between(2, 12);
    let mut places: Vec<usize> = (0..pieces).map(|_| make.random.below(bytes.len())).chain([0, bytes.len()]).collect();
    places.sort_unstable();
    let steps = places.windows(2).flat_map(|pair| [Step::Send(bytes[pair[0]..pair[1]].to_vec()), Step::Wait(2)]);
    let steps: Vec<Step> = steps.collect();
    let mut shot = make.one_request(format!("{method} in {} pieces", steps.len() / 2), aim, method, Vec::new(), &[200, 403]);
    shot.steps = steps;
    shot
}

/// More than there may be of something.
pub fn oversized(make: &mut Make) -> Shot {
    let aim = Aim::Kinds;
    let method = make.one(&["GET", "POST"]);
    let many = make.between(101, 3_000);
    let large = make.between(61, 400) * 1024;
    let (name, lines, path, body): (String, Vec<Vec<u8>>, Vec<u8>, Vec<u8>) = match make.random.below(12) {
        0 | 1 => (
            format!("{many} headers"),
            (0..many).map(|n| format!("x-{n}: 1").into_bytes()).collect(),
            b"/k/proxy/x".to_vec(),
            Vec::new(),
        ),
        2 | 3 => (
            format!("a header of {large}"),
            vec![[b"x: ".as_slice(), &b"v".repeat(large)].concat()],
            b"/k/proxy/x".to_vec(),
            Vec::new(),
        ),
        4 => (
            format!("a name of {large}"),
            vec![[b"n".repeat(large).as_slice(), b": v"].concat()],
            b"/k/proxy/x".to_vec(),
            Vec::new(),
        ),
        5 => (format!("a path of {large}"), Vec::new(), [b"/k/proxy/".as_slice(), &b"p/".repeat(large / 2)].concat(), Vec::new()),
        6 => (
            format!("a query of {large}"),
            Vec::new(),
            [b"/k/proxy/x?".as_slice(), &b"q=1&".repeat(large / 4)].concat(),
            Vec::new(),
        ),
        7 => (
            "a host of 60 KB".to_owned(),
            vec![[b"x-forwarded-host: ".as_slice(), &b"h".repeat(large)].concat()],
            b"/k/proxy/x".to_vec(),
            Vec::new(),
        ),
        8 => (
            "a length beyond 10 MB".to_owned(),
            vec![b"content-length: 10485761".to_vec()],
            b"/k/http/7".to_vec(),
            vec![b'x'; 100_000],
        ),
        9 => (
            "a length beyond all machines".to_owned(),
            vec![b"content-length: 9223372036854775807".to_vec()],
            b"/k/http/7".to_vec(),
            vec![b'x'; 1_000],
        ),
        10 if make.random.below(8) == 0 => {
            let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; 1 << 20], b"\r\n"].concat();
            ("11 MB in chunks".to_owned(), vec![b"transfer-encoding: chunked".to_vec()], b"/k/http/7".to_vec(), chunk.repeat(11))
        }
        _ => {
            let fields = make.between(1_000, 8_000);
            (
                format!("{fields} parameters"),
                Vec::new(),
                format!("/k/proxy/x?{}", (0..fields).map(|n| format!("{n}&")).collect::<String>()).into_bytes(),
                Vec::new(),
            )
        }
    };
    let bytes = [make.head(method, &path, &lines), body].concat();
    let mut shot = make.one_request(format!("{method} {name}"), aim, method, bytes, &[200, 400, 413, 414, 431]);
    // A client that is still writing when the gateway closes may lose the answer to a reset.
    shot.least = 0;
    shot.is_ragged = true;
    shot.steps.push(Step::Linger);
    shot
}
