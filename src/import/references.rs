//! References inside values: each client's way to write them, translated into the `${VAR}` and `${VAR:-default}` that
//! `toolcrib.toml` knows. No variable is read here, so a secret that was a reference stays one.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{client::Client, model::SkipReason};

/// Yields a `$` that toolcrib leaves alone, for a program that fills in `${VAR}` itself: no variable is called so.
const LITERAL_DOLLAR: &str = "${DOLLAR:-$}";

/// Translates the values of one entry.
#[derive(Debug)]
pub(super) struct Translator<'a> {
    client: Client,
    /// What `${workspaceFolder}` stands for.
    folder: Option<&'a Path>,
    /// VS Code's inputs with their defaults; those of passwords are never read.
    inputs: &'a BTreeMap<String, Option<String>>,
    /// Variables that the entry itself sets.
    own_variables: BTreeSet<String>,
    notes: BTreeSet<String>,
}

/// Where a value stands, as far as it matters for what `${VAR}` means there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On the command line, which some programs search for references themselves.
    Argument,
    /// Anywhere else.
    Value,
}

impl<'a> Translator<'a> {
    pub(super) const fn new(
        client: Client,
        folder: Option<&'a Path>,
        inputs: &'a BTreeMap<String, Option<String>>,
        own_variables: BTreeSet<String>,
    ) -> Self {
        Self { client, folder, inputs, own_variables, notes: BTreeSet::new() }
    }

    /// What a person should know, after everything was translated.
    pub(super) fn into_notes(self) -> Vec<String> {
        self.notes.into_iter().collect()
    }

    /// One value in our own notation.
    pub(super) fn translate(&mut self, text: &str, place: Place) -> Result<String, SkipReason> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, reference) = rest.split_at(at);
            out.push_str(before);
            rest = self.reference(reference, place, &mut out)?;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Takes one reference off the front of a text that starts with `$`, and gives back what follows it.
    fn reference<'t>(&mut self, text: &'t str, place: Place, out: &mut String) -> Result<&'t str, SkipReason> {
        // Continue's secrets.
        if let Some((inside, rest)) = text.strip_prefix("${{").and_then(|text| text.split_once("}}")) {
            let name = variable_of(inside.trim().rsplit('.').next().unwrap_or_default());
            self.notes.insert(format!("set the variable {name} for toolcrib; {} kept it elsewhere", self.label()));
            out.push_str(&format!("${{{name}}}"));
            return Ok(rest);
        }
        if let Some((inside, rest)) = text.strip_prefix("${").and_then(|text| text.split_once('}')) {
            self.braced(inside, place, out)?;
            return Ok(rest);
        }
        let name_len = text[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let name = &text[1..=name_len];
        if self.client == Client::Gemini && is_variable(name) {
            out.push_str(&format!("${{{name}}}"));
            return Ok(&text[1 + name_len..]);
        }
        out.push('$');
        Ok(&text[1..])
    }

    fn braced(&mut self, inside: &str, place: Place, out: &mut String) -> Result<(), SkipReason> {
        let only_client_knows =
            || SkipReason::OnlyClientKnows { reference: format!("${{{inside}}}"), client: self.client };
        if let Some(name) = inside.strip_prefix("env:").filter(|name| is_variable(name)) {
            out.push_str(&format!("${{{name}}}"));
            return Ok(());
        }
        if let Some(id) = inside.strip_prefix("input:") {
            let name = variable_of(id);
            match self.inputs.get(id) {
                Some(Some(default)) if !default.contains(['}', '$']) => {
                    out.push_str(&format!("${{{name}:-{default}}}"));
                }
                _ => {
                    self.notes.insert(format!("set the variable {name} for toolcrib; {} asks for it", self.label()));
                    out.push_str(&format!("${{{name}}}"));
                }
            }
            return Ok(());
        }
        match inside {
            "workspaceFolder" | "workspaceRoot" | "CLAUDE_PROJECT_DIR" => {
                let folder = self.folder.ok_or_else(only_client_knows)?.display().to_string();
                self.notes.insert(format!("`${{{inside}}}` became {folder}"));
                out.push_str(&folder);
                return Ok(());
            }
            "workspaceFolderBasename" => {
                let name = self.folder.and_then(Path::file_name).ok_or_else(only_client_knows)?;
                out.push_str(&name.to_string_lossy());
                return Ok(());
            }
            "userHome" => {
                out.push_str(if cfg!(windows) { "${USERPROFILE}" } else { "${HOME}" });
                return Ok(());
            }
            "pathSeparator" | "/" => {
                out.push(std::path::MAIN_SEPARATOR);
                return Ok(());
            }
            "CLAUDE_PLUGIN_ROOT" | "cwd" | "execPath" => return Err(only_client_knows()),
            _ => {}
        }
        let name = inside.split_once(":-").map_or(inside, |(name, _)| name);
        if !is_variable(name) {
            let foreign = ["workspaceFolder:", "command:", "config:", "file:", "file", "selected", "line"];
            if foreign.iter().any(|prefix| inside.starts_with(prefix)) {
                return Err(only_client_knows());
            }
            // Nothing toolcrib would fill in either.
            out.push_str(&format!("${{{inside}}}"));
            return Ok(());
        }
        if !self.client_fills_in() {
            if place == Place::Argument && self.own_variables.contains(name) {
                // The client passes it on as it stands, and the program fills it in from its own environment.
                out.push_str(&format!("{LITERAL_DOLLAR}{{{inside}}}"));
                return Ok(());
            }
            self.notes.insert(format!("`${{{name}}}` is plain text to {}; toolcrib will fill it in", self.label()));
        }
        out.push_str(&format!("${{{inside}}}"));
        Ok(())
    }

    const fn client_fills_in(&self) -> bool {
        matches!(self.client, Client::ClaudeCode | Client::Gemini)
    }

    const fn label(&self) -> &'static str {
        self.client.label()
    }
}

