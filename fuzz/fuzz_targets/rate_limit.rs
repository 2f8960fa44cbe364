//! What a rate limit service says: a request passes when it says yes to each question, and to nothing else.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use tollgate::gateway::Gateway;
use tollgate::http::ResponseHead;
use tollgate::protobuf::{Field, take_field};
use tollgate_fuzz::documents::{API_KEY, DOCUMENTS};
use tollgate_fuzz::{World, ask, gateway, reply, request};

/// One that is closed when the service says nothing, and one that is open.
static GATEWAYS: LazyLock<[Arc<Gateway>; 2]> = LazyLock::new(|| [4, 5].map(|number| Arc::new(gateway(&DOCUMENTS[number]))));

/// `overall_code`, of a message that is one all the way down.
fn says(mut message: &[u8]) -> Option<u64> {
    let mut code = 0;
    while !message.is_empty() {
        if let (1, Field::Varint(number)) = take_field(&mut message)? {
            code = number;
        }
    }
    Some(code)
}

fuzz_target!(|data: &[u8]| {
    let place = data.iter().position(|byte| *byte == 0xff).unwrap_or(data.len());
    let answers = [&data[..place], data.get(place + 1..).unwrap_or_default()];
    for (gateway, is_open) in GATEWAYS.iter().zip([false, true]) {
        let world = World::default();
        let mut host = world.worker();
        host.has_known_log = false;
        let mut given = Vec::new();
        let mut answer = |_: &tollgate::flow::Callout| {
            let body = answers[given.len().min(1)];
            given.push(body);
            reply(200, &[], body)
        };
        let head = request("GET", "/prod/key", "api.test", &[("x-api-key", API_KEY)]);
        let upstream = ResponseHead { status: 200, ..ResponseHead::default() };
        let asked = ask(gateway, head, &mut host, &mut answer, &upstream);
        let codes: Vec<_> = given.iter().map(|body| says(body)).collect();
        let passed = asked.forwarded.is_some();
        assert!((1..=2).contains(&codes.len()), "{codes:?}");
        if is_open {
            assert!(passed || codes.contains(&Some(2)), "{codes:?}: {asked:?}");
        } else {
            assert!(!passed || codes == [Some(1), Some(1)], "{codes:?}");
            assert!(passed || matches!(asked.status(), 429 | 503), "{asked:?}");
        }
        let response = asked.response.expect("an answer");
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            let values: Vec<_> = response.head.headers.get_all(name).collect();
            assert!(values.len() <= 1);
            for value in values {
                assert!(value.iter().all(|byte| byte.is_ascii_digit() || b", ;w=".contains(byte)), "{name}: {value:?}");
            }
        }
        // What was not admitted counts nowhere here, and what was counts once.
        let slots = world.keys().iter().filter_map(|key| world.value(key)).count();
        assert!(slots <= 3);
    }
});
