//! The status code in a MOCK request template. AWS reads it with net.minidev json-smart in its permissive mode: names and values
//! without quotes, single quotes, empty members and whatever follows the closing brace are accepted. Which forms are accepted and
//! refused is assumed(mock-tolerant-json), by what an emulator's authors say they probed on AWS; `statusCode` itself must be a
//! whole number without quotes.

/// How deep objects and arrays may stand in each other.
const DEPTH: usize = 32;

/// The value of `statusCode`; none when the text is no object, or it is not a whole number.
pub fn status_code(text: &str) -> Option<i64> {
    let mut reader = Reader { rest: text };
    reader.skip_space();
    let mut status = None;
    reader.object(DEPTH, &mut |name, value| {
        if name == "statusCode" {
            status = value.and_then(|text| text.parse().ok());
        }
    })?;
    status
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, wanted: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(wanted) else { return false };
        self.rest = rest;
        true
    }

    /// `{…}`; tells each member with the text of its value when that stands without quotes. `None`: it is none.
    fn object(&mut self, depth: usize, member: &mut dyn FnMut(&str, Option<&str>)) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if !self.take('{') {
            return None;
        }
        loop {
            self.skip_space();
            if self.take('}') {
                return Some(());
            }
            // `{"statusCode": 200 ,, }` is accepted.
            if self.take(',') {
                continue;
            }
            let name = self.name()?;
            self.skip_space();
            if !self.take(':') {
                return None;
            }
            let value = self.value(depth, &[',', '}'])?;
            member(name, value);
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        if !self.take('[') {
            return None;
        }
        loop {
            self.skip_space();
            if self.take(']') {
                return Some(());
            }
            if !self.take(',') {
                self.value(depth, &[',', ']'])?;
            }
        }
    }

    /// A name without quotes goes on to the colon, whatever it contains; it does not begin with a bracket.
    fn name(&mut self) -> Option<&'a str> {
        if let Some(quote) = self.quote() {
            return self.quoted(quote);
        }
        if self.rest.starts_with(['{', '[', ']', ':']) {
            return None;
        }
        let (name, _) = self.rest.split_once(':')?;
        self.rest = self.rest.get(name.len()..)?;
        Some(name.trim_end())
    }

    /// A value; its text, when it stands without quotes.
    fn value(&mut self, depth: usize, ends: &[char]) -> Option<Option<&'a str>> {
        self.skip_space();
        if let Some(quote) = self.quote() {
            self.quoted(quote)?;
            return Some(None);
        }
        if self.rest.starts_with('{') {
            return self.object(depth, &mut |_, _| {}).map(|()| None);
        }
        if self.rest.starts_with('[') {
            return self.array(depth).map(|()| None);
        }
        let end = self.rest.find(ends)?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(Some(text.trim()))
    }

    fn quote(&self) -> Option<char> {
        self.rest.chars().next().filter(|c| matches!(c, '"' | '\''))
    }

    fn quoted(&mut self, quote: char) -> Option<&'a str> {
        let inner = self.rest.get(1..)?;
        let mut escaped = false;
        for (index, c) in inner.char_indices() {
            if c == quote && !escaped {
                self.rest = inner.get(index + 1..)?;
                return inner.get(..index);
            }
            escaped = c == '\\' && !escaped;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::status_code;

    #[test]
    fn what_aws_was_seen_to_accept_is_accepted() {
        for text in [
            "{ statusCode: 200 }",
            "{statusCode: 200,super{ f}oo: [ba r]}",
            "{statusCode: 200, \"value\": 'goog'}",
            "{statusCode: 200, foo}: [ba r]}",
            "{statusCode: 200, foo'}: [ba r]}",
            "{statusCode: 200, }foo: [ba r]}",
            "{statusCode: 200, }foo: ''}",
            "{statusCode: 200, \" \": \" \"}",
            "{statusCode: 200, \"\": \"\"}",
            "{'statusCode': 200, '': ''}",
            "{\"statusCode\": 200 , }",
            "{\"statusCode\": 200 ,, }",
            "{\"statusCode\": 200 , null: null }",
            " \n{\"a\": {\"statusCode\": 1, \"b\\\"\": [{}, []]}, \"statusCode\": 200}",
        ] {
            assert_eq!(status_code(text), Some(200), "{text}");
        }
        assert_eq!(status_code("{\"statusCode\": -1000}"), Some(-1000));
        assert_eq!(status_code("{\"statusCode\": 0}"), Some(0));
    }

    #[test]
    fn what_aws_was_seen_to_refuse_is_refused() {
        for text in [
            "{\"statusCode': 200 }",
            "{'statusCode\": 200 }",
            "{'statusCode: 200 }",
            "statusCode: 200",
            "{statusCode: 200, {foo: [ba r]}",
            "{\"statusCode\": 200",
            "{\"statusCode\": \"200\"}",
            "{\"statusCode\": 200.5}",
            "{}",
            "",
            "[]",
        ] {
            assert_eq!(status_code(text), None, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(status_code(&"{a:".repeat(100_000)), None);
        assert_eq!(status_code(&format!("{{a:{}", "[".repeat(100_000))), None);
    }
}
