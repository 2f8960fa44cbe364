//! `tollgate import-api-keys`: API Gateway's own key file as a part of the gateway document.
//!
//! AWS: "API Gateway API key file format". Columns in any order and any case; `Name` and `Key` are required, `Enabled` and
//! `UsagePlanIds` are read, others are not. The later of two lines with the same key counts.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Failure, Verdict, say, source};

/// Turn API Gateway's CSV file of API keys into a part of the gateway document
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate import-api-keys keys.csv
  tollgate import-api-keys keys.csv --plain --format json
  tollgate import-api-keys keys.csv > keys.yaml

The file is what `aws apigateway import-api-keys --format csv` takes: columns Name and Key, and perhaps Enabled and
UsagePlanIds. Printed are `apiKeys` and, by the ids of the file, the `keys` of `usagePlans`: put both into the gateway
document, and give the plans their apiStages and limits. Keys are printed as their SHA-256, so that the document holds
no secret; `--plain` keeps them.

Exit codes: 0 printed, 1 the file has mistakes, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// The CSV file; `-` is the standard input
    file: PathBuf,
    /// Print the keys themselves in the place of their SHA-256
    #[arg(long)]
    plain: bool,
    /// How the part is written
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
}

/// How a part of a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A key a line
    Yaml,
    /// One object for programs
    Json,
}

/// How long the value of a key may be.
const LENGTH: std::ops::RangeInclusive<usize> = 20..=128;

/// The longest name.
const NAME_LIMIT: usize = 1024;

/// One line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    name: String,
    value: String,
    enabled: bool,
    plans: Vec<String>,
}

/// What a file holds.
#[derive(Debug, Default)]
struct Import {
    keys: Vec<Key>,
    /// What the user should know.
    notes: Vec<String>,
    /// Line and what is wrong with it.
    mistakes: Vec<(u64, String)>,
}

/// Prints the part of the document.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let (shown, text) = source::read_bytes(&arguments.file, "name a CSV file; `-` reads the standard input")?;
    let import = Import::read(&text).map_err(|message| Failure::new(format!("{shown}: {message}")))?;
    for note in &import.notes {
        say(&format!("note: {note}\n"));
    }
    for (line, mistake) in &import.mistakes {
        say(&format!("error: {mistake}\n --> {shown}:{line}\n"));
    }
    if !import.mistakes.is_empty() {
        return Ok(Verdict::Problems);
    }
    let part = match arguments.format {
        Format::Yaml => import.to_yaml(arguments.plain),
        Format::Json => format!("{:#}\n", import.to_json(arguments.plain)),
    };
    super::print(&part)?;
    Ok(Verdict::Good)
}

// === impl Import ===

impl Import {
    fn read(text: &[u8]) -> Result<Self, String> {
        // What spreadsheets put in front of UTF-8.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
        let headings = reader.headers().map_err(|error| error.to_string())?;
        let headings: Vec<String> = headings.iter().map(str::to_ascii_lowercase).collect();
        let column = |name: &str| headings.iter().position(|heading| heading == name);
        let (Some(name), Some(key)) = (column("name"), column("key")) else {
            return Err("the first line has to name the columns, `Name` and `Key` among them".to_owned());
        };
        let columns = Columns { name, key, enabled: column("enabled"), plans: column("usageplanids") };
        let mut import = Self::default();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            match columns.read(&fields(&record)) {
                Ok(key) => import.add(key),
                Err(mistake) => import.mistakes.push((line, mistake)),
            }
        }
        import.tell_names_apart();
        Ok(import)
    }

    /// "The same API key can be imported multiple times, with the most recent version overwriting the previous one."
    fn add(&mut self, key: Key) {
        match self.keys.iter_mut().find(|other| other.value == key.value) {
            Some(other) => {
                self.notes.push(format!("`{}` has the key of `{}` and takes its place", key.name, other.name));
                *other = key;
            }
            None => self.keys.push(key),
        }
    }

    /// API Gateway knows keys by their ids, the gateway document by their names.
    fn tell_names_apart(&mut self) {
        let mut seen: HashMap<String, u32> = HashMap::new();
        for key in &mut self.keys {
            let times = seen.entry(key.name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                let name = format!("{}-{times}", key.name);
                self.notes.push(format!("there is more than one key named `{}`: the next is `{name}`", key.name));
                key.name = name;
            }
        }
    }

    /// The keys of each plan, by its id.
    fn plans(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut plans: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in &self.keys {
            for plan in &key.plans {
                plans.entry(plan).or_default().push(&key.name);
            }
        }
        plans
    }

    fn to_json(&self, plain: bool) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(|key| key.to_json(plain)).collect();
        let plans: Vec<Value> =
            self.plans().into_iter().map(|(plan, keys)| json!({ "usagePlanName": plan, "keys": keys })).collect();
        json!({ "apiKeys": keys, "usagePlans": plans })
    }

    /// JSON is YAML: each key is an object on one line.
    fn to_yaml(&self, plain: bool) -> String {
        let mut out = "apiKeys:\n".to_owned();
        for key in &self.keys {
            out.push_str(&format!("  - {}\n", key.to_json(plain)));
        }
        let plans = self.plans();
        if !plans.is_empty() {
            out.push_str("usagePlans:\n");
        }
        for (plan, keys) in plans {
            out.push_str(&format!("  - usagePlanName: {}\n    keys:\n", Value::from(plan)));
            keys.iter().for_each(|key| out.push_str(&format!("      - {}\n", Value::from(*key))));
        }
        out
    }
}

