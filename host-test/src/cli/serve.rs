//! placeholder
use super::{Failure, Verdict};
/// Serve
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: tollgate serve x")]
pub struct Arguments {}
/// run
pub fn run(_: Arguments) -> Result<Verdict, Failure> { Ok(Verdict::Good) }
