//! Velocity itself says what templates give: thousands of them, rendered here and by Apache Velocity 1.7 (Debian's `velocity`), have to
//! agree to the byte, and on what does not parse. `make velocity` installs what it takes.
//!
//! `VELOCITY_TEMPLATES=100000` looks at more of them, to find something: among so many accidents there always is a way to tear a
//! template apart that Velocity reads in a way of its own.

#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic; helpers beside the test count as code"
)]

mod beside;
#[path = "velocity/grammar.rs"]
mod grammar;
#[path = "velocity/process.rs"]
mod process;

use beside::beside;
use process::{Answer, Oracle};
use regex_lite::Regex;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::{env, fs};
use tollgate::template::{Fault, Host, Template};
use tollgate::value::{Heap, ListKind, Map, Text, Value};

/// A template that the two do not agree on.
struct Difference<'a> {
    template: &'a str,
    ours: &'a Answer,
    theirs: &'a Answer,
}

/// The context as a host's objects.
struct Given(Vec<(String, Value)>);

/// Where we part from Velocity, and why. Each has to be of use.
type Reason = fn(&Difference<'_>) -> bool;
const EXPLAINED: [(&str, Reason); 12] = [
    ("an index past a list's end, and whatever else Java throws, ends Velocity's rendering: here it is nothing", |difference| {
        matches!((difference.ours, difference.theirs), (Answer::Rendered(_), Answer::Ended(_)))
    }),
    ("`#foreach` without `in` goes over nothing, or fails each time: here it is refused", |difference| {
        difference.is_stricter("`#foreach")
    }),
    ("a `$` or `#` as the last character, an end in `#*`: refused; here it is text", |difference| {
        difference.is_laxer("") && difference.has(r"[$#*]!?\z")
    }),
    ("a `$` or `#` that is only itself and stands at another mark: Velocity loses one of them, here it is text", |difference| {
        difference.has(r"\$!?([#$\\\[\]().}]|\{[^a-zA-Z_])|#[\\$]|[$#][ \t]+#(\{set\}|set)")
    }),
    ("the words of operators may not stand among the arguments of what is no directive: here they may", |difference| {
        difference.is_laxer("Encountered \"") && difference.has(r"#\{?\w+\}?\s*\([^)]*\b(not|and|or|eq|ne|lt|le|gt|ge)\b")
    }),
    ("a comment or `#set` does not end a reference, so a bracket behind it belongs to it: here it does", |difference| {
        difference.is_laxer("") && difference.has(r"[#)}][\[({]")
    }),
    (
        "a comment or `#set` does not end a reference, so blanks behind it are lost before the next `#set`: here they stay",
        |difference| {
            let bare = |text: &str| text.replace([' ', '\t'], "");
            matches!((difference.ours, difference.theirs), (Answer::Rendered(ours), Answer::Rendered(theirs)) if bare(ours) == bare(theirs))
                && difference.has(r"[#)]\w*[ \t]+#(\{set\}|set)")
        },
    ),
    ("a comment does not end a reference, so names behind it are lost: here they stay", |difference| {
        difference.has(r"\*#\w+[.\[]|\]\]#\w+[.\[]")
    }),
    ("a bracket after the index of a property has to hold arguments: here it is text", |difference| {
        difference.is_laxer("") && difference.has(r"\.\w+[$#\[]\S*\(")
    }),
    (
        "a bracket without an end behind a name: Velocity takes `(` for text and refuses `{`, here it is the other way",
        |difference| {
            (difference.is_stricter("") && difference.has(r"\.[\w-]+\(([#.]|\z)"))
                || (difference.is_laxer("") && difference.has(r"[\w)\]]\{[\w\[$]|#\{?stop\}?\s*\("))
        },
    ),
    ("`##` right behind a property is no comment: here it is text as it stands, there marks in it are marks", |difference| {
        difference.has(r"\.\w+(\[[^\]]*\]|#\*.*\*#)*##[^ \r\n]")
    }),
    (
        "Java before 19 prints more digits of some fractions than tell them apart: here they are as few as can be",
        |difference| matches!(difference.theirs, Answer::Rendered(theirs) if Regex::new(r"\d\.\d{15,}").unwrap().is_match(theirs)),
    ),
];

/// How many differences are made small and shown.
const SHOWN: usize = 100;

// === impl Difference ===

impl Difference<'_> {
    /// Whether the template has this in it.
    fn has(&self, pattern: &str) -> bool {
        Regex::new(pattern).unwrap().is_match(self.template)
    }

    /// Whether only Velocity refuses it, and says so.
    fn is_laxer(&self, why: &str) -> bool {
        matches!((self.ours, self.theirs), (Answer::Rendered(_), Answer::Refused(theirs)) if theirs.contains(why))
    }

    /// Whether only we refuse it, and say so.
    fn is_stricter(&self, why: &str) -> bool {
        matches!((self.ours, self.theirs), (Answer::Refused(ours), Answer::Rendered(_) | Answer::Ended(_)) if ours.contains(why))
    }
}

