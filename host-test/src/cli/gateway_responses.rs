//! `tollgate gateway-responses`: the answers that the gateway makes itself, and how sure it is that API Gateway makes the same.

use serde_json::{Value, json};
use tollgate::gateway_response::{DefaultResponse, evidence_table};

use super::routes::Format;
use super::table::table;
use super::{Failure, Verdict};

/// Show the answers that the gateway makes itself
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate gateway-responses
  tollgate gateway-responses --evidence
  tollgate gateway-responses --evidence --format json

Evidence: recorded on AWS by a public test suite, measured on AWS by a third party, documented by AWS, what an emulator
does, or memory. Rows marked `weak` rest on an emulator or on memory alone, and could be wrong about AWS.

Exit codes: 0 shown, 2 wrong usage.")]
pub struct Arguments {
    /// Also what each row rests on
    #[arg(long)]
    evidence: bool,
    /// How rows are shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints the table.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let rows = evidence_table();
    match arguments.format {
        Format::Table => super::print(&text(rows, arguments.evidence))?,
        Format::Json => super::print(&format!("{:#}\n", to_json(rows, arguments.evidence)))?,
    }
    Ok(Verdict::Good)
}

fn text(rows: &[DefaultResponse], evidence: bool) -> String {
    let mut headings = vec!["TYPE", "STATUS", "ERROR TYPE", "MESSAGE"];
    if evidence {
        headings.splice(3..3, ["EVIDENCE", "DOUBT"]);
        headings.push("SOURCE");
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let status = row.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            let mut cells = vec![row.name.to_owned(), status, row.error_type.to_owned()];
            if evidence {
                let doubt = if row.evidence.is_weak() { "weak" } else { "" };
                cells.extend([row.evidence.as_str().to_owned(), doubt.to_owned()]);
            }
            cells.push(row.message.unwrap_or("null").to_owned());
            if evidence {
                cells.push(row.source.to_owned());
            }
            cells
        })
        .collect();
    let mut out = table(&headings, &cells);
    if evidence {
        let weak = rows.iter().filter(|row| row.evidence.is_weak()).count();
        out.push_str(&format!("\n{weak} of {} rows rest on weak evidence\n", rows.len()));
    }
    out
}

fn to_json(rows: &[DefaultResponse], evidence: bool) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut value = json!({
                "responseType": row.name, "status": row.status, "message": row.message, "errorType": row.error_type,
            });
            if evidence {
                value["evidence"] = row.evidence.as_str().into();
                value["weak"] = row.evidence.is_weak().into();
                value["source"] = row.source.into();
            }
            value
        })
        .collect();
    json!({"gatewayResponses": rows})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_evidence_is_shown_only_when_asked_for_and_weak_rows_are_marked() {
        let rows = evidence_table();
        assert!(!text(rows, false).contains("EVIDENCE"));
        let shown = text(rows, true);
        for row in rows {
            let line = shown.lines().find(|line| line.split_whitespace().next() == Some(row.name)).unwrap();
            assert_eq!(line.contains("  weak  "), row.evidence.is_weak(), "{line}");
        }
    }

    #[test]
    fn programs_get_every_row() {
        let value = to_json(evidence_table(), true);
        let rows = value["gatewayResponses"].as_array().unwrap();
        assert_eq!(rows.len(), evidence_table().len());
        assert!(rows.iter().all(|row| row["weak"].is_boolean() && row["source"].is_string()));
    }
}
