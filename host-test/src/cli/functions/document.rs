//! `functions` of a gateway document: what runs as which Lambda function on this machine. Names are those of
//! `AWS::Lambda::Function` in camelCase. The module knows that the key is there and nothing more: all of it is checked here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tollgate::definition::Node;
use tollgate::problem::Problems;

const KNOWN: [&str; 7] =
    ["command", "environment", "handler", "memorySize", "reservedConcurrentExecutions", "timeout", "workingDirectory"];

/// What Lambda sets itself, and refuses to be told ("Defined runtime environment variables").
const RESERVED: [&str; 14] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "LAMBDA_TASK_ROOT",
];

/// How many invocations of a function run at once where nothing is said. Lambda's own limit is the account's; each of them is a
/// process here.
const CONCURRENCY: u64 = 10;

/// A function that runs on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// By this it is called.
    pub name: String,
    /// The program and its arguments; no shell is asked.
    pub command: Vec<String>,
    /// What it finds in its environment beside what Lambda sets.
    pub environment: Vec<(String, String)>,
    /// `_HANDLER`
    pub handler: Option<String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Megabytes. Told to the function, and not enforced.
    pub memory_size: u64,
    /// How many invocations may run at once; none at all with 0, as at AWS.
    pub concurrency: usize,
    /// Where it runs, and `LAMBDA_TASK_ROOT`.
    pub directory: PathBuf,
}

/// Reads the functions of a document that lies in a folder, and every mistake in them.
pub fn read(root: &Node<'_>, folder: &Path, problems: &mut Problems) -> Vec<Function> {
    let Some(functions) = root.get("functions") else { return Vec::new() };
    let members = functions.members(problems);
    members.into_iter().filter_map(|(name, node)| Function::read(name, &node, folder, problems)).collect()
}

// === impl Function ===

impl Function {
    fn read(name: &str, node: &Node<'_>, folder: &Path, problems: &mut Problems) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            problems.stray(&node.path, format!("`{name}` is no name of a function"), Some("up to 64 letters, digits, `-` and `_`"));
        }
        node.only(&KNOWN, problems);
        let number = |key: &str, range, default: u64, problems: &mut Problems| {
            node.get(key).map_or(Some(default), |value| value.integer(range, problems)).unwrap_or(default)
        };
        let timeout = Duration::from_secs(number("timeout", 1..=900, 3, problems));
        let memory_size = number("memorySize", 128..=10_240, 128, problems);
        let concurrency = number("reservedConcurrentExecutions", 0..=1000, CONCURRENCY, problems) as usize;
        let handler = node.text_of("handler", problems);
        let directory = match node.text_of("workingDirectory", problems) {
            Some(directory) => folder.join(directory),
            None => folder.to_owned(),
        };
        let environment = environment(node, problems);
        let command = command(node, folder, problems)?;
        Some(Self { name: name.to_owned(), command, environment, handler, timeout, memory_size, concurrency, directory })
    }
}

/// A program without a `/` is looked for in `PATH`; any other path is one from the document's folder.
fn command(node: &Node<'_>, folder: &Path, problems: &mut Problems) -> Option<Vec<String>> {
    const HELP: &str = "the program and its arguments: `command: [python3, -m, awslambdaric, app.handler]`";
    let Some(list) = node.get("command") else {
        problems.error(&node.path, "no `command`", Some(HELP));
        return None;
    };
    if list.value.is_string() {
        problems.error(&list.path, "expected an array, found a string", Some("no shell reads it: `command: [program, argument]`"));
        return None;
    }
    let mut command: Vec<String> = list.elements(problems).iter().filter_map(|word| word.text(problems)).collect();
    match command.first_mut() {
        Some(program) if !program.is_empty() => {
            // The system looks for a relative path from where the process is to run.
            if program.contains('/')
                && let Ok(path) = std::path::absolute(folder.join(&*program))
                && let Some(path) = path.to_str()
            {
                *program = path.to_owned();
            }
            Some(command)
        }
        _ => {
            problems.error(&list.path, "`command` names no program", Some(HELP));
            None
        }
    }
}

