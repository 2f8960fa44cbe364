//! Targets, queries, hosts and heads, as clients send them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::http::{
    CanonicalPath, Headers, Query, RequestHead, ResponseHead, is_field_name, is_field_value, is_valid_host, percent_encode,
    strip_port,
};

/// Decoded once, and a second reader finds nothing that leads upwards.
fn target(target: &[u8]) {
    let Ok(read) = CanonicalPath::parse(target) else { return };
    let path = read.path();
    assert!(path.starts_with('/') && !path.starts_with("//"), "{path}");
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic() && !b"#?\\".contains(&byte)), "{path}");
    let again = CanonicalPath::parse(path.as_bytes()).expect("what was read is one");
    assert_eq!((again.path(), again.query()), (path, None));
    let question = target.iter().position(|byte| *byte == b'?');
    assert_eq!(read.query().map(str::as_bytes), question.map(|place| &target[place + 1..]));
    let decoded = decode(path.as_bytes());
    assert!(!decoded.contains(&0), "{path}");
    for segment in decoded.split(|byte| b"/\\".contains(byte)) {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        assert!(!matches!(name, b"." | b".."), "{path}");
    }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

/// What was read of a query is read again of what is written of it.
fn query(text: &str) {
    let read = Query::parse(text);
    let pair = |(name, value): (&str, &str)| format!("{}={}", percent_encode(name.as_bytes()), percent_encode(value.as_bytes()));
    let written = read.iter().map(pair).collect::<Vec<_>>().join("&");
    assert_eq!(Query::parse(&written), read, "{written}");
    for (name, value) in read.iter() {
        assert!(read.all(name).any(|other| other == value) && read.last(name).is_some());
    }
    assert_eq!(read.iter().count(), text.split(['&', ';']).filter(|pair| !pair.is_empty()).count());
}

fn encoded(bytes: &[u8]) {
    let text = percent_encode(bytes);
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{text}");
    assert_eq!(decode(text.as_bytes()), bytes);
}

fn host(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return assert!(!is_valid_host(bytes)) };
    let name = strip_port(text);
    assert!(text.starts_with(name));
    assert!(text[name.len()..].bytes().all(|byte| byte == b':' || byte.is_ascii_digit()));
    if is_valid_host(bytes) {
        assert!(!text.contains(['/', '@', '\\', '#', '?', ' ', ',', '%']), "{text}");
    }
}

/// A head by lines, as pairs of the filter ABI.
fn heads(data: &[u8]) {
    let line = |line: &[u8]| {
        let place = line.iter().skip(1).position(|byte| *byte == b':').map_or(line.len(), |place| place + 1);
        let (name, value) = line.split_at(place);
        (String::from_utf8_lossy(name).into_owned(), value.get(1..).unwrap_or_default().to_vec())
    };
    let pairs: Vec<(String, Vec<u8>)> = data.split(|byte| *byte == b'\n').map(line).collect();
    let head = RequestHead::from_pairs(pairs.clone());
    assert_eq!(RequestHead::from_pairs(head.pairs()), head);
    let response = ResponseHead::from_pairs(pairs.clone());
    assert_eq!(ResponseHead::from_pairs(response.pairs(&response.status.to_string())), response);
    assert!(!head.headers.iter().chain(response.headers.iter()).any(|(name, _)| name.starts_with(':')));
    let fields = pairs.iter().filter(|(name, _)| !name.starts_with(':')).count();
    assert_eq!((head.headers.iter().count(), response.headers.iter().count()), (fields, fields));
    headers(head.headers);
}

/// A multimap, by what it is.
fn headers(headers: Headers) {
    let lines: Vec<(String, Vec<u8>)> = headers.clone().into_iter().collect();
    for (name, value) in &lines {
        let same: Vec<_> =
            lines.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice()).collect();
        assert_eq!(headers.get_all(name).collect::<Vec<_>>(), same);
        assert_eq!((headers.get(name), headers.last(name)), (same.first().copied(), same.last().copied()));
        let mut changed = headers.clone();
        changed.set(name.to_ascii_uppercase(), "x");
        assert_eq!(changed.get_all(name).collect::<Vec<_>>(), [b"x"]);
        changed.remove(name);
        assert!(!changed.contains(name));
        assert_eq!(changed.iter().count(), lines.len() - same.len());
        if is_field_name(name) {
            assert!(!name.contains([':', ' ', '\r', '\n', '\0']) && name.is_ascii());
        }
        if is_field_value(value) {
            assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 5 {
        0 => target(data),
        1 => query(&String::from_utf8_lossy(data)),
        2 => encoded(data),
        3 => host(data),
        _ => heads(data.get(..512).unwrap_or(data)),
    }
});
