//! `toolcrib uninstall`: take toolcrib's entry out of a client's file again.

use super::{
    import::explain,
    install::{Ask, Consent, EntryArgs, ask_on_terminal, confirm_and_write, target},
    output::{ExitStatus, Printer},
};
use crate::import::{ClientHomes, install};

/// Take toolcrib out of a client's configuration; the rest stays as it is
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: toolcrib uninstall claude-code")]
pub struct Args {
    /// Where, and whether to ask
    #[command(flatten)]
    pub entry: EntryArgs,
}

/// Takes toolcrib out of the client's file.
///
/// # Errors
/// Where the file has no such entry or cannot be edited; it is then as it was.
pub fn run(args: &Args, homes: &ClientHomes, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let result = uninstall_entry(&args.entry, homes, &mut ask_on_terminal, out);
    explain(result, out)
}

pub(super) fn uninstall_entry(
    args: &EntryArgs,
    homes: &ClientHomes,
    ask: Ask<'_>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let path = target(args.client, args.project, homes)?;
    let edit = install::uninstall(args.client, &path, args.name.as_str())?;
    confirm_and_write(&edit, homes, Consent { dry_run: args.dry_run, yes: args.yes }, ask, out)
}
