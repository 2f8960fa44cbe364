//! Java's regular expressions: [`JavaRegex`] compiles, matches, replaces, splits, and is paid for.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::java_regex::JavaRegex;
use tollgate::value::{Budget, Exhausted};
use tollgate_fuzz::{text_parts, within};

const STEPS: u64 = 50_000;

/// More cannot come of so many steps: each has 64 bytes.
const MOST: usize = STEPS as usize * 64;

fn replace(regex: &JavaRegex, text: &str, replacement: &str, limit: usize) -> Result<Result<String, String>, Exhausted> {
    let mut budget = Budget::new(STEPS);
    budget.spend(regex.steps(text.len()))?;
    let replaced = regex.replace(text, replacement, limit, &mut |bytes| budget.spend_bytes(bytes))?;
    if let Ok(replaced) = &replaced {
        assert!(replaced.len() <= MOST + text.len());
    }
    Ok(replaced)
}

fn split<'t>(regex: &JavaRegex, text: &'t str, limit: i64) -> Result<Vec<&'t str>, Exhausted> {
    let mut budget = Budget::new(STEPS);
    budget.spend(regex.steps(text.len()))?;
    regex.split(text, limit, &mut |bytes| budget.spend_bytes(bytes))
}

fn quoted(text: &str) {
    if !text.contains("\\E") {
        let quoted = JavaRegex::compile(&format!("\\Q{text}\\E")).expect("a quotation is not long");
        assert!(quoted.is_whole_match(text));
        assert!(!quoted.is_whole_match(&format!("{text}x")) && !quoted.is_whole_match(&format!("x{text}")));
        // What is quoted may be long enough to be too much to look for.
        if let (false, Ok(replaced)) = (text.is_empty(), replace(&quoted, text, "\\$", 1)) {
            assert_eq!(replaced.as_deref(), Ok("$"));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some([pattern, text, replacement]) = text_parts(data) else { return };
    quoted(text);
    let regex = match within(1, "compiling", || JavaRegex::compile(pattern)) {
        Ok(regex) => regex,
        Err(message) => return assert!(message.starts_with("the pattern `") && !message.ends_with('.'), "{message}"),
    };
    if regex.steps(text.len()) > STEPS {
        return;
    }
    let whole = within(1, "matching", || regex.is_whole_match(text));
    // A bracket around all of it changes nothing.
    if let Ok(group) = JavaRegex::compile(&format!("(?:{pattern})")) {
        assert_eq!(group.is_whole_match(text), whole);
    }

    let _ = within(1, "replacing", || replace(&regex, text, replacement, usize::MAX));
    let _ = within(1, "replacing once", || replace(&regex, text, replacement, 1));
    if let Ok(same) = replace(&regex, text, "$0", usize::MAX) {
        assert_eq!(same.as_deref(), Ok(text));
    }
    if let Ok(none) = replace(&regex, text, replacement, 0) {
        assert_eq!(none.as_deref(), Ok(text));
    }
    let all = within(1, "splitting", || split(&regex, text, -1));
    if let Ok(all) = all {
        // What is not between the parts was found, and is what replacing takes away.
        if let Ok(Ok(without)) = replace(&regex, text, "", usize::MAX) {
            assert_eq!(all.concat(), without);
        }
        let mut kept = all.as_slice();
        while let ([rest @ .., ""], true) = (kept, all.len() > 1) {
            kept = rest;
        }
        assert_eq!(split(&regex, text, 0).as_deref(), Ok(kept));
        for limit in [1, 2, 3] {
            let parts = split(&regex, text, limit).expect("less than all of them");
            assert!(parts.len() <= limit as usize && parts.len() <= all.len());
            assert!(parts.last().is_some_and(|last| text.ends_with(last)));
            assert_eq!(parts[..parts.len() - 1], all[..parts.len() - 1]);
        }
    }
});
