//! `toolcrib import`: take over the servers of other clients.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::ValueHint;
use serde_json::{Value, json};

use super::output::{ExitStatus, Printer};
use crate::import::{
    Applied, ApplyError, Client, ClientHomes, Decision, FilePlan, Found, ImportError, Plan, Planned, Reach, Scope,
    Warning, apply, command_line, find, identify, install::InstallError, plain, plan,
};

/// Take over the servers of other clients, or show what that would be
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  toolcrib import                      what every client has, and what would be taken over
  toolcrib import claude-code cursor   of these clients only
  toolcrib import --file team.json     of a file
  toolcrib import --apply              write it to toolcrib.toml")]
pub struct Args {
    /// Clients whose servers to take over; every one when absent
    #[arg(value_name = "CLIENT", value_parser = parse_client)]
    pub clients: Vec<Client>,
    /// Read this file instead of those that clients keep; name its client where the file does not tell
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Write the servers to toolcrib.toml
    #[arg(long)]
    pub apply: bool,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

/// A client by any of its names, with advice where it is none.
pub(super) fn parse_client(text: &str) -> Result<Client, String> {
    text.parse::<Client>().map_err(|error| format!("{error}; {}", error.hint()))
}

/// Shows what would be taken over into `toml`, and does it where that was asked for.
///
/// # Errors
/// Where a file that was named cannot be read, or `toml` cannot be written.
pub fn run(args: &Args, homes: &ClientHomes, toml: &Path, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let result = import(args, homes, toml, out);
    explain(result, out)
}

/// Follows an error of this room with its advice.
pub(super) fn explain(result: anyhow::Result<ExitStatus>, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let Err(error) = result else { return result };
    let hint = (error.downcast_ref().map(ImportError::hint))
        .or_else(|| error.downcast_ref().map(ApplyError::hint))
        .or_else(|| error.downcast_ref().map(InstallError::hint));
    let Some(hint) = hint else { return Err(error) };
    out.say(format_args!("error: {error:#}"))?;
    out.hint(hint)?;
    Ok(ExitStatus::Failure)
}

fn import(args: &Args, homes: &ClientHomes, toml: &Path, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let files = files(args, homes)?;
    let current = match fs::read_to_string(toml) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", toml.display())),
    };
    let plan = plan(&files, &current);
    if args.json {
        out.json(&as_json(&plan))?;
    } else {
        for file in &plan.files {
            show(file, homes, out)?;
        }
    }
    let counts = Counts::of(&plan);
    if counts.files == 0 {
        out.say("no client's file was found")?;
        out.hint("name one with --file, or add servers with `toolcrib servers add`")?;
        return Ok(ExitStatus::NoMatch);
    }
    out.say(&counts)?;
    if !args.json {
        say_unpinned(&plan, out)?;
    }
    if counts.taken > 0 && args.apply {
        let applied = apply(&plan, toml)?;
        say_applied(&applied, toml, homes, out)?;
    } else if counts.taken > 0 {
        out.hint(format_args!("`toolcrib import --apply` writes them to {}", homes.shorten(toml)))?;
    }
    Ok(match (counts.broken == counts.files, counts.taken + counts.present + counts.same) {
        (true, _) => ExitStatus::Failure,
        (false, 0) => ExitStatus::NoMatch,
        (false, _) => ExitStatus::Success,
    })
}

fn files(args: &Args, homes: &ClientHomes) -> anyhow::Result<Vec<Found>> {
    let Some(file) = &args.file else {
        let mut files = find(homes);
        files.retain(|found| args.clients.is_empty() || args.clients.contains(&found.client));
        return Ok(files);
    };
    let found = match args.clients.as_slice() {
        [client] => Found { client: *client, path: file.clone(), scope: Scope::User },
        [] => identify(file)?,
        _ => anyhow::bail!("--file is one client's file; name at most one client with it"),
    };
    Ok(vec![found])
}

fn show(file: &FilePlan, homes: &ClientHomes, out: &mut Printer) -> io::Result<()> {
    let place = match &file.found.scope {
        Scope::User => "",
        Scope::Project { .. } => " (this project)",
    };
    out.data(format_args!("{}{place}: {}", file.found.client.label(), plain(&homes.shorten(&file.found.path))))?;
    if let Some(error) = &file.error {
        out.data(format_args!("  ! {}", plain(&error.to_string())))?;
        out.data(format_args!("      {}", plain(&error.hint())))?;
    }
    for planned in &file.servers {
        show_server(planned, homes, out)?;
    }
    for skipped in &file.skipped {
        out.data(format_args!("  - {}: {}", plain(&skipped.name), plain(&skipped.reason.to_string())))?;
    }
    if file.error.is_none() && file.servers.is_empty() && file.skipped.is_empty() {
        out.data("  holds no servers")?;
    }
    out.data("")
}

