//! Workflow commands, which GitHub Actions shows beside the line that they name.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write;

use tollgate::problem::Severity;

use super::report::{Item, Report};
use super::text::of_all;

/// A command for each problem, and where the settings are counted a notice for each file.
pub fn github(reports: &[Report], counted: bool) -> String {
    let mut out = String::new();
    for report in reports {
        report.items.iter().for_each(|item| write_item(item, &mut out));
        if counted {
            let _ = writeln!(out, "::notice file={}::{}", property(&report.file), data(&of_all(report.tally())));
        }
    }
    out
}

fn write_item(item: &Item, out: &mut String) {
    let diagnostic = &item.diagnostic;
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let _ = write!(out, "::{command} file={}", property(&diagnostic.file));
    if let Some(place) = &diagnostic.place {
        let _ = write!(out, ",line={},col={}", place.line, place.column);
    }
    let _ = write!(out, ",title={}", property(&format!("tollgate: {}", item.kind.as_str())));
    let mut message = format!("{}\n{}", diagnostic.message, diagnostic.path);
    if let Some(help) = &diagnostic.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let _ = write!(message, "\n{}: {}\nsee {}", item.fate.as_str(), item.consequence, item.link());
    let _ = writeln!(out, "::{}", data(&message));
}

/// The text of a command ends with its line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends with a comma, or two colons.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("100%\r\na:b"), "100%25%0D%0Aa:b");
        assert_eq!(property("c:\\a,b%"), "c%3A\\a%2Cb%25");
    }
}