// === impl Given ===

impl Given {
    fn new(context: &Json, heap: &mut Heap) -> Self {
        let entries = context.as_object().into_iter().flatten();
        Self(entries.map(|(name, value)| (name.clone(), given(value, heap))).collect())
    }
}

impl Host for Given {
    fn root(&self, name: &str, _: &mut Heap) -> Value {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn property(&self, _: &str, _: &str, _: &mut Heap) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn call(&self, _: &str, _: &str, _: &[Value], _: &mut Heap) -> Result<Value, Fault> {
        Ok(Value::Null)
    }
}

fn given(value: &Json, heap: &mut Heap) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::String(text) => Value::text(text.as_str()),
        // A list of JSON would print as JSON, which plain Velocity does not know.
        Json::Array(items) => {
            let items = items.iter().map(|item| given(item, heap)).collect();
            heap.new_list(ListKind::Java, items)
        }
        Json::Object(entries) => {
            let entries = entries.iter().map(|(key, item)| (Text::from(key.as_str()), given(item, heap))).collect();
            heap.new_map(Map::from_entries(entries))
        }
    }
}

/// What we make of a template.
fn ours(template: &str, context: &Json) -> Answer {
    let rendered = catch_unwind(|| {
        let parsed = match Template::parse(template) {
            Ok(parsed) => parsed,
            Err(why) => return Answer::Refused(format!("{why:?}")),
        };
        let mut heap = Heap::default();
        let host = Given::new(context, &mut heap);
        match parsed.render(&host, &mut heap) {
            Ok(text) => Answer::Rendered(text),
            Err(fault) => Answer::Ended(format!("{fault:?}")),
        }
    });
    rendered.unwrap_or_else(|_| panic!("a panic: {template:?}"))
}

/// Why the two agree well enough: `""` when they are the same; nothing when they are not.
fn agree(difference: &Difference<'_>) -> Option<&'static str> {
    match (difference.ours, difference.theirs) {
        (Answer::Rendered(ours), Answer::Rendered(theirs)) if ours == theirs => Some(""),
        (Answer::Refused(_), Answer::Refused(_)) | (Answer::Ended(_), Answer::Ended(_)) => Some(""),
        _ => EXPLAINED.iter().find(|(_, reason)| reason(difference)).map(|(name, _)| *name),
    }
}

/// The shortest template in which the two still part in the same way, by leaving out more and more of it.
fn smallest(template: &str, kind: &(String, String), oracle: &mut Oracle, context: &Json) -> String {
    let mut smallest: Vec<char> = template.chars().collect();
    let mut size = smallest.len() / 2;
    while size > 0 {
        let (mut at, mut shorter) = (0, false);
        while at < smallest.len() {
            let rest: String = [&smallest[..at], &smallest[(at + size).min(smallest.len())..]].concat().into_iter().collect();
            if grammar::is_common(&rest) && parting(&rest, oracle, context).as_ref() == Some(kind) {
                smallest = rest.chars().collect();
                shorter = true;
            } else {
                at += size;
            }
        }
        if !shorter || size > 1 {
            size /= 2;
        }
    }
    smallest.into_iter().collect()
}

/// The verdicts of a template on which the two do not agree.
fn parting(template: &str, oracle: &mut Oracle, context: &Json) -> Option<(String, String)> {
    let (ours, theirs) = (ours(template, context), oracle.ask(template, context).unwrap());
    let difference = Difference { template, ours: &ours, theirs: &theirs };
    agree(&difference).is_none().then(|| kind(&difference))
}

/// How they part: both texts of the same kind tell nothing.
fn kind(difference: &Difference<'_>) -> (String, String) {
    let kind = |answer: &Answer| match answer {
        Answer::Rendered(_) => "rendered".to_owned(),
        Answer::Refused(_) => "refused".to_owned(),
        Answer::Ended(_) => "ended".to_owned(),
    };
    let ours = match difference.ours {
        // The same complaint: what is quoted in it changes with what is left of the template.
        Answer::Refused(why) => why.split('`').step_by(2).collect::<String>().replace(|c: char| c.is_ascii_digit(), ""),
        ours => kind(ours),
    };
    (ours, kind(difference.theirs))
}

/// The process; without it a test does not run, and says so; where `VELOCITY=required`, that is a failure.
fn oracle() -> Option<Oracle> {
    match Oracle::start() {
        Ok(oracle) => Some(oracle),
        Err(why) => {
            let message = format!("NOT RUN: Apache Velocity: {why}");
            assert!(env::var_os("VELOCITY").is_none(), "{message}");
            println!("{message}");
            None
        }
    }
}

/// Otherwise the oracle would speak of another engine than API Gateway's.
#[test]
fn velocity_gives_what_was_recorded_of_api_gateway() {
    let (Some(folder), Some(mut oracle)) = (beside("conformance"), oracle()) else { return };
    let rows: Vec<Json> = serde_json::from_str(&fs::read_to_string(folder.join("vtl/dev.json")).unwrap()).unwrap();
    for row in &rows {
        let context = if row["context"].is_object() { row["context"].clone() } else { json!({}) };
        let answer = oracle.ask(row["template"].as_str().unwrap(), &context).unwrap();
        let Answer::Rendered(text) = answer else { panic!("{row}: {answer:?}") };
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match &row["aws"] {
            Json::String(aws) if row["ignore_ws"] == true => assert_eq!(folded(&text), folded(aws), "{row}"),
            Json::String(aws) => assert_eq!(text.trim(), aws.trim(), "{row}"),
            aws => assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), *aws, "{row}"),
        }
    }
    assert!(rows.len() >= 100, "{} rows", rows.len());
}

