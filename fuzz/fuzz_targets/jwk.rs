//! Key sets: [`KeySet::parse`], as one that was fetched and as one of the document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tollgate::jose::{Algorithm, InvalidKeySet, KeySet, Origin};

fuzz_target!(|data: &[u8]| {
    for origin in [Origin::Fetched, Origin::Document] {
        let read = KeySet::parse(data, origin);
        let again = KeySet::parse(data, origin);
        assert_eq!(format!("{read:?}"), format!("{again:?}"));
        let (keys, skipped) = match read {
            Ok(read) => read,
            Err(invalid) => {
                assert!(origin == Origin::Document || invalid != InvalidKeySet::Mixed, "a fetched set has no secrets");
                continue;
            }
        };
        let value: Value = serde_json::from_slice(data).expect("a key set is JSON");
        let members = value["keys"].as_array().expect("a key set has `keys`");

        // Each key is used, or told to be left out, once.
        assert_eq!(keys.len() + skipped.len(), members.len());
        let mut places: Vec<_> = skipped.iter().map(|key| key.index).collect();
        places.sort_unstable();
        places.dedup();
        assert!(places.len() == skipped.len() && places.last().is_none_or(|last| *last < members.len()));
        for key in &skipped {
            assert!(!key.to_string().contains(char::is_control), "{key}");
            assert_eq!(key.kid.as_deref(), members[key.index]["kid"].as_str());
        }

        let names = members.iter().map(|member| member["kid"].as_str());
        for kid in names.chain([None]) {
            let secret = keys.contains(kid, Algorithm::Hs256);
            let public = [Algorithm::Rs256, Algorithm::Ps512, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa];
            assert!(!secret || origin == Origin::Document, "who can fetch it could sign");
            assert!(!secret || !public.iter().any(|algorithm| keys.contains(kid, *algorithm)), "secrets beside public keys");
        }
    }
});
