//! `toolcrib install`: put toolcrib's one entry into a client's file.

use std::{
    env, io,
    io::{BufRead, IsTerminal},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{
    import::{explain, parse_client},
    output::{ExitStatus, Printer},
};
use crate::{
    ids::ServerName,
    import::{
        Client, ClientHomes, Found, Scope,
        install::{self, Edit, Entry, InstallError},
        read,
    },
};

/// Put toolcrib into a client's configuration, after showing the change
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  toolcrib install claude-code
  toolcrib install cursor --project --dry-run
  toolcrib install vscode --yes --config ~/work/toolcrib.toml")]
pub struct Args {
    /// Where, and whether to ask
    #[command(flatten)]
    pub entry: EntryArgs,
}

/// Which entry of which client's file, and how far to go.
#[derive(Debug, clap::Args)]
pub struct EntryArgs {
    /// Which client
    #[arg(value_name = "CLIENT", value_parser = parse_client)]
    pub client: Client,
    /// Change the file of the current project instead of the user's
    #[arg(long)]
    pub project: bool,
    /// Show the change and leave it at that
    #[arg(long)]
    pub dry_run: bool,
    /// Make the change without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Name of the entry; some clients call the tools after it, as in `mcp__NAME__search_tools`
    #[arg(long, default_value = "toolcrib")]
    pub name: ServerName,
}

/// Asks a person; `None` where nobody is there to ask.
pub(super) type Ask<'a> = &'a mut dyn FnMut(&mut Printer) -> io::Result<Option<bool>>;

/// Puts toolcrib into the client's file. `config` is the file that was named with `--config`, if one was: the entry names it too.
///
/// # Errors
/// Where the file cannot be edited; it is then as it was.
pub fn run(args: &Args, homes: &ClientHomes, config: Option<&Path>, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let program = env::current_exe().context("failed to find toolcrib's own program")?;
    let mut words = vec!["serve".to_owned()];
    if let Some(config) = config {
        let config = std::path::absolute(config).context("failed to find the configuration")?;
        words.extend(["--config".to_owned(), config.display().to_string()]);
    }
    let entry = Entry { name: args.entry.name.to_string(), command: program.display().to_string(), args: words };
    let result = install_entry(&args.entry, homes, &entry, &mut ask_on_terminal, out);
    explain(result, out)
}

fn install_entry(
    args: &EntryArgs,
    homes: &ClientHomes,
    entry: &Entry,
    ask: Ask<'_>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let path = target(args.client, args.project, homes)?;
    let edit = install::install(args.client, &path, entry)?;
    if edit.is_done() {
        out.say(format_args!("toolcrib is in {} already", homes.shorten(&path)))?;
        return Ok(ExitStatus::Success);
    }
    let status = confirm_and_write(&edit, homes, Consent { dry_run: args.dry_run, yes: args.yes }, ask, out)?;
    if status == ExitStatus::Success && !args.dry_run {
        let others = others(args.client, &path, args.project.then(|| homes.cwd.clone()));
        let label = args.client.label();
        out.say(format_args!("{label} starts toolcrib from its next start on"))?;
        if others > 0 {
            let count = if others == 1 { "1 other server".to_owned() } else { format!("{others} other servers") };
            out.hint(format_args!(
                "{label} still loads {count} of this file directly: take them over with `toolcrib import {} --apply`, \
                 then switch them off or remove them there",
                args.client
            ))?;
        }
    }
    Ok(status)
}

/// What was agreed to on the command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Consent {
    pub dry_run: bool,
    pub yes: bool,
}

/// Shows the change, asks where nobody has agreed yet, and makes it.
pub(super) fn confirm_and_write(
    edit: &Edit,
    homes: &ClientHomes,
    consent: Consent,
    ask: Ask<'_>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let shown = homes.shorten(&edit.path);
    write!(out.data_stream(), "{}", edit.diff(&shown))?;
    if consent.dry_run {
        return Ok(ExitStatus::Success);
    }
    if !consent.yes {
        match ask(out)? {
            Some(true) => {}
            Some(false) => {
                out.say("nothing was changed")?;
                return Ok(ExitStatus::Failure);
            }
            None => {
                out.say("nothing was changed: nobody is here to agree")?;
                out.hint("add --yes to make the change")?;
                return Ok(ExitStatus::Usage);
            }
        }
    }
    let backup = edit.write()?;
    let verb = match (edit.creates(), edit.deletes()) {
        (true, _) => "made",
        (false, true) => "removed",
        (false, false) => "changed",
    };
    match backup {
        Some(backup) => out.say(format_args!("{verb} {shown}; it was kept as {}", homes.shorten(&backup)))?,
        None => out.say(format_args!("{verb} {shown}"))?,
    }
    Ok(ExitStatus::Success)
}

/// The file of a client that `install` and `uninstall` write.
pub(super) fn target(client: Client, project: bool, homes: &ClientHomes) -> Result<PathBuf, InstallError> {
    if project {
        client.project_file(&homes.cwd).ok_or(InstallError::NoProjectFile { client })
    } else {
        Ok(client.user_file(homes))
    }
}

/// Servers of the same file that the client goes on loading itself.
fn others(client: Client, path: &Path, project: Option<PathBuf>) -> usize {
    let scope = project.map_or(Scope::User, |folder| Scope::Project { folder });
    let reading = read(&Found { client, path: path.into(), scope });
    reading.map_or(0, |reading| reading.candidates.iter().filter(|candidate| candidate.enabled).count())
}

/// Asks on the terminal.
pub(super) fn ask_on_terminal(out: &mut Printer) -> io::Result<Option<bool>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    out.say("make this change? [y/N]")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")))
}

#[cfg(test)]
#[path = "install_tests.rs"]
mod tests;
