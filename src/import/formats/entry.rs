//! One entry of any client, in the shape that nearly all of them share: `command`, `args`, `env`, `cwd`, or `url` and `headers`.
//!
//! The format files rename what is called otherwise before it comes here.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::MAX_SERVERS;
use crate::{
    config::{is_own_entry, is_own_url},
    import::{
        client::Client,
        model::{Candidate, Found, Origin, Reach, Reading, Scope, SkipReason, Skipped, Transport},
        references::{Place, Translator, is_literal},
    },
};

/// What an entry does not say itself.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub found: &'a Found,
    /// The project an entry of a user's file is for.
    pub project: Option<PathBuf>,
    /// VS Code's inputs.
    pub inputs: BTreeMap<String, Option<String>>,
}

impl<'a> Context<'a> {
    pub(super) const fn of(found: &'a Found) -> Self {
        Self { found, project: None, inputs: BTreeMap::new() }
    }

    fn folder(&self) -> Option<&Path> {
        match &self.found.scope {
            Scope::Project { folder } => Some(folder),
            Scope::User => self.project.as_deref(),
        }
    }

    const fn client(&self) -> Client {
        self.found.client
    }

    const fn shape(&self, what: &'static str) -> SkipReason {
        SkipReason::Shape { what, client: self.client() }
    }
}

/// Reads entries into `reading`, each on its own.
pub(super) fn read_all<'e>(
    context: &Context<'_>,
    entries: impl IntoIterator<Item = (&'e str, Result<Map<String, Value>, SkipReason>)>,
    reading: &mut Reading,
) {
    for (label, entry) in entries {
        let full = reading.candidates.len() + reading.skipped.len() >= MAX_SERVERS;
        let read = if full {
            Err(SkipReason::TooMany { limit: MAX_SERVERS })
        } else {
            entry.and_then(|entry| read(context, label, &entry))
        };
        match read {
            Ok(candidate) => reading.candidates.push(candidate),
            Err(reason) => reading.skipped.push(Skipped { name: label.into(), reason }),
        }
        if full {
            return;
        }
    }
}

/// An entry as an object, or the reason why it is none.
pub(super) fn object_of(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    entry.as_object().cloned().ok_or_else(|| context.shape("the entry is no object"))
}

fn read(context: &Context<'_>, label: &str, entry: &Map<String, Value>) -> Result<Candidate, SkipReason> {
    let fields = Fields { context, entry };
    let kind = fields.text("type")?.or(fields.text("transport")?).map(|kind| kind.to_ascii_lowercase());
    let kind = kind.as_deref().map(|kind| kind.replace(['-', '_'], ""));
    let command = fields.text("command")?.filter(|command| !command.trim().is_empty());
    let url = fields.text("url")?.filter(|url| !url.trim().is_empty());
    let env = fields.pairs("env")?;
    let mut translator =
        Translator::new(context.client(), context.folder(), &context.inputs, env.keys().cloned().collect());
    let mut literal_values = 0;
    let mut translate_pairs = |pairs: BTreeMap<String, String>, translator: &mut Translator<'_>| {
        let mut translated = BTreeMap::new();
        for (name, value) in pairs {
            let value = translator.translate(&value, Place::Value)?;
            literal_values += usize::from(is_literal(&value));
            translated.insert(name, value);
        }
        Ok(translated)
    };
    let by_url = match kind.as_deref() {
        None => command.is_none(),
        Some("stdio" | "local" | "command") => false,
        Some("http" | "streamablehttp" | "sse" | "remote") => true,
        Some(_) => {
            let kind = fields.text("type")?.or(fields.text("transport")?).unwrap_or_default();
            return Err(SkipReason::Unsupported { kind: kind.chars().take(40).collect() });
        }
    };
    let reach = match (by_url, command, url) {
        (true, _, Some(url)) => {
            let transport = match kind.as_deref() {
                Some("sse") => Some(Transport::Sse),
                Some("http" | "streamablehttp") => Some(Transport::Http),
                _ => None,
            };
            let url = translator.translate(&url, Place::Value)?;
            if url.starts_with("ws://") || url.starts_with("wss://") {
                return Err(SkipReason::Unsupported { kind: "websocket".into() });
            }
            if is_own_url(label, &url) {
                return Err(SkipReason::OwnEntry);
            }
            let headers = translate_pairs(fields.pairs("headers")?, &mut translator)?;
            Reach::Http { url, headers, transport }
        }
        (false, Some(command), _) => {
            let args = fields.texts("args")?;
            if is_own_entry(&command, &args) || wraps_own_entry(&args) {
                return Err(SkipReason::OwnEntry);
            }
            let command = translator.translate(&command, Place::Value)?;
            let args =
                args.iter().map(|arg| translator.translate(arg, Place::Argument)).collect::<Result<Vec<_>, _>>()?;
            let cwd = fields.text("cwd")?.map(|cwd| translator.translate(&cwd, Place::Value)).transpose()?;
            let env = translate_pairs(env, &mut translator)?;
            in_folder(context.folder(), command, args, env, cwd)
        }
        (true, _, None) | (false, None, _) => return Err(SkipReason::NoReach),
    };
    let mut notes = translator.into_notes();
    // toolcrib fills in references everywhere but in a command.
    if let Reach::Stdio { command, .. } = &reach
        && command.contains("${")
    {
        notes.push("its command holds a reference; write the program's path instead".into());
    }
    if entry.contains_key("envFile") {
        notes.push("its `envFile` is not read; set those variables for toolcrib".into());
    }
    let exclude = [fields.texts("excludeTools")?, fields.texts("disabledTools")?].concat();
    Ok(Candidate {
        label: label.into(),
        reach,
        enabled: fields.flag("enabled")?.unwrap_or(true) && !fields.flag("disabled")?.unwrap_or(false),
        summary: entry.get("description").and_then(Value::as_str).map(one_line).filter(|line| !line.is_empty()),
        include: fields.texts("includeTools")?.iter().map(|tool| glob_of(tool)).collect(),
        exclude: exclude.iter().map(|tool| glob_of(tool)).collect(),
        literal_values,
        notes,
        origin: Origin { client: context.client(), path: context.found.path.clone(), project: context.project.clone() },
    })
}

