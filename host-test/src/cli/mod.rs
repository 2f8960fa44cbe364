//! The command line: one file a subcommand. What they share is how a file is read (`source`), how it is judged (`check`)
//! and how problems are shown (`diagnostics`).

mod bundle;
mod check;
mod completions;
mod diagnostics;
mod doctor;
mod explain;
mod functions;
mod gateway_responses;
mod given;
mod import;
mod import_api_keys;
mod lint;
mod progress;
mod ratelimit;
mod render;
mod routes;
mod serve;
mod server;
mod signers;
mod source;
mod stub;
mod table;
#[cfg(test)]
mod testing;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a script can tell from the exit code.
const EXIT_CODES: &str = "Exit codes: 0 all is well (warnings included), 1 the definition has errors or the command failed, \
                          2 the command line is wrong or a file cannot be read.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about = "Serve and check Amazon API Gateway definitions without AWS", after_help = EXIT_CODES, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// One subcommand a file.
#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Bundle(bundle::Arguments),
    Lint(lint::Arguments),
    Doctor(doctor::Arguments),
    Routes(routes::Arguments),
    Explain(explain::Arguments),
    Render(render::Arguments),
    GatewayResponses(gateway_responses::Arguments),
    Import(import::Arguments),
    ImportApiKeys(import_api_keys::Arguments),
    Stub(stub::Arguments),
    Functions(functions::Arguments),
    Usage(usage::Arguments),
    Ratelimit(ratelimit::Arguments),
    Completions(completions::Arguments),
}

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to mend.
    Good,
    /// The definition has errors; they were shown.
    Problems,
    /// The request that was looked at ended in a gateway response.
    Refused,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    /// In plain words.
    pub message: String,
    help: Option<String>,
    code: u8,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match Arguments::parse().command.run() {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Problems) => ExitCode::from(1),
        Ok(Verdict::Refused) => ExitCode::from(3),
        Err(failure) => {
            diagnostics::write_failure(&failure.message, failure.help.as_deref());
            ExitCode::from(failure.code)
        }
    }
}

// === impl Command ===

impl Command {
    fn run(self) -> Result<Verdict, Failure> {
        match self {
            Self::Serve(arguments) => serve::run(arguments),
            Self::Bundle(arguments) => bundle::run(&arguments),
            Self::Lint(arguments) => lint::run(&arguments),
            Self::Doctor(arguments) => doctor::run(&arguments),
            Self::Routes(arguments) => routes::run(&arguments),
            Self::Explain(arguments) => explain::run(&arguments),
            Self::Render(arguments) => render::run(&arguments),
            Self::GatewayResponses(arguments) => gateway_responses::run(&arguments),
            Self::Import(arguments) => import::run(&arguments),
            Self::ImportApiKeys(arguments) => import_api_keys::run(&arguments),
            Self::Stub(arguments) => stub::run(&arguments),
            Self::Functions(arguments) => functions::run(&arguments),
            Self::Usage(arguments) => usage::run(arguments),
            Self::Ratelimit(arguments) => ratelimit::run(&arguments),
            Self::Completions(arguments) => completions::run(&arguments),
        }
    }
}

// === impl Failure ===

impl Failure {
    /// The command was understood and could not be done.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, code: 1 }
    }

    /// The command line asks for something that is not there.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Writes what a command prints; a reader that went away (`| head`) is no error.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the answer: {error}")))
        }
        _ => Ok(()),
    }
}

/// Tells the user something beside what the command prints; nobody may be left to hear it.
fn say(text: &str) {
    use std::io::Write;
    let _ = progress::above(|| anstream::stderr().write_all(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_subcommand_shows_an_example_and_says_what_it_is_for() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains(&format!("tollgate {name}")), "{name} has no example");
            assert!(command.get_about().is_some(), "{name} has no description");
        }
    }
}
