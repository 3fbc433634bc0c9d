//! `toolcrib completions`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{
    Cli,
    output::{ExitStatus, Printer},
};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  toolcrib completions zsh > ~/.zfunc/_toolcrib")]
pub struct Args {
    /// Which shell
    pub shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// Where standard output fails.
pub fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    clap_complete::generate(args.shell, &mut Cli::command(), "toolcrib", out.data_stream());
    Ok(ExitStatus::Success)
}