/// Access to an entry's fields. Numbers and truth values stand for their text, as clients take them so.
struct Fields<'a> {
    context: &'a Context<'a>,
    entry: &'a Map<String, Value>,
}

impl Fields<'_> {
    fn text(&self, key: &str) -> Result<Option<String>, SkipReason> {
        match self.entry.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.context.shape(match key {
                "command" => "`command` is no text",
                "url" => "its url is no text",
                "cwd" => "`cwd` is no text",
                _ => "`type` is no text",
            })),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, SkipReason> {
        match self.entry.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.context.shape("`enabled` or `disabled` is neither true nor false")),
        }
    }

    fn texts(&self, key: &str) -> Result<Vec<String>, SkipReason> {
        match self.entry.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| plain_text(item).ok_or_else(|| self.context.shape("a list of texts holds something else")))
                .collect(),
            Some(_) => {
                Err(self.context.shape(if key == "args" { "`args` is no list" } else { "a list of tools is none" }))
            }
        }
    }

    fn pairs(&self, key: &str) -> Result<BTreeMap<String, String>, SkipReason> {
        match self.entry.get(key) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| {
                    let value = plain_text(value);
                    value.map(|value| (name.clone(), value)).ok_or_else(|| self.context.shape("a value is no text"))
                })
                .collect(),
            Some(_) => {
                Err(self.context.shape(if key == "env" { "`env` is no object" } else { "`headers` is no object" }))
            }
        }
    }
}

fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A program of a project runs in its folder; what leans on that is told to, because toolcrib runs elsewhere.
fn in_folder(
    folder: Option<&Path>,
    command: String,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    cwd: Option<String>,
) -> Reach {
    let Some(folder) = folder else { return Reach::Stdio { command, args, env, cwd } };
    let below = |path: &str| folder.join(path).components().collect::<PathBuf>().display().to_string();
    let leans = |word: &String| {
        matches!(word.as_str(), "." | "..")
            || word.starts_with("./")
            || word.starts_with("../")
            || (!word.is_empty()
                && !word.starts_with('-')
                && Path::new(word).is_relative()
                && folder.join(word).exists())
    };
    let cwd = match cwd {
        Some(cwd) => Some(below(&cwd)),
        None if args.iter().any(leans) => Some(folder.display().to_string()),
        None => None,
    };
    let is_path = command.contains(['/', '\\']) && !command.starts_with('~') && !command.contains("${");
    let command = if is_path { below(&command) } else { command };
    Reach::Stdio { command, args, env, cwd }
}

/// Another program that starts toolcrib, such as a shell or a package runner.
fn wraps_own_entry(args: &[String]) -> bool {
    let mut words = args.iter().flat_map(|arg| arg.split_whitespace());
    words.by_ref().any(|word| word.rsplit(['/', '\\']).next().is_some_and(|name| name == "toolcrib"))
        && words.any(|word| word == "serve")
}

/// A tool's name as a glob that matches only it.
fn glob_of(tool: &str) -> String {
    let mut glob = String::with_capacity(tool.len());
    for c in tool.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            glob.push('\\');
        }
        glob.push(c);
    }
    glob
}

/// The first line of a description, short enough for a summary.
fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().chars().filter(|c| !c.is_control()).take(200).collect()
}
