//! That the attack would find something: gateways that do what they must not, and whether the client and the upstream tell.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::classes::{ordinary, shot};
use super::h2::frame;
use super::shot::{Aim, Shot};
use super::upstream::Upstream;

/// How many faults there are.
pub const COUNT: usize = FAULTS.len() + STREAMS.len() + ARRIVALS.len();

/// What a bad gateway answers to a request of HTTP/1.1, and why that is wrong.
const FAULTS: [(&str, &[u8]); 14] = [
    ("a second answer", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 1\r\n\r\n"),
    ("length and chunks", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a line end that is none", b"HTTP/1.1 200 OK\ncontent-length: 0\n\n"),
    ("a status that is none", b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n"),
    ("a name that is none", b"HTTP/1.1 200 OK\r\nx y: 1\r\ncontent-length: 0\r\n\r\n"),
    ("a NUL in a value", b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n"),
    ("a chunk that is too long", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"),
    ("an answer that ends early", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"),
    ("a status that is not right", b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"),
    ("a body with 204", b"HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nok"),
    ("a header of the gateway's own", b"HTTP/1.1 200 OK\r\nx-tollgate-cluster: c\r\ncontent-length: 0\r\n\r\n"),
    ("no answer at all", b""),
    ("another protocol", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
];

/// The same with frames: type, flags, stream, payload, behind SETTINGS.
const STREAMS: [(&str, u8, u8, u32, &[u8]); 6] = [
    ("DATA before HEADERS", 0, 1, 1, b"x"),
    ("HEADERS where nobody asked", 1, 5, 99, &[0x88]),
    ("a name in capitals", 1, 5, 1, &[0x88, 0, 1, b'X', 1, b'y']),
    ("no status", 1, 5, 1, &[0, 1, b'x', 1, b'y']),
    ("connection", 1, 5, 1, b"\x88\x00\x0aconnection\x05close"),
    ("PUSH_PROMISE", 5, 4, 1, &[0, 0, 0, 2, 0x88]),
];

/// What a bad gateway sends to an upstream.
const ARRIVALS: [(&str, &str); 6] = [
    ("what was hidden", "GET /proxy/smuggled HTTP/1.1\r\nhost: a\r\nx-attack-ticket: t1x0\r\n\r\n"),
    ("what nobody sent", "GET /proxy/x HTTP/1.1\r\nhost: a\r\n\r\n"),
    ("what somebody will send", "GET /proxy/x HTTP/1.1\r\nhost: a\r\nx-attack-ticket: t999999999x0\r\n\r\n"),
    (
        "what came before",
        "GET /proxy/x HTTP/1.1\r\nhost: a\r\nx-attack-ticket: t2x0\r\n\r\nGET /proxy/x HTTP/1.1\r\nhost: a\r\nx-attack-ticket: t2x0\r\n\r\n",
    ),
    ("a header of the gateway's own", "GET /proxy/x HTTP/1.1\r\nhost: a\r\nx-attack-ticket: t3x0\r\nx-tollgate-cluster: c\r\n\r\n"),
    ("two lengths", "GET /proxy/x HTTP/1.1\r\nhost: a\r\nx-attack-ticket: t4x0\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n"),
];

/// The faults that are not found.
pub fn blind_spots() -> Vec<&'static str> {
    let asked = |name: &str, wanted: fn(&Shot) -> bool| {
        (0..500).map(|number| shot(1, number, Some(name))).find(wanted).expect("there is one")
    };
    let plain = asked("methods, versions, protocols", |_| true);
    let plain = Shot {
        steps: vec![super::shot::Step::Send(ordinary(Aim::Kinds, "o1"))],
        methods: vec!["GET"],
        least: 1,
        is_ragged: false,
        statuses: &[200, 204],
        ..plain
    };
    let stream = Shot { least: 1, ..asked("HTTP/2: header blocks", |_| true) };
    let answered = |shot: &Shot, answer: &[u8]| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there are ports");
        let (address, answer) = (listener.local_addr().expect("it is bound"), answer.to_vec());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept()?;
            let read = stream.read(&mut [0; 4096])?;
            stream.write_all(&answer)?;
            stream.shutdown(std::net::Shutdown::Write)?;
            // Until the client has gone, so that nothing is reset.
            while stream.read(&mut [0; 4096])? > 0 {}
            std::io::Result::Ok(read)
        });
        let outcome = shot.fire(address, &ordinary(Aim::Kinds, "o1"), "o1");
        drop(server.join());
        outcome.find.is_some()
    };
    let settings = frame(4, 0, 0, &[]);
    let mut blind: Vec<&str> = FAULTS.iter().filter(|(_, answer)| !answered(&plain, answer)).map(|(what, _)| *what).collect();
    let unseen = STREAMS.iter().filter(|(_, kind, flags, id, payload)| {
        !answered(&stream, &[settings.clone(), frame(*kind, *flags, *id, payload)].concat())
    });
    blind.extend(unseen.map(|(what, ..)| *what));
    blind.extend(ARRIVALS.iter().filter(|(_, request)| !arrives(request)).map(|(what, _)| *what));
    blind
}

/// Whether an upstream tells that this came.
fn arrives(requests: &str) -> bool {
    let upstream = Upstream::start();
    upstream.expect(10);
    let mut stream = TcpStream::connect(upstream.address()).expect("it listens");
    for request in requests.split_inclusive("\r\n\r\n") {
        drop(stream.write_all(request.as_bytes()));
        drop(stream.read(&mut [0; 4096]));
    }
    !upstream.finds().is_empty()
}
