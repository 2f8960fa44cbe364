//! The command `tollgate`: serves, checks and explains API Gateway definitions on the user's own machine.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::main()
}
