//! What a pattern costs: the engine carries all the places along at which it may be, byte by byte.

/// How many places a pattern has, about: its characters and classes, as often as they and the groups around them are repeated.
pub fn weight(source: &str) -> u64 {
    let most = |count: &str| count.split(',').filter_map(|end| end.trim().parse::<u64>().ok()).max().unwrap_or(1);
    // What stands before each open group; what stands before the last part of the innermost, and that part.
    let (mut open, mut sum, mut last) = (Vec::new(), 0u64, 0u64);
    let mut rest = source.chars();
    while let Some(character) = rest.next() {
        let before = sum.saturating_add(last);
        match character {
            '(' => {
                open.push(before);
                (sum, last) = (0, 0);
            }
            ')' => (sum, last) = (open.pop().unwrap_or(0), before),
            '{' => {
                let count: String = rest.by_ref().take_while(|character| *character != '}').collect();
                last = last.saturating_mul(most(&count).max(1));
            }
            _ => {
                while let Some(next) = (character == '[').then(|| rest.next()).flatten().filter(|next| *next != ']') {
                    (next == '\\').then(|| rest.next());
                }
                (character == '\\').then(|| rest.next());
                (sum, last) = (before, 1);
            }
        }
    }
    sum.saturating_add(last)
}

/// The steps of going once through so many bytes: at each the engine may be at all places.
pub fn steps(bytes: usize, weight: u64) -> u64 {
    (bytes as u64).saturating_mul(weight.saturating_mul(2).saturating_add(1)).saturating_add(8)
}

#[cfg(test)]
mod tests {
    use super::weight;

    #[test]
    fn what_is_repeated_weighs_as_often() {
        for (source, places) in
            [("", 0), ("^a$", 3), ("[a-z\\]]{2,8}", 8), ("a(b{3}|c){2,10}d", 52), ("\\(\\d{4}", 5), ("((a{9}){9}){9}", 729)]
        {
            assert_eq!(weight(source), places, "{source}");
        }
    }
}
