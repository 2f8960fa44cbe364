//! HTTP/2: header blocks that no client sends, frames in the wrong place, floods.

use loona_hpack::Decoder;

use super::super::h2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITY, PUSH_PROMISE, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, block, frame,
};
use super::super::shot::{Aim, Shot, Step};
use super::super::upstream::{ANSWER, TICKET};
use super::{Make, NO_ERROR, ticket};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What a connection begins with; nothing else is said about it.
fn opening() -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()
}

fn fields(method: &str, path: &str, ticket: &str) -> Fields {
    [(":method", method), (":scheme", "http"), (":path", path), (":authority", "gateway.test"), (TICKET, ticket)]
        .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .into()
}

fn shot(make: &Make, name: String, bytes: Vec<u8>, streams: Vec<u32>, least: usize) -> Shot {
    let mut shot = make.one_request(name, Aim::Kinds, "GET", bytes, NO_ERROR);
    (shot.is_h2, shot.streams, shot.least) = (true, streams, least);
    shot
}

/// A request on stream 1 whose header block is odd.
pub fn blocks(make: &mut Make) -> Shot {
    const NAMES: [&[u8]; 26] = [
        b"X-Upper",
        b"x y",
        b"",
        b"x\0",
        b"x\r\ny",
        b"x\xff",
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"transfer-encoding",
        b"upgrade",
        b"te",
        b"host",
        b":path",
        b":method",
        b":authority",
        b":scheme",
        b":status",
        b":protocol",
        b":unknown",
        b":",
        b"content-length",
        b"cookie",
        b"x-tollgate-cluster",
        b"x-envoy-original-path",
        b"authorization",
    ];
    const VALUES: [&[u8]; 18] = [
        b"",
        b"x",
        b"chunked",
        b"trailers",
        b"a\r\nx: y",
        b"a\nb",
        b"a\0b",
        b"\xff\xfe",
        b" padded ",
        b"/k/proxy/smuggled",
        b"GET",
        b"evil.test",
        b"5",
        b"-1",
        b"websocket",
        b"keep-alive",
        b"*",
        b"http",
    ];
    let method = make.one(&["GET", "POST", "HEAD", "CONNECT", "OPTIONS", "G T", "", "get"]);
    let path = make.one(&[
        "/k/proxy/x",
        "/k/proxy/x",
        "/k/proxy/x",
        "",
        "*",
        "k/proxy/x",
        "http://gateway.test/k/proxy/x",
        "/k/proxy/x y",
        "/k/proxy/\0",
        "/k/../proxy/x",
        "/k/proxy/%2e%2e/x",
        "/k/proxy\\x",
        "/k/proxy/x#y",
        "/k/proxy/x\r\nx: y",
        "//",
    ]);
    let mut all = fields(method, path, &make.ticket(0));
    let mut done = Vec::new();
    for _ in 0..make.between(0, 3) {
        let place = make.random.below(all.len());
        match make.random.below(6) {
            // Without its ticket nobody knows it.
            0 if all[place].0 != TICKET.as_bytes() => {
                let gone = all.remove(place);
                done.push(format!("without {}", String::from_utf8_lossy(&gone.0)));
                if all.is_empty() {
                    break;
                }
            }
            1 => {
                all.push(all[place].clone());
                done.push(format!("twice {}", String::from_utf8_lossy(&all[place].0)));
            }
            2 => {
                let to = make.random.below(all.len());
                all.swap(place, to);
                done.push(format!("{place} and {to} swapped"));
            }
            3 => {
                let length = make.between(1, 60);
                let (name, value) = (make.bytes(length % 20), make.bytes(length));
                all.push((name, value));
                done.push("noise".to_owned());
            }
            _ => {
                let (name, value) = (make.one(&NAMES), make.one(&VALUES));
                all.insert(place + make.random.below(2), (name.to_vec(), value.to_vec()));
                done.push(format!("{:?}: {:?} at {place}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)));
            }
        }
    }
    let mut block = block(&all);
    match make.random.below(14) {
        0 => {
            let length = make.between(1, 40);
            block.extend(make.bytes(length));
            done.push("noise behind the block".to_owned());
        }
        1 => {
            block.truncate(make.random.below(block.len().max(1)));
            // Between two fields it would be a whole one, without a ticket.
            while Decoder::new().decode(&block).is_ok() && block.pop().is_some() {}
            done.push("half a block".to_owned());
        }
        2 => {
            let odd = make.one::<&[u8]>(&[
                b"\x80",
                b"\xff\xff\xff\xff\xff\xff\x0f",
                b"\x3f\xff\xff\xff\x7f",
                b"\xbe",
                b"\x00\x7f\xff\xff\xff\xff\x7f",
                b"\x00\x81\xff\x81\xff",
                b"\x20",
                b"\x40\x01x\xff",
            ]);
            block.splice(..0, odd.iter().copied());
            done.push(format!("{odd:?} before it"));
        }
        _ => {}
    }
    let name = format!("{method} {path:?} {done:?}");
    let bytes = [opening(), frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)].concat();
    let is_sound = done.is_empty() && path == "/k/proxy/x" && ["GET", "POST", "HEAD", "OPTIONS"].contains(&method);
    shot(make, name, bytes, vec![1], usize::from(is_sound))
}

/// Frames in the wrong place, of the wrong size, on the wrong stream, around a request on stream 1.
pub fn frames(make: &mut Make) -> Shot {
    let number = make.number;
    let head = |method: &str, place: usize, more: &[(&str, &str)]| {
        let mut all = fields(method, "/k/proxy/x", &ticket(number, place));
        all.extend(more.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())));
        block(&all)
    };
    let (get, post, post5) = (head("GET", 0, &[]), head("POST", 0, &[]), head("POST", 0, &[("content-length", "5")]));
    let trailers = |list: &[(&str, &str)]| {
        block(&list.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect::<Fields>())
    };
    let end = END_STREAM | END_HEADERS;
    let length = make.between(0, 40);
    // Its first byte makes a length of it that no frame may have; otherwise the gateway waits for the rest, as it should.
    let noise = [vec![0xff], make.bytes(length)].concat();
    let (kind, flags, stream) = (
        u8::try_from(make.random.below(16)).expect("small"),
        u8::try_from(make.random.below(256)).expect("a byte"),
        u32::try_from(make.random.below(6)).expect("small"),
    );
    let post_of = |bodies: &[(&[u8], u8)]| -> Vec<Vec<u8>> {
        [vec![frame(HEADERS, END_HEADERS, 1, &post5)], bodies.iter().map(|(body, flags)| frame(DATA, *flags, 1, body)).collect()]
            .concat()
    };
    let mut streams = vec![1];
    let (name, frames): (String, Vec<Vec<u8>>) = match make.random.below(42) {
        0 => ("DATA is shorter than content-length".into(), post_of(&[(b"abc", END_STREAM)])),
        1 => ("DATA is longer than content-length".into(), post_of(&[(b"abcdefgh", END_STREAM)])),
        2 => ("no DATA for a content-length".into(), vec![frame(HEADERS, end, 1, &post5)]),
        3 => ("two pieces and an empty one".into(), post_of(&[(b"abc", 0), (b"de", 0), (b"", END_STREAM)])),
        4 => ("DATA behind the end".into(), post_of(&[(b"abcde", END_STREAM), (b"x", 0)])),
        5 => ("DATA on stream 0".into(), vec![frame(DATA, 0, 0, b"x")]),
        6 => ("DATA on an idle stream".into(), vec![frame(DATA, END_STREAM, 5, b"x")]),
        7 => ("HEADERS on stream 0".into(), vec![frame(HEADERS, end, 0, &get)]),
        8 => ("HEADERS on an even stream".into(), vec![frame(HEADERS, end, 2, &get)]),
        9 => ("HEADERS twice".into(), vec![frame(HEADERS, end, 1, &get), frame(HEADERS, end, 1, &get)]),
        10 => ("streams backwards".into(), {
            streams = vec![1, 7];
            vec![frame(HEADERS, end, 7, &get), frame(HEADERS, end, 1, &head("GET", 1, &[]))]
        }),
        11 => ("HEADERS in pieces".into(), {
            let (a, b) = get.split_at(get.len() / 2);
            vec![frame(HEADERS, END_STREAM, 1, a), frame(CONTINUATION, 0, 1, &[]), frame(CONTINUATION, END_HEADERS, 1, b)]
        }),
        12 => (
            "CONTINUATION on another stream".into(),
            vec![frame(HEADERS, END_STREAM, 1, &get[..9]), frame(CONTINUATION, END_HEADERS, 3, &get[9..])],
        ),
        13 => (
            "PING within a header block".into(),
            vec![
                frame(HEADERS, END_STREAM, 1, &get[..9]),
                frame(PING, 0, 0, &[0; 8]),
                frame(CONTINUATION, END_HEADERS, 1, &get[9..]),
            ],
        ),
        14 => ("CONTINUATION from nowhere".into(), vec![frame(CONTINUATION, END_HEADERS, 1, &get)]),
        15 => (
            "padding longer than the frame".into(),
            vec![frame(DATA, PADDED, 1, &[200, 1]), frame(HEADERS, end | PADDED, 1, &[[250].as_slice(), &get].concat())],
        ),
        16 => ("padded".into(), vec![frame(HEADERS, end | PADDED, 1, &[[3].as_slice(), &get, &[0; 3]].concat())]),
        17 => ("depends on itself".into(), vec![frame(HEADERS, end | 0x20, 1, &[[0, 0, 0, 1, 16].as_slice(), &get].concat())]),
        18 => ("PRIORITY of 4 bytes".into(), vec![frame(PRIORITY, 0, 1, &[0; 4])]),
        19 => ("RST_STREAM of an idle stream".into(), vec![frame(RST_STREAM, 0, 9, &[0, 0, 0, 8])]),
        20 => ("RST_STREAM of 3 bytes".into(), vec![frame(HEADERS, END_HEADERS, 1, &post), frame(RST_STREAM, 0, 1, &[0; 3])]),
        21 => ("SETTINGS of 5 bytes".into(), vec![frame(SETTINGS, 0, 0, &[0; 5])]),
        22 => ("SETTINGS on a stream".into(), vec![frame(SETTINGS, 0, 1, &[0; 6])]),
        23 => ("an ACK with content".into(), vec![frame(SETTINGS, 1, 0, &[0; 6])]),
        24 => ("an initial window beyond 31 bits".into(), vec![frame(SETTINGS, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff])]),
        25 => ("a frame size below the least".into(), vec![frame(SETTINGS, 0, 0, &[0, 5, 0, 0, 0, 1])]),
        26 => ("an initial window of 0, and 1 byte at a time".into(), {
            let mut all = vec![frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]), frame(HEADERS, end, 1, &get)];
            all.extend((0..4).map(|_| frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])));
            all.push(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]));
            all
        }),
        27 => ("WINDOW_UPDATE of 0".into(), vec![frame(HEADERS, END_HEADERS, 1, &post), frame(WINDOW_UPDATE, 0, 1, &[0; 4])]),
        28 => ("the window beyond 31 bits".into(), vec![frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])]),
        29 => (
            "the window of a stream beyond 31 bits".into(),
            vec![frame(HEADERS, END_HEADERS, 1, &post), frame(WINDOW_UPDATE, 0, 1, &[0x7f, 0xff, 0xff, 0xff])],
        ),
        30 => ("PUSH_PROMISE".into(), vec![frame(PUSH_PROMISE, END_HEADERS, 1, &[[0, 0, 0, 2].as_slice(), &get].concat())]),
        31 => ("GOAWAY, then a request".into(), vec![frame(GOAWAY, 0, 0, &[0; 8]), frame(HEADERS, end, 1, &get)]),
        32 => ("PING of 7 bytes".into(), vec![frame(PING, 0, 0, &[0; 7])]),
        33 => ("an ACK of no PING".into(), vec![frame(PING, 1, 0, &[7; 8]), frame(HEADERS, end, 1, &get)]),
        34 => (
            "a frame of 16,385 bytes".into(),
            vec![frame(HEADERS, END_HEADERS, 1, &post), frame(DATA, END_STREAM, 1, &[b'x'; 16_385])],
        ),
        35 => (
            "trailers".into(),
            [post_of(&[(b"abcde", 0)]), vec![frame(HEADERS, end, 1, &trailers(&[("x-trailer", "1")]))]].concat(),
        ),
        36 => (
            "trailers with a pseudo-header".into(),
            [post_of(&[(b"abcde", 0)]), vec![frame(HEADERS, end, 1, &trailers(&[(":path", "/k/proxy/smuggled")]))]].concat(),
        ),
        37 => (
            "trailers that do not end".into(),
            [
                post_of(&[(b"abcde", 0)]),
                vec![frame(HEADERS, END_HEADERS, 1, &trailers(&[("x", "1")])), frame(DATA, END_STREAM, 1, b"y")],
            ]
            .concat(),
        ),
        38 => (
            "trailers of the gateway's own".into(),
            [
                post_of(&[(b"abcde", 0)]),
                vec![frame(
                    HEADERS,
                    end,
                    1,
                    &trailers(&[("x-tollgate-cluster", "evil"), ("content-length", "9"), ("authorization", "x")]),
                )],
            ]
            .concat(),
        ),
        39 => ("another preface".into(), vec![PREFACE.to_vec(), frame(HEADERS, end, 1, &get)]),
        40 => (
            format!("type {kind}, flags {flags}, stream {stream}"),
            vec![frame(kind, flags, stream, &noise), frame(HEADERS, end, 1, &get)],
        ),
        _ => ("noise".to_owned(), vec![noise.clone(), frame(HEADERS, end, 1, &get)]),
    };
    // What there is nothing wrong with.
    const SOUND: [&str; 6] = [
        "two pieces and an empty one",
        "HEADERS in pieces",
        "padded",
        "an initial window of 0, and 1 byte at a time",
        "trailers",
        "an ACK of no PING",
    ];
    let least = usize::from(SOUND.contains(&name.as_str()));
    // A frame of made-up type may open a stream of its own.
    streams.extend([3, 5]);
    let bytes = [opening(), frames.concat()].concat();
    shot(make, name, bytes, streams, least)
}

