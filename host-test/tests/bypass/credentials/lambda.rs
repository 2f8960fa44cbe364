//! What functions are asked about: tokens and identities, known and unknown ones.

use super::Credential;
use crate::bypass::functions::{ELSEWHERE, WORDS, Word};

/// All but the right ones.
pub fn all() -> Vec<Credential> {
    bad_tokens().into_iter().chain(bad_identities()).collect()
}

fn bad_tokens() -> Vec<Credential> {
    let shown = |name: &str, value: &str| Credential::new(&format!("TOKEN: {name}")).header("authorization", value);
    let other = |name: &str, value: &str| Credential::new(&format!("TOKEN: {name}")).header("x-token", value);
    let mut all = Vec::new();
    // The function would know these: the expression, or what an identity is, has to stop them.
    let mismatches = [
        ("empty", ""),
        ("a space", " "),
        ("another scheme", "Basic tok-abc"),
        ("no scheme", "tok-abc"),
        ("another case", "Bearer TOK-abc"),
        ("digits", "Bearer tok-123"),
        ("more in front", "xBearer tok-abc"),
        ("more behind", "Bearer tok-abc; admin"),
        ("a second token behind", "Bearer tok-abc,Bearer tok-abc"),
        ("a tab", "Bearer\ttok-abc"),
        ("two spaces", "Bearer  tok-abc"),
        ("nothing behind the dash", "Bearer tok-"),
        ("Latin-1", "Bearer tok-ab\u{e7}"),
        ("an encoded letter", "Bearer tok-%61bc"),
    ];
    all.extend(mismatches.map(|(name, value)| shown(name, value).word(Word::Known, value)));
    all.extend([
        shown("two headers", "Bearer tok-abc").header("authorization", "Bearer tok-abc").word(Word::Known, "-"),
        shown("two headers, one wrong", "Bearer tok-abc").header("authorization", "x").word(Word::Known, "-"),
        other("X-Token empty", "").word(Word::Known, "-"),
        other("X-Token twice", "letmein").header("x-token", "letmein").word(Word::Known, "-"),
        other("X-Token twice, one wrong", "letmein").header("X-Token", "wrong").word(Word::Known, "-"),
        other("X-Token that is no UTF-8", "letmein\u{ff}").word(Word::Known, "-"),
        Credential::new("TOKEN: in the query").query("authorization=Bearer%20tok-abc&x-token=letmein").word(Word::Known, "-"),
        Credential::new("TOKEN: in X_Token").header("x_token", "letmein").word(Word::Known, "-"),
    ]);
    for (place, word) in WORDS.into_iter().filter(|word| *word != Word::Known).enumerate() {
        let letter = char::from(b'a' + u8::try_from(place).expect("there are few words"));
        let (bearer, value) = (format!("Bearer tok-z{letter}"), format!("bad-{letter}"));
        let says = (word == Word::Elsewhere).then_some(&ELSEWHERE);
        all.push(shown(&format!("the function says {word:?}"), &bearer).word(word, &bearer).worth(|w| w.token = says));
        all.push(
            other(&format!("X-Token, and the function says {word:?}"), &value).word(word, &value).worth(|w| w.any_token = says),
        );
    }
    all
}

fn bad_identities() -> Vec<Credential> {
    let shown =
        |name: &str, user: &str, tenant: &str| Credential::new(&format!("REQUEST: {name}")).header("x-user", user).query(tenant);
    let mut all = vec![
        Credential::new("REQUEST: no user").query("tenant=acme").word(Word::Known, "-"),
        // Simple authorizers ask for the user alone.
        Credential::new("REQUEST: no tenant").header("x-user", "alice").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("an empty tenant", "alice", "tenant=").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("a tenant without a value", "alice", "tenant").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("a tenant in another case", "alice", "Tenant=acme").word(Word::Known, "alice").worth(|w| w.user = true),
        shown("an empty user", "", "tenant=acme").word(Word::Known, "-"),
        shown("a user that is no UTF-8", "alice\u{ff}", "tenant=acme").word(Word::Known, "-"),
        Credential::new("REQUEST: both in the query").query("x-user=alice&tenant=acme").word(Word::Known, "-"),
        Credential::new("REQUEST: both in headers")
            .header("x-user", "alice")
            .header("tenant", "acme")
            .word(Word::Known, "alice")
            .worth(|w| w.user = true),
        // HTTP APIs join what is repeated, and ask; the function knows nobody of that name.
        shown("two users", "alice", "tenant=acme").header("x-user", "mallory").word(Word::Denied, "alice,mallory"),
        shown("two users, the known one last", "mallory", "tenant=acme")
            .header("x-user", "alice")
            .word(Word::Denied, "mallory,alice"),
    ];
    for (place, word) in WORDS.into_iter().filter(|word| *word != Word::Known).enumerate() {
        let user = format!("user-{place}");
        let says = (word == Word::Elsewhere).then_some(&ELSEWHERE);
        let credential = shown(&format!("the function says {word:?}"), &user, "tenant=acme").word(word, &user);
        all.push(credential.worth(|w| w.user_and_tenant = says));
    }
    all
}
