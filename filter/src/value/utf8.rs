//! Bytes that should be a text, and may be none.

use std::borrow::Cow;

/// The text of bytes: what is no UTF-8 is replaced as the standard library replaces it, but several times as fast, for whoever sends
/// megabytes of nothing else. It ends soon after so many bytes.
pub fn lossy(bytes: &[u8], limit: usize) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len().min(limit));
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if out.len() > limit {
            break;
        }
        let (follow, second) = match first {
            0..=0x7f => {
                out.push(char::from(*first));
                rest = tail;
                continue;
            }
            0xc2..=0xdf => (1, 0x80..=0xbf),
            0xe0 => (2, 0xa0..=0xbf),
            0xed => (2, 0x80..=0x9f),
            0xe1..=0xef => (2, 0x80..=0xbf),
            0xf0 => (3, 0x90..=0xbf),
            0xf1..=0xf3 => (3, 0x80..=0xbf),
            0xf4 => (3, 0x80..=0x8f),
            _ => (0, 0..=0),
        };
        let found = match tail {
            [next, more @ ..] if follow > 0 && second.contains(next) => {
                1 + more.iter().take(follow - 1).take_while(|byte| (0x80..=0xbf).contains(*byte)).count()
            }
            _ => 0,
        };
        let (sequence, tail) = rest.split_at_checked(1 + found).unwrap_or_default();
        out.push_str(if found > 0 && found == follow { std::str::from_utf8(sequence).unwrap_or_default() } else { "\u{fffd}" });
        rest = tail;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::lossy;
    use proptest::prelude::*;

    #[test]
    fn it_ends_soon_after_its_limit() {
        assert_eq!(lossy(&[0xff; 100], 7), "\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(lossy(b"abc", 1), "abc");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn it_replaces_what_the_standard_library_replaces(
            bytes in prop::collection::vec(prop::sample::select(vec![0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
                0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]), 0..12)
        ) {
            prop_assert_eq!(lossy(&bytes, usize::MAX), String::from_utf8_lossy(&bytes));
        }
    }
}
