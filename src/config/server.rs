//! One server's raw table, checked and with its references filled in.
//!
//! Owns which keys belong together. Values that came from the environment leave here only as [`SecretString`] or inside types
//! that do not show them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use url::Url;

use super::{
    HttpLaunch, HttpTransport, Launch, ResultBudget, ServerSpec, StdioLaunch, ToolFilter,
    env::{Strings, Unresolved, expand, home},
    is_own_entry,
    problems::{KeyPath, Problems, echo},
    raw::{CALL_TIMEOUT, RawServer, RawTools, RawTransport, START_TIMEOUT},
};
use crate::ids::{ServerName, ToolName};

/// Smallest budget of a result, in tokens. Less shows nothing but what was left out.
const MIN_RESULT_TOKENS: u32 = 200;

/// What a server's table is read against.
pub(super) struct Surroundings<'a> {
    /// Where references lead.
    pub env: &'a dyn Strings,
    /// Folder of the file, where relative paths start.
    pub folder: &'a Path,
    /// Result budget of servers that set none.
    pub result_tokens: usize,
}

impl RawServer {
    /// The server, if nothing is wrong with it.
    pub(super) fn check(
        mut self,
        name: ServerName,
        at: &KeyPath,
        around: &Surroundings<'_>,
        problems: &mut Problems,
    ) -> Option<ServerSpec> {
        let mut filler = Filler { env: around.env, enabled: self.enabled, resolved: Vec::new() };
        self.check_companions(at, problems);
        let start_timeout = self.start_timeout.check(&at.key("start_timeout"), &START_TIMEOUT, problems);
        let call_timeout = self.call_timeout.check(&at.key("call_timeout"), &CALL_TIMEOUT, problems);
        let tools = std::mem::take(&mut self.tools).check(&at.key("tools"), problems);
        let summary = self.summary.as_deref().map(one_line).filter(|summary| !summary.is_empty());
        let results = self.result_budget(at, around, problems);
        let enabled = self.enabled;
        let launch = match (self.command.is_some(), self.url.is_some()) {
            (true, _) => self.stdio(at, around, &mut filler, problems).map(Launch::Stdio),
            (false, true) => self.http(at, &mut filler, problems).map(Launch::Http),
            (false, false) => None,
        };
        let launch = launch.filter(|_| problems.is_empty())?;
        Some(ServerSpec {
            name,
            launch,
            enabled,
            summary,
            start_timeout,
            call_timeout,
            tools,
            results,
            resolved: filler.resolved.into_iter().map(SecretString::from).collect(),
        })
    }

    /// Which keys go together: a program has arguments and an environment, an endpoint has headers.
    fn check_companions(&self, at: &KeyPath, problems: &mut Problems) {
        let (command, url) = (at.key("command"), at.key("url"));
        match (&self.command, &self.url) {
            (Some(_), Some(_)) => {
                problems.add(
                    &url,
                    "stands beside `command`, but a server is reached in one way",
                    "keep one of the two",
                );
            }
            (None, None) if !problems.touch(&command) && !problems.touch(&url) => problems.add(
                at,
                "has neither `command` nor `url`",
                "add the program to start (`command`) or the endpoint to call (`url`)",
            ),
            _ => {}
        }
        let misplaced: &[(&str, bool)] = match (&self.command, &self.url) {
            (Some(_), None) => &[("headers", !self.headers.is_empty())],
            (None, Some(_)) => &[
                ("args", !self.args.is_empty()),
                ("env", !self.env.is_empty()),
                ("pass_env", !self.pass_env.is_empty()),
                ("cwd", self.cwd.is_some()),
            ],
            _ => &[],
        };
        let (reached_by, other) = if self.url.is_some() { ("url", "command") } else { ("command", "url") };
        for (key, _) in misplaced.iter().filter(|(_, given)| *given) {
            let reason = format!("has no meaning for a server with `{reached_by}`");
            problems.add(&at.key(key), reason, format!("remove it, or use `{other}`"));
        }
        let fits = match self.transport {
            Some(RawTransport::Stdio) => self.url.is_none(),
            Some(RawTransport::Http | RawTransport::Sse) => self.command.is_none(),
            None => true,
        };
        if !fits {
            let remedy = "remove the line: the transport is detected";
            problems.add(&at.key("transport"), format!("does not fit a server with `{reached_by}`"), remedy);
        }
    }