/// Every way to put three marks or words side by side, and templates as they come in life, and what is left of them after an
/// accident.
#[test]
fn templates_give_what_velocity_gives() {
    let count = env::var("VELOCITY_TEMPLATES").map_or(5000, |count| count.parse().unwrap());
    let Some(of_use) = compare(grammar::short().chain((0..count).map(grammar::Writer::template))) else { return };
    let idle: Vec<_> = EXPLAINED.iter().map(|(name, _)| name).filter(|name| !of_use.contains_key(*name)).collect();
    assert!(idle.is_empty(), "explains nothing any more: {idle:#?}");
    let all = of_use.values().sum::<usize>();
    assert!(all > 40_000 && of_use[""] > all / 100 * 85, "too much is explained away: {of_use:#?}");
}

/// How many templates were the same (`""`), or not for which reason; nothing when there is nobody to ask.
fn compare(templates: impl Iterator<Item = String>) -> Option<BTreeMap<&'static str, usize>> {
    let mut oracle = oracle()?;
    let context: Json = serde_json::from_str(grammar::CONTEXT).unwrap();
    let templates: Vec<String> = templates.filter(|template| grammar::is_common(template)).collect();
    let answers = oracle.ask_all(&templates, &context).unwrap();

    let (mut of_use, mut parted, mut verdicts) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    for (template, theirs) in templates.iter().zip(&answers) {
        let ours = ours(template, &context);
        let difference = Difference { template, ours: &ours, theirs };
        *verdicts.entry(kind(&difference).1).or_insert(0) += 1;
        match agree(&difference) {
            Some(name) => *of_use.entry(name).or_insert(0) += 1,
            None => parted.push((template, kind(&difference))),
        }
    }
    println!("{} templates: {verdicts:?}; the same (\"\") or explained: {of_use:#?}; not: {}", templates.len(), parted.len());

    let mut shown = BTreeMap::new();
    for (template, kind) in &parted {
        if shown.len() < SHOWN {
            *shown.entry(smallest(template, kind, &mut oracle, &context)).or_insert(0) += 1;
        }
    }
    for (template, times) in &shown {
        let (ours, theirs) = (ours(template, &context), oracle.ask(template, &context).unwrap());
        println!("{times} x {template:?}\n    ours     {ours:?}\n    Velocity {theirs:?}");
    }
    assert!(parted.is_empty(), "{} templates give something else than in Velocity", parted.len());
    Some(of_use)
}
