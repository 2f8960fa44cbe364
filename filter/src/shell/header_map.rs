//! Header maps, read and written whole: all headers at once cost the host no more than one. The SDK's own calls copy each name and
//! value twice, and panic on a status that they do not expect; a panic strands every stream of the worker.

use proxy_wasm::types::MapType;

#[link(wasm_import_module = "env")]
#[expect(unsafe_code, reason = "the host calls exist only as imports")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_set_header_map_pairs(map: u32, data: *const u8, size: usize) -> u32;
}

/// A map as it came: count, sizes of all pairs, then names and values, each ended by a zero.
#[derive(Default)]
pub struct HeaderMap(Vec<u8>);

/// Its pairs, in order; they end where the map is broken off.
struct Pairs<'a> {
    sizes: &'a [u8],
    texts: &'a [u8],
}

// === impl HeaderMap ===

impl HeaderMap {
    /// Of the stream at hand; empty where the host has none.
    pub fn read(map: MapType) -> Self {
        let (mut data, mut size) = (std::ptr::null_mut(), 0);
        #[expect(unsafe_code, reason = "both places outlive the call")]
        let status = unsafe { proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut size) };
        if status != 0 || data.is_null() {
            return Self::default();
        }
        #[expect(unsafe_code, reason = "the host took the memory from this module's allocator, of this size, and leaves it to us")]
        Self(unsafe { Vec::from_raw_parts(data, size, size) })
    }

    /// Names that are no text are none of HTTP's.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let count = self.0.first_chunk().map_or(0, |count| u32::from_le_bytes(*count)) as usize;
        let rest = self.0.get(4..).unwrap_or_default();
        let (sizes, texts) = rest.split_at_checked(count.saturating_mul(8)).unwrap_or_default();
        Pairs { sizes, texts }.filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)))
    }
}

/// False when the host did not take them.
pub fn write<'a>(map: MapType, pairs: impl Iterator<Item = (&'a str, &'a [u8])> + Clone) -> bool {
    let bytes = serialize(pairs);
    #[expect(unsafe_code, reason = "the pointer is that of a live slice, with its length")]
    let status = unsafe { proxy_set_header_map_pairs(map as u32, bytes.as_ptr(), bytes.len()) };
    status == 0
}

/// The ABI's form of a map.
pub fn serialize<'a>(pairs: impl Iterator<Item = (&'a str, &'a [u8])> + Clone) -> Vec<u8> {
    let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let (count, size) =
        pairs.clone().fold((0, 4), |(count, size), (name, value)| (count + 1, size + name.len() + value.len() + 10));
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&word(count));
    for (name, value) in pairs.clone() {
        bytes.extend_from_slice(&word(name.len()));
        bytes.extend_from_slice(&word(value.len()));
    }
    for (name, value) in pairs {
        for text in [name.as_bytes(), value] {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
    }
    bytes
}

// === impl Pairs ===

impl<'a> Pairs<'a> {
    /// The next text, whose size comes first among the sizes, and its zero.
    fn text(&mut self) -> Option<&'a [u8]> {
        let (size, sizes) = self.sizes.split_first_chunk()?;
        let (text, rest) = self.texts.split_at_checked(u32::from_le_bytes(*size) as usize)?;
        (self.sizes, self.texts) = (sizes, rest.get(1..)?);
        Some(text)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.text()?, self.text()?))
    }
}