    fn result_budget(&self, at: &KeyPath, around: &Surroundings<'_>, problems: &mut Problems) -> ResultBudget {
        let budget = |tokens: u32, at: &KeyPath, problems: &mut Problems| match tokens {
            0 => None,
            1..MIN_RESULT_TOKENS => {
                let reason = format!("is {tokens}, too little to show anything");
                problems.add(at, reason, format!("give at least {MIN_RESULT_TOKENS}, or 0 for no budget at all"));
                None
            }
            tokens => Some(tokens as usize),
        };
        let general = match self.result_tokens {
            Some(tokens) => budget(tokens, &at.key("result_tokens"), problems),
            None => Some(around.result_tokens),
        };
        let tools_at = at.key("tool_result_tokens");
        let mut tools = BTreeMap::new();
        for (name, tokens) in &self.tool_result_tokens {
            let at = tools_at.key(name);
            let tokens = budget(*tokens, &at, problems);
            match ToolName::try_from(name.clone()) {
                Ok(name) => drop(tools.insert(name, tokens)),
                Err(error) => {
                    problems.add(&at, format!("names no tool: {error}"), "write the name as the server has it");
                }
            }
        }
        ResultBudget { general, tools }
    }

    fn stdio(
        self,
        at: &KeyPath,
        around: &Surroundings<'_>,
        filler: &mut Filler<'_>,
        problems: &mut Problems,
    ) -> Option<StdioLaunch> {
        let command_at = at.key("command");
        // Nothing returns early: whatever else is wrong belongs into the same report.
        let command = filler.fill(&self.command.unwrap_or_default(), &command_at, problems);
        if command.as_ref().is_some_and(|command| command.trim().is_empty()) {
            problems.add(&command_at, "is empty", "name the program to start");
        }
        let args_at = at.key("args");
        let args: Vec<String> = self
            .args
            .iter()
            .enumerate()
            .filter_map(|(index, arg)| filler.fill(arg, &args_at.index(index), problems))
            .collect();
        if command.as_ref().is_some_and(|command| is_own_entry(command, &args))
            && !args.iter().any(|arg| arg.starts_with("--config"))
        {
            problems.add(
                &command_at,
                "is toolcrib itself, which would start itself without end",
                "remove the server, or give it another file with `--config`",
            );
        }
        let env_at = at.key("env");
        let mut env = BTreeMap::new();
        for (name, value) in self.env {
            let at = env_at.key(&name);
            if !is_env_name(&name) {
                problems.add(&at, "is no name of a variable", "use letters, digits and `_`");
            }
            if let Some(value) = filler.fill_secret(&value, &at, problems) {
                env.insert(name, value.into());
            }
        }
        for (index, name) in self.pass_env.iter().enumerate() {
            if !is_env_name(name) {
                let remedy = "write the name alone, without `$`; values go into `env`";
                problems.add(&at.key("pass_env").index(index), "is no name of a variable", remedy);
            }
            filler.resolved.extend(filler.env.get(name));
        }
        let cwd = self.cwd.and_then(|cwd| filler.fill(&cwd, &at.key("cwd"), problems));
        Some(StdioLaunch {
            command: located(command?, around),
            args,
            env,
            pass_env: self.pass_env,
            cwd: cwd.map(|cwd| absolute(&cwd, around)),
        })
    }

    fn http(self, at: &KeyPath, filler: &mut Filler<'_>, problems: &mut Problems) -> Option<HttpLaunch> {
        let url_at = at.key("url");
        let url = filler.fill(&self.url.unwrap_or_default(), &url_at, problems).and_then(|url| {
            let url = Url::parse(url.trim());
            // Neither the address nor the parser's view of it is shown: keys stand in addresses.
            match url {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
                Ok(_) => {
                    problems.add(&url_at, "is not an http or https address", "write it as https://host/path");
                    None
                }
                Err(reason) => {
                    problems.add(&url_at, format!("is no address: {reason}"), "write it as https://host/path");
                    None
                }
            }
        });
        let headers_at = at.key("headers");
        let mut headers = BTreeMap::new();
        for (name, value) in self.headers {
            let at = headers_at.key(&name);
            if HeaderName::try_from(&name).is_err() {
                problems.add(&at, "is no name of a header", "use letters, digits and `-`");
            }
            let Some(value) = filler.fill_secret(&value, &at, problems) else { continue };
            if HeaderValue::try_from(&value).is_err() {
                problems.add(
                    &at,
                    "has a character that no header can hold",
                    "remove line breaks and control characters",
                );
            }
            headers.insert(name, value.into());
        }
        let transport = match self.transport {
            Some(RawTransport::Http) => HttpTransport::Streamable,
            Some(RawTransport::Sse) => HttpTransport::Sse,
            Some(RawTransport::Stdio) | None => HttpTransport::Detect,
        };
        Some(HttpLaunch { url: url?, headers, transport })
    }
}

