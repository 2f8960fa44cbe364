//! S3: paths, keys that need an encoding, and bodies that are no text.

use crate::edge::Edge;
use crate::process::moto::Moto;

/// The bucket.
pub fn prepare(moto: &Moto) {
    moto.s3("PUT", "/files", b"");
}

/// Every byte, so that nothing on the way can take it for text.
fn every_byte(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 256) as u8).collect()
}

pub fn are_put_and_got_and_listed_byte_for_byte(edge: &Edge, moto: &Moto) {
    let picture = every_byte(70_000);
    // A key with a space, a colon, a plus and a letter beyond ASCII.
    for key in ["picture", "a%20b:c%2Bd~%C3%A9"] {
        let path = format!("/prod/files/{}-{key}", edge.name);
        let headers = [
            ("content-type", "application/octet-stream"),
            ("x-camera", "K1000"),
            ("x-amz-date", "20200101T000000Z"),
            ("x-amz-security-token", "theirs"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        let answer = edge.send("PUT", &path, &headers, &picture);
        assert_eq!(answer.status().ok(), Some(201), "{} {path}: {}", edge.name, String::from_utf8_lossy(&answer.body));
        assert!(moto.s3("GET", &format!("/files/{}-{key}", edge.name), b"") == picture, "{} {key}: other bytes", edge.name);

        let answer = edge.send("GET", &path, &[("accept", "application/octet-stream")], b"");
        assert_eq!(answer.status().ok(), Some(200), "{} {path}: {}", edge.name, String::from_utf8_lossy(&answer.body));
        assert!(answer.body == picture, "{} {path}: {} other bytes", edge.name, answer.body.len());
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"), "{}", edge.name);
        assert_eq!(answer.header("x-camera"), Some("K1000"), "{}", edge.name);
    }
    let list = edge.send("GET", &format!("/prod/files?prefix={}-p", edge.name), &[], b"");
    let text = String::from_utf8_lossy(&list.body);
    assert_eq!(list.status().ok(), Some(200), "{}: {text}", edge.name);
    assert!(text.contains(&format!("<Key>{}-picture</Key>", edge.name)), "{}: {text}", edge.name);
    assert!(!text.contains("a b:c"), "{}: the prefix leaves that out: {text}", edge.name);
}

/// Upstream filters of Envoy hold a body within limits; a callout's is there whole.
pub fn of_many_megabytes_are_signed_whole(edge: &Edge, moto: &Moto) {
    for size in [1_000_000, 9_000_000] {
        let body = every_byte(size);
        let answer = edge.send("PUT", "/prod/files/large", &[("content-type", "application/octet-stream")], &body);
        assert_eq!(answer.status().ok(), Some(201), "{} {size}: {}", edge.name, String::from_utf8_lossy(&answer.body));
        assert!(moto.s3("GET", "/files/large", b"") == body, "{} {size}: other bytes", edge.name);
    }
}
