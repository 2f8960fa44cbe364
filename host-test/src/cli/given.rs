//! What is written on the command line itself or in a file that it names: bodies, answers, header fields.

use std::path::Path;

use tollgate::http::{is_field_name, is_field_value};

use super::Failure;
use super::source::read_bytes;

/// A text as it stands, or the content of a file behind `@`; `@-` is the standard input.
pub fn bytes(given: &str) -> Result<Vec<u8>, Failure> {
    match given.strip_prefix('@') {
        None => Ok(given.as_bytes().to_vec()),
        Some(file) => {
            read_bytes(Path::new(file), "write `@` and the name of a file, `@-` for the standard input").map(|(_, bytes)| bytes)
        }
    }
}

/// `Name: value`, as curl takes it, or `NAME=VALUE`: neither sign can be part of a name.
pub fn header(text: &str) -> Result<(String, String), String> {
    let wrong = || format!("`{text}` is no header: write `Name: value`");
    let (name, value) = text.split_once([':', '=']).ok_or_else(wrong)?;
    let (name, value) = (name.trim(), value.trim());
    if !is_field_name(name) || !is_field_value(value.as_bytes()) {
        return Err(wrong());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Folder;

    #[test]
    fn a_text_stands_for_itself_and_a_file_for_what_is_in_it() {
        let folder = Folder::new();
        let file = folder.write("body.json", "{}\n");
        assert_eq!(bytes("a@b").unwrap(), b"a@b");
        assert_eq!(bytes(&format!("@{}", file.display())).unwrap(), b"{}\n");
        let gone = bytes("@/no/such/file").unwrap_err();
        assert!(gone.message.contains("there is no such file"), "{}", gone.message);
    }

    #[test]
    fn a_header_is_written_as_curl_takes_it_or_as_a_pair() {
        for given in ["X-A: 1=2:3", "X-A:1=2:3", "X-A=1=2:3", " X-A : 1=2:3 "] {
            assert_eq!(header(given), Ok(("X-A".to_owned(), "1=2:3".to_owned())), "{given}");
        }
        assert_eq!(header("x-empty:"), Ok(("x-empty".to_owned(), String::new())));
        for wrong in ["x", ": v", "a b: c", "a: b\nc"] {
            assert!(header(wrong).is_err(), "{wrong}");
        }
    }
}