fn environment(node: &Node<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let Some(environment) = node.get("environment") else { return Vec::new() };
    let Some(variables) = environment.get("variables").filter(|variables| variables.value.is_object()) else {
        problems.error(
            &environment.path,
            "`environment` has no object `variables`",
            Some("write `environment: {variables: {NAME: value}}`"),
        );
        return Vec::new();
    };
    environment.only(&["variables"], problems);
    let mut set = Vec::new();
    for (name, value) in variables.members(problems) {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if RESERVED.contains(&name) {
            problems.stray(&value.path, format!("`{name}` is set by Lambda itself"), None);
        } else if !is_name {
            problems.stray(&value.path, format!("`{name}` is no name of a variable"), Some("letters, digits and `_`"));
        } else if let Some(text) = value.text(problems) {
            if text.contains('\0') {
                problems.error(&value.path, "no variable can hold the character NUL", None);
            }
            set.push((name.to_owned(), text));
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read_all(functions: Value) -> (Vec<Function>, Vec<String>) {
        let document = json!({"functions": functions});
        let mut problems = Problems::default();
        let functions = read(&Node::root(&document), Path::new("/api"), &mut problems);
        (functions, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_not_said_is_as_at_lambda() {
        let (functions, problems) = read_all(json!({"hello": {"command": ["python3", "-m", "x"]}}));
        assert_eq!(problems, [""; 0]);
        let hello = &functions[0];
        assert_eq!((hello.timeout, hello.memory_size, hello.concurrency), (Duration::from_secs(3), 128, 10));
        assert_eq!((hello.command[0].as_str(), hello.directory.as_path()), ("python3", Path::new("/api")));
    }

    #[test]
    fn paths_are_from_the_folder_of_the_document() {
        let (functions, _) = read_all(json!({"a": {"command": ["./bin/run", "./x"], "workingDirectory": "src"}}));
        assert_eq!(functions[0].command, ["/api/bin/run", "./x"], "an argument is the program's own to read");
        assert_eq!(functions[0].directory, Path::new("/api/src"));
        let (functions, _) = read_all(json!({"a": {"command": ["/bin/run"], "workingDirectory": "/srv"}}));
        assert_eq!((functions[0].command[0].as_str(), functions[0].directory.as_path()), ("/bin/run", Path::new("/srv")));
    }

    #[test]
    fn a_program_is_found_also_where_the_document_is_named_by_a_relative_path_and_the_process_runs_elsewhere() {
        let document = json!({"functions": {"a": {"command": ["./run"], "workingDirectory": "src"}}});
        let here = std::env::current_dir().unwrap();
        for (folder, program) in [("", "run"), ("api", "api/run"), ("../api", "../api/run")] {
            let functions = read(&Node::root(&document), Path::new(folder), &mut Problems::default());
            assert_eq!(Path::new(&functions[0].command[0]), here.join(program));
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let (_, problems) = read_all(json!({
            "no name": {"command": ["x"]},
            "a": {"command": "python3 app.py", "timout": 3},
            "b": {"command": []},
            "c": {"timeout": 0, "memorySize": 64},
            "d": {"command": [{}], "environment": {"A": "b"}},
            "e": {"command": ["x"], "environment": {"variables": {"AWS_REGION": "x", "a-b": "x", "C": [], "D": "\u{0}"}, "extra": 1}},
            "f": {"command": ["x"], "reservedConcurrentExecutions": -1, "handler": "", "workingDirectory": 7.5},
            "g": 1,
        }));
        let told = |place: &str, what: &str| problems.iter().any(|p| p.starts_with(place) && p.contains(what));
        for (place, what) in [
            ("$.functions[\"no name\"]", "no name of a function"),
            ("$.functions.a.timout", "unknown key `timout`"),
            ("$.functions.a.command", "no shell reads it"),
            ("$.functions.b.command", "names no program"),
            ("$.functions.c:", "no `command`"),
            ("$.functions.c.timeout", "from 1 to 900"),
            ("$.functions.c.memorySize", "from 128 to 10240"),
            ("$.functions.d.command[0]", "expected a string"),
            ("$.functions.d.environment", "has no object `variables`"),
            ("$.functions.e.environment.variables.AWS_REGION", "set by Lambda itself"),
            ("$.functions.e.environment.variables[\"a-b\"]", "no name of a variable"),
            ("$.functions.e.environment.variables.C", "expected a string"),
            ("$.functions.e.environment.variables.D", "NUL"),
            ("$.functions.e.environment.extra", "unknown key"),
            ("$.functions.f.reservedConcurrentExecutions", "from 0 to 1000"),
            ("$.functions.f.handler", "is empty"),
            ("$.functions.g", "expected an object"),
        ] {
            assert!(told(place, what), "{place}: {what}\n{}", problems.join("\n"));
        }
        assert_eq!(read_all(json!([])).1.len(), 1);
    }
}