/// Where the columns are.
struct Columns {
    name: usize,
    key: usize,
    enabled: Option<usize>,
    plans: Option<usize>,
}

// === impl Columns ===

impl Columns {
    fn read(&self, fields: &[String]) -> Result<Key, String> {
        let field = |column: Option<usize>| column.and_then(|column| fields.get(column)).map_or("", String::as_str);
        let (name, value) = (field(Some(self.name)), field(Some(self.key)));
        if name.is_empty() || name.chars().count() > NAME_LIMIT {
            return Err(format!("a name has 1 to {NAME_LIMIT} characters"));
        }
        let length = value.chars().count();
        if !LENGTH.contains(&length) {
            return Err(format!(
                "the key of `{name}` has {length} characters, and a key has {} to {}",
                LENGTH.start(),
                LENGTH.end()
            ));
        }
        let enabled = match field(self.enabled).to_ascii_lowercase().as_str() {
            "" | "true" => true,
            "false" => false,
            other => return Err(format!("`Enabled` is `true` or `false`, not `{other}`")),
        };
        let plans = field(self.plans).split(',').map(str::trim).filter(|plan| !plan.is_empty()).map(str::to_owned).collect();
        Ok(Key { name: name.to_owned(), value: value.to_owned(), enabled, plans })
    }
}

/// The fields of a line. AWS lets the list of plans stand in single quotes, which are no quotes to CSV: what was taken apart inside
/// of them is put together again.
fn fields(record: &csv::StringRecord) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    let mut open = false;
    for field in record {
        let begins = !open && field.starts_with('\'');
        let rest = if begins { &field[1..] } else { field };
        let ends = (open || begins) && rest.ends_with('\'');
        let part = if ends { &rest[..rest.len() - 1] } else { rest };
        match fields.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(',');
                last.push_str(part);
            }
            None => fields.push(part.to_owned()),
        }
        open = (open || begins) && !ends;
    }
    fields
}

// === impl Key ===

impl Key {
    fn to_json(&self, plain: bool) -> Value {
        let mut key = Map::new();
        key.insert("name".to_owned(), self.name.as_str().into());
        if plain {
            key.insert("value".to_owned(), self.value.as_str().into());
        } else {
            let digest: String = Sha256::digest(&self.value).iter().map(|byte| format!("{byte:02x}")).collect();
            key.insert("sha256".to_owned(), digest.into());
        }
        if !self.enabled {
            key.insert("enabled".to_owned(), false.into());
        }
        Value::Object(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(text: &str) -> Import {
        Import::read(text.as_bytes()).expect("it has its columns")
    }

    #[test]
    fn the_files_of_the_developer_guide_are_read() {
        let simple = import("Key,name\napikey1234abcdefghij0123456789,MyFirstApiKey\n");
        assert_eq!((simple.keys[0].name.as_str(), simple.keys[0].enabled), ("MyFirstApiKey", true));
        let full = "Name,key,description,Enabled,usageplanIds\nMyFirstApiKey,apikey1234abcdefghij0123456789,An imported key,FALSE,c7y23b\n";
        let full = import(full);
        assert_eq!((full.keys[0].enabled, full.keys[0].plans.as_slice()), (false, ["c7y23b".to_owned()].as_slice()));
        for quote in ['"', '\''] {
            let text = format!(
                "Enabled,Name,key,UsageplanIds\ntrue,MyFirstApiKey,apikey1234abcdefghij0123456789,{quote}c7y23b,glvrsr{quote}\n"
            );
            let several = import(&text);
            assert_eq!(several.keys[0].plans, ["c7y23b", "glvrsr"], "{quote}");
        }
    }

    #[test]
    fn the_part_holds_digests_unless_told_otherwise() {
        let import = import("Name,Key,UsagePlanIds\na,apikey1234abcdefghij0123456789,gold\n");
        // By sha256sum.
        let digest = import.to_json(false)["apiKeys"][0]["sha256"].clone();
        assert_eq!(digest, "fd09e82a9568c6799e27ec9706127f1acb849006feaaeaf64ea076e70de143d7");
        assert!(!import.to_yaml(false).contains("apikey1234abcdefghij0123456789"));
        assert_eq!(import.to_json(true)["apiKeys"][0]["value"], "apikey1234abcdefghij0123456789");
        assert_eq!(import.to_json(true)["usagePlans"], json!([{ "usagePlanName": "gold", "keys": ["a"] }]));
        assert_eq!(
            import.to_yaml(true),
            "apiKeys:\n  - {\"name\":\"a\",\"value\":\"apikey1234abcdefghij0123456789\"}\nusagePlans:\n  - usagePlanName: \"gold\"\n    keys:\n      - \"a\"\n"
        );
    }

    #[test]
    fn the_later_of_two_lines_with_one_key_counts_and_names_are_told_apart() {
        let import = import(
            "Name,Key\na,apikey1234abcdefghij0123456789\nb,apikey1234abcdefghij0123456789\nb,another1234abcdefghij0123456789\n",
        );
        let names: Vec<&str> = import.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["b", "b-2"]);
        assert_eq!(import.notes.len(), 2);
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_without_the_key() {
        let import =
            import("Name,Key,Enabled\na,short,\n,apikey1234abcdefghij0123456789,\nc,apikey1234abcdefghij0123456780,maybe\n");
        let lines: Vec<u64> = import.mistakes.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4]);
        assert!(import.mistakes.iter().all(|(_, mistake)| !mistake.contains("short") && !mistake.contains("apikey")));
        assert!(Import::read(b"Name,Secret\na,b\n").is_err());
    }
}