/// Whether a value is all text, so that a secret in it would be written out.
pub(super) fn is_literal(translated: &str) -> bool {
    !translated.is_empty() && !translated.contains("${")
}

/// The name of a variable for something that has another name: `github-token` becomes `GITHUB_TOKEN`.
pub(super) fn variable_of(id: &str) -> String {
    let name: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) { format!("INPUT_{name}") } else { name }
}

/// Whether a name can be a variable's.
pub(super) fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn translated(client: Client, text: &str, place: Place) -> Result<String, SkipReason> {
        let inputs = BTreeMap::from([("token".into(), None), ("region".into(), Some("eu".into()))]);
        let own = BTreeSet::from(["AUTH".to_owned()]);
        Translator::new(client, Some(Path::new("/work/app")), &inputs, own).translate(text, place)
    }

    #[test]
    fn each_clients_references_become_ours() {
        for (client, theirs, ours) in [
            (Client::VsCode, "Bearer ${input:token}", "Bearer ${TOKEN}"),
            (Client::VsCode, "${input:region}", "${REGION:-eu}"),
            (Client::Cursor, "${env:API_KEY}/${workspaceFolder}/x", "${API_KEY}//work/app/x"),
            (Client::Gemini, "$API_KEY and ${OTHER}", "${API_KEY} and ${OTHER}"),
            (Client::ClaudeCode, "${HOST:-localhost}:1", "${HOST:-localhost}:1"),
            (Client::Continue, "${{ secrets.my-key }}", "${MY_KEY}"),
            (Client::ClaudeCode, "pa$$word$1 ${not a name} ${", "pa$$word$1 ${not a name} ${"),
        ] {
            assert_eq!(translated(client, theirs, Place::Value).as_deref(), Ok(ours), "{theirs}");
        }
    }

    #[test]
    fn what_a_program_fills_in_itself_reaches_it_untouched() {
        let argument = |client| translated(client, "Authorization:${AUTH}", Place::Argument).unwrap();
        assert_eq!(argument(Client::ClaudeDesktop), "Authorization:${DOLLAR:-$}{AUTH}");
        assert_eq!(argument(Client::ClaudeCode), "Authorization:${AUTH}");
    }

    #[test]
    fn what_only_the_client_knows_is_refused() {
        let refused = translated(Client::VsCode, "${command:pick}", Place::Value).unwrap_err();
        assert_eq!(refused.to_string(), "depends on `${command:pick}`, which only VS Code can fill in");
    }

    proptest! {
        #[test]
        fn texts_without_a_dollar_are_never_changed(text in "[^$]{0,80}") {
            prop_assert_eq!(translated(Client::Gemini, &text, Place::Value), Ok(text));
        }

        #[test]
        fn no_text_makes_the_translation_panic(text in "[$:{}a-zA-Z. -]{0,40}") {
            let _ = translated(Client::Continue, &text, Place::Argument);
        }
    }
}
