//! Tokens that look like the provider's and are not.

/// The token with a signature of which one character is another one.
pub fn with_wrong_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a token has three parts");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

/// The token with a header that names another key. The payload is still one that would pass.
pub fn with_key(token: &str, kid: &str) -> String {
    let (_, rest) = token.split_once('.').expect("a token has three parts");
    let header = format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{kid}"}}"#);
    format!("{}.{rest}", base64url(header.as_bytes()))
}

/// A name that no key has, another one for each number.
pub fn unknown_key(number: u64) -> String {
    // Steele, Lea, Flood: "Fast splittable pseudorandom number generators". The same names in every run.
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("{:016x}", mixed ^ (mixed >> 31))
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0_usize, |word, (index, byte)| word | usize::from(*byte) << (16 - 8 * index));
        out.extend((0..=chunk.len()).map(|index| char::from(ALPHABET[word >> (18 - 6 * index) & 63])));
    }
    out
}