/// Many of something.
pub fn floods(make: &mut Make) -> Shot {
    let number = make.number;
    let many = make.between(200, 3_000);
    let end = END_STREAM | END_HEADERS;
    let get = |place: usize, path: &str, more: &[(&str, &str)]| {
        let mut all = fields("GET", path, &ticket(number, place));
        all.extend(more.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())));
        block(&all)
    };
    let odd = |place: usize| u32::try_from(2 * place + 1).expect("small");
    let all_streams = |count: usize| (0..count).map(odd).collect::<Vec<u32>>();
    let reset = |stream: u32| frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    let (name, bytes, streams): (String, Vec<u8>, Vec<u32>) = match make.random.below(12) {
        0 => (
            format!("{many} empty CONTINUATION"),
            [frame(HEADERS, END_STREAM, 1, &get(0, "/k/mock", &[])), frame(CONTINUATION, 0, 1, &[]).repeat(many)].concat(),
            vec![1],
        ),
        1 => (
            format!("{many} CONTINUATION of a header each"),
            [
                frame(HEADERS, END_STREAM, 1, &get(0, "/k/mock", &[])),
                frame(CONTINUATION, 0, 1, &block(&[(b"x-y".to_vec(), b"z".to_vec())])).repeat(many),
            ]
            .concat(),
            vec![1],
        ),
        2 => (
            format!("{many} streams reset at once"),
            (0..many).flat_map(|n| [frame(HEADERS, end, odd(n), &get(n, "/k/mock", &[])), reset(odd(n))].concat()).collect(),
            all_streams(many),
        ),
        3 => (
            "90 streams reset while an authorizer is asked".into(),
            {
                (0..90)
                    .flat_map(|n| {
                        [
                            frame(HEADERS, end, odd(n), &get(n, "/k/token/x", &[("x-token", "word-deny")])),
                            if n % 2 == 0 { reset(odd(n)) } else { Vec::new() },
                        ]
                        .concat()
                    })
                    .collect()
            },
            all_streams(90),
        ),
        4 => (
            "40 streams reset while a backend is slow".into(),
            (0..40)
                .flat_map(|n| [frame(HEADERS, end, odd(n), &get(n, "/k/proxy/x", &[(ANSWER, "slow")])), reset(odd(n))].concat())
                .collect(),
            all_streams(40),
        ),
        5 => (format!("{many} SETTINGS"), frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]).repeat(many), Vec::new()),
        6 => (format!("{many} PING"), frame(PING, 0, 0, &[1; 8]).repeat(many), Vec::new()),
        7 => (
            format!("{many} empty DATA"),
            [frame(HEADERS, END_HEADERS, 1, &get(0, "/k/proxy/x", &[])), frame(DATA, 0, 1, &[]).repeat(many)].concat(),
            vec![1],
        ),
        8 => {
            (format!("{many} PRIORITY"), (0..many).flat_map(|n| frame(PRIORITY, 0, odd(n), &[0, 0, 0, 0, 1])).collect(), Vec::new())
        }
        9 => (format!("{many} WINDOW_UPDATE"), frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(many), Vec::new()),
        10 => (
            "300 streams at once".into(),
            (0..300).flat_map(|n| frame(HEADERS, end, odd(n), &get(n, "/k/mock", &[]))).collect(),
            all_streams(300),
        ),
        _ => (
            "120 streams that do not end".into(),
            (0..120).flat_map(|n| frame(HEADERS, END_HEADERS, odd(n), &get(n, "/k/http/7", &[]))).collect(),
            all_streams(120),
        ),
    };
    let mut shot = shot(make, name, [opening(), bytes].concat(), streams, 0);
    if make.random.below(4) == 0 {
        shot.steps.push(Step::Reset);
    }
    shot
}