impl RawTools {
    fn check(self, at: &KeyPath, problems: &mut Problems) -> ToolFilter {
        let include = glob_set(&self.include, &at.key("include"), problems);
        let exclude = glob_set(&self.exclude, &at.key("exclude"), problems);
        ToolFilter { include: (!self.include.is_empty()).then_some(include), exclude }
    }
}

fn glob_set(globs: &[String], at: &KeyPath, problems: &mut Problems) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for (index, glob) in globs.iter().enumerate() {
        match GlobBuilder::new(glob).build() {
            Ok(parsed) => drop(set.add(parsed)),
            Err(error) => problems.add_value(
                &at.index(index),
                format_args!("{glob:?}"),
                format!("is no glob: {}", error.kind()),
                "write a tool name in which `*` stands for any characters",
            ),
        }
    }
    set.build().unwrap_or_else(|_| {
        problems.add(at, "is too large", "use fewer or shorter globs");
        GlobSet::empty()
    })
}

/// Fills in references and remembers what came from the environment.
struct Filler<'a> {
    env: &'a dyn Strings,
    enabled: bool,
    resolved: Vec<String>,
}

impl Filler<'_> {
    /// Fills in a text that is no secret by nature; what came from the environment is remembered as one.
    fn fill(&mut self, text: &str, at: &KeyPath, problems: &mut Problems) -> Option<String> {
        match expand(text, self.env) {
            Ok(expanded) => {
                self.resolved.extend(expanded.taken);
                without_nul(expanded.text, at, problems)
            }
            Err(unresolved) => self.refuse(text, unresolved, at, problems),
        }
    }

    /// Fills in a text that is treated as a secret as a whole.
    fn fill_secret(&self, text: &str, at: &KeyPath, problems: &mut Problems) -> Option<String> {
        match expand(text, self.env) {
            Ok(expanded) => without_nul(expanded.text, at, problems),
            Err(unresolved) => self.refuse(text, unresolved, at, problems),
        }
    }

    fn refuse(&self, text: &str, unresolved: Vec<Unresolved>, at: &KeyPath, problems: &mut Problems) -> Option<String> {
        if !self.enabled {
            // A server is often disabled because its key is missing; that is no news until it is enabled.
            return Some(text.to_owned());
        }
        for one in unresolved {
            match one {
                Unresolved::Missing { variable } => {
                    let variable = echo(&variable);
                    problems.add(
                        at,
                        format!("needs the environment variable {variable}, which is not set"),
                        format!("set {variable}, or write ${{{variable}:-default}}"),
                    );
                }
                Unresolved::Foreign { reference } => problems.add(
                    at,
                    format!(
                        "refers to ${{{}}}, which only the editor it was written for can fill in",
                        echo(&reference)
                    ),
                    "use an environment variable: ${NAME}",
                ),
            }
        }
        None
    }
}

fn without_nul(text: String, at: &KeyPath, problems: &mut Problems) -> Option<String> {
    if text.contains('\0') {
        problems.add(at, "holds a NUL character, which no program or header can take", "remove the character");
        return None;
    }
    Some(text)
}

fn is_env_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0', '$', ' '])
}

/// A program found by its path stays the same wherever it is started; a bare name is looked up in `PATH`.
fn located(command: String, around: &Surroundings<'_>) -> String {
    if command.contains(std::path::is_separator) {
        absolute(&command, around).to_str().map_or(command, str::to_owned)
    } else {
        command
    }
}

fn absolute(path: &str, around: &Surroundings<'_>) -> PathBuf {
    let below_home = if path == "~" { Some("") } else { path.strip_prefix("~/") };
    match (below_home, home(around.env)) {
        (Some(rest), Some(home)) => home.join(rest),
        // `join` leaves a path alone that is absolute already.
        _ => around.folder.join(path.strip_prefix("./").unwrap_or(path)),
    }
}

/// A summary is one line, whatever it was written as.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
