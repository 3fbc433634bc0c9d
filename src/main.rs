//! The `toolcrib` program. Everything is in the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    toolcrib::app::main(toolcrib::cli::Cli::parse()).into()
}
