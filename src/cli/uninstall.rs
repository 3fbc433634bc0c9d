//! `toolcrib uninstall`: take toolcrib's entry out of a client's file again.

use super::{
    import::{explain, parse_client},
    install::{Ask, Consent, ask_on_terminal, confirm_and_write, target},
    output::{ExitStatus, Printer},
};
use crate::{
    ids::ServerName,
    import::{Client, ClientHomes, install},
};

/// Take toolcrib out of a client's configuration; the rest stays as it is
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: toolcrib uninstall claude-code")]
pub struct Args {
    /// Which client
    #[arg(value_name = "CLIENT", value_parser = parse_client)]
    pub client: Client,
    /// Write the file of the current project instead of the user's
    #[arg(long)]
    pub project: bool,
    /// Show the change and leave it at that
    #[arg(long)]
    pub dry_run: bool,
    /// Make the change without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Name of the entry
    #[arg(long, default_value = "toolcrib")]
    pub name: ServerName,
}

/// Takes toolcrib out of the client's file.
///
/// # Errors
/// Where the file has no such entry or cannot be edited; it is then as it was.
pub fn run(args: &Args, homes: &ClientHomes, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let result = uninstall_entry(args, homes, &mut ask_on_terminal, out);
    explain(result, out)
}

pub(super) fn uninstall_entry(
    args: &Args,
    homes: &ClientHomes,
    ask: Ask<'_>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let path = target(args.client, args.project, homes)?;
    let edit = install::uninstall(args.client, &path, args.name.as_str())?;
    confirm_and_write(&edit, homes, Consent { dry_run: args.dry_run, yes: args.yes }, ask, out)
}
