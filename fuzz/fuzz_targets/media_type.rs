//! Media types: [`MediaType::of_header`], [`MediaType::choose`], and which of them `binaryMediaTypes` has.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::http::{BinaryMediaTypes, MediaType};
use tollgate_fuzz::parts;

fuzz_target!(|data: &[u8]| {
    let [header, list] = parts(data);
    let list = String::from_utf8_lossy(list);
    let list: Vec<&str> = list.split('\n').collect();

    let media_type = MediaType::of_header(header);
    let text = media_type.as_str();
    assert!(!text.contains([',', ';']) && text == text.trim() && !text.contains(|c: char| c.is_ascii_uppercase()), "{text}");
    assert_eq!(MediaType::of_header(text.as_bytes()), media_type);
    let changed = [
        header.to_ascii_uppercase(),
        header.to_ascii_lowercase(),
        [b" \t", header].concat(),
        [header, b", a/b"].concat(),
        [header, b" ; q=0"].concat(),
    ];
    for header in &changed {
        assert_eq!(MediaType::of_header(header), media_type);
    }

    let entries: Vec<_> = list.iter().map(|entry| (MediaType::of_header(entry.as_bytes()), *entry)).collect();
    let chosen = MediaType::choose(Some(header), &entries).expect("there is at least one");
    let accepted = MediaType::of_header_or_json(Some(header));
    let of = |wanted: &str| entries.iter().any(|(media_type, _)| media_type.as_str() == wanted);
    let expected = if of(accepted.as_str()) {
        accepted.as_str()
    } else if of(MediaType::JSON) {
        MediaType::JSON
    } else {
        entries[0].0.as_str()
    };
    assert_eq!(chosen.0.as_str(), expected);

    let types = BinaryMediaTypes::new(&list);
    let is_one = types.contain(Some(header));
    for header in &changed {
        assert_eq!(types.contain(Some(header)), is_one);
    }
    let upper: Vec<_> = list.iter().map(|entry| entry.to_ascii_uppercase()).collect();
    let upper: Vec<_> = upper.iter().rev().map(String::as_str).collect();
    assert_eq!(BinaryMediaTypes::new(&upper).contain(Some(header)), is_one);
    // One entry is enough, and no other entry takes it away.
    let by_one: Vec<_> = list.iter().filter(|entry| BinaryMediaTypes::new(&[entry]).contain(Some(header))).collect();
    assert_eq!(!by_one.is_empty(), is_one);
    // A range in the header is covered by one that is as wide, or wider.
    if accepted.as_str().contains('*') {
        let covers =
            |entry: &str| {
                entry.trim().to_ascii_lowercase().strip_suffix('*').is_some_and(|start| {
                    matches!(start, "*/" | "") || (start.ends_with('/') && accepted.as_str().starts_with(start))
                })
            };
        assert!(by_one.iter().all(|entry| covers(entry)), "{accepted:?} {by_one:?}");
    }
    assert!(!BinaryMediaTypes::default().contain(Some(header)));
    assert!(BinaryMediaTypes::new(&["*/*"]).contain(Some(header)));
});