fn show_server(planned: &Planned, homes: &ClientHomes, out: &mut Printer) -> io::Result<()> {
    let candidate = &planned.candidate;
    let label = plain(&candidate.label);
    let name = match &planned.decision {
        Decision::Take { name, .. } => name,
        Decision::Same { name } => return out.data(format_args!("  = {label}: the same server as `{name}`")),
        Decision::Present { name, differs } => {
            let what = if *differs { "; its variables or folder differ and stay as they are" } else { "" };
            return out.data(format_args!("  = {label}: already there as `{name}`{what}"));
        }
    };
    out.data(format_args!("  + {name}: {}", command_line(&candidate.reach)))?;
    let mut notes = Vec::new();
    if label != name.as_str() {
        notes.push(format!("called `{label}` there"));
    }
    if let Some(project) = &candidate.origin.project {
        notes.push(format!("of the project {}", homes.shorten(project)));
    }
    if !candidate.enabled {
        notes.push("switched off there, so taken over with `enabled = false`".into());
    }
    if let Reach::Stdio { cwd: Some(cwd), .. } = &candidate.reach {
        notes.push(format!("runs in {cwd}"));
    }
    if !candidate.include.is_empty() || !candidate.exclude.is_empty() {
        notes.push("offers only some of its tools".into());
    }
    notes.extend(variables(&candidate.reach));
    match candidate.literal_values {
        0 => {}
        1 => notes.push("holds 1 literal value, which is copied as it is".into()),
        more => notes.push(format!("holds {more} literal values, which are copied as they are")),
    }
    notes.extend(candidate.notes.iter().cloned());
    let warnings = planned.warnings.iter().filter(|warning| !matches!(warning, Warning::Unpinned { .. }));
    notes.extend(warnings.map(|warning| format!("look twice: {warning}")));
    notes.iter().try_for_each(|note| out.data(format_args!("      {}", plain(note))))
}

/// The names of what is set; the values may be secrets.
fn variables(reach: &Reach) -> Option<String> {
    let (what, names) = match reach {
        Reach::Stdio { env, .. } => ("sets", env.keys()),
        Reach::Http { headers, .. } => ("sends", headers.keys()),
    };
    let names = names.map(|name| plain(name)).collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| format!("{what} {names}"))
}

/// One line for all of them: it is how most servers are started, so a line each would be noise.
fn say_unpinned(plan: &Plan, out: &mut Printer) -> io::Result<()> {
    let is_unpinned =
        |planned: &Planned| planned.warnings.iter().any(|warning| matches!(warning, Warning::Unpinned { .. }));
    let names: Vec<&str> =
        plan.taken().filter(|(_, planned)| is_unpinned(planned)).map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let (few, more) = names.split_at(names.len().min(8));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    out.say(format_args!(
        "no version is set for {}{more}: each start may run new code; pin them as in `npx -y package@1.2.3`",
        few.join(", ")
    ))
}

fn say_applied(applied: &Applied, toml: &Path, homes: &ClientHomes, out: &mut Printer) -> io::Result<()> {
    let verb = if applied.created { "made" } else { "changed" };
    out.say(format_args!("{verb} {}", homes.shorten(toml)))?;
    applied.added.iter().try_for_each(|name| out.say(format_args!("  added {name}")))?;
    out.hint("`toolcrib reindex` reads their tools; `toolcrib install CLIENT` puts toolcrib in front of them")
}

/// Everything a program needs to decide, and no value of a variable or header.
fn as_json(plan: &Plan) -> Value {
    let server = |planned: &Planned| {
        let candidate = &planned.candidate;
        let (decision, name) = match &planned.decision {
            Decision::Take { name, .. } => ("take", name),
            Decision::Same { name } => ("same", name),
            Decision::Present { name, .. } => ("present", name),
        };
        let names: Vec<&String> = match &candidate.reach {
            Reach::Stdio { env, .. } => env.keys().collect(),
            Reach::Http { headers, .. } => headers.keys().collect(),
        };
        let warnings: Vec<String> = planned.warnings.iter().map(ToString::to_string).collect();
        json!({
            "label": candidate.label, "decision": decision, "name": name, "enabled": candidate.enabled,
            "launch": command_line(&candidate.reach), "variables": names, "literal_values": candidate.literal_values,
            "project": candidate.origin.project, "notes": candidate.notes, "warnings": warnings,
        })
    };
    let file = |file: &FilePlan| {
        json!({
            "client": file.found.client, "path": file.found.path,
            "error": file.error.as_ref().map(ToString::to_string),
            "servers": file.servers.iter().map(server).collect::<Vec<_>>(),
            "skipped": file.skipped,
        })
    };
    json!({ "files": plan.files.iter().map(file).collect::<Vec<_>>() })
}

struct Counts {
    files: usize,
    broken: usize,
    taken: usize,
    same: usize,
    present: usize,
    skipped: usize,
}

impl Counts {
    fn of(plan: &Plan) -> Self {
        let decisions = || plan.files.iter().flat_map(|file| &file.servers).map(|planned| &planned.decision);
        Self {
            files: plan.files.len(),
            broken: plan.files.iter().filter(|file| file.error.is_some()).count(),
            taken: plan.taken().count(),
            same: decisions().filter(|decision| matches!(decision, Decision::Same { .. })).count(),
            present: decisions().filter(|decision| matches!(decision, Decision::Present { .. })).count(),
            skipped: plan.files.iter().map(|file| file.skipped.len()).sum(),
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to take over", self.taken)?;
        for (count, what) in [
            (self.same, "found twice"),
            (self.present, "already there"),
            (self.skipped, "left out"),
            (self.broken, "unreadable (files)"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
pub(in crate::cli) mod tests;
