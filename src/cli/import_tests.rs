//! `toolcrib import` from a home folder full of clients to a toolcrib.toml.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use clap::Parser;
use tempfile::TempDir;

use super::*;
use crate::import::Os;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// What a command printed: data and words.
#[derive(Clone, Default)]
pub(in crate::cli) struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Printed {
    /// Both streams, in the order in which they were written.
    pub(in crate::cli) fn printer(&self) -> Printer {
        Printer::into_buffers(Box::new(self.clone()), Box::new(self.clone()))
    }

    pub(in crate::cli) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A person's home folder.
pub(in crate::cli) struct Home {
    pub folder: TempDir,
    pub homes: ClientHomes,
}

impl Home {
    pub(in crate::cli) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cwd = folder.path().join("app");
        fs::create_dir(&cwd).unwrap();
        Self { homes: ClientHomes::below(folder.path().into(), cwd, Os::Linux), folder }
    }

    pub(in crate::cli) fn put(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn put_fixture(&self, path: &Path, fixture: &str) {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join("clients");
        self.put(path, &fs::read_to_string(fixtures.join(fixture)).unwrap());
    }

    /// Every client with its good file.
    fn with_every_client() -> Self {
        let home = Self::new();
        for (client, file) in [
            (Client::ClaudeDesktop, "claude_desktop_config.json"),
            (Client::ClaudeCode, ".claude.json"),
            (Client::Cursor, "mcp.json"),
            (Client::VsCode, "mcp.json"),
            (Client::Windsurf, "mcp_config.json"),
            (Client::Codex, "config.toml"),
            (Client::Gemini, "settings.json"),
            (Client::Zed, "settings.json"),
            (Client::Cline, "cline_mcp_settings.json"),
            (Client::Roo, "mcp_settings.json"),
            (Client::Goose, "config.yaml"),
            (Client::Continue, "config.yaml"),
            (Client::JetBrains, "mcp.json"),
        ] {
            home.put_fixture(&client.user_file(&home.homes), &format!("{client}/good/{file}"));
        }
        home.put_fixture(&home.homes.cwd.join(".mcp.json"), "claude-code/good/.mcp.json");
        home
    }

    fn toml(&self) -> PathBuf {
        self.homes.config_dir.join("toolcrib").join("toolcrib.toml")
    }

    fn import(&self, words: &[&str]) -> (ExitStatus, String) {
        let args = Cli::parse_from([&["import"], words].concat()).args;
        let printed = Printed::default();
        let status = run(&args, &self.homes, &self.toml(), &mut printed.printer()).unwrap();
        (status, printed.text().replace(&self.folder.path().display().to_string(), "HOME"))
    }
}

#[test]
fn everything_that_was_found_is_listed_with_what_becomes_of_it_and_no_secret() {
    let home = Home::with_every_client();
    let (status, listing) = home.import(&[]);
    assert_eq!(status, ExitStatus::Success);
    assert!(!listing.contains("dummy"), "{listing}");
    assert!(!home.toml().exists(), "nothing is written without --apply");
    insta::assert_snapshot!(listing);
}

#[test]
fn hostile_and_broken_files_are_shown_for_what_they_are_and_cost_the_others_nothing() {
    let home = Home::new();
    home.put_fixture(&Client::ClaudeDesktop.user_file(&home.homes), "claude-desktop/bad/hostile.json");
    home.put_fixture(&Client::Cursor.user_file(&home.homes), "cursor/bad/unfinished.json");
    home.put_fixture(&Client::Codex.user_file(&home.homes), "codex/bad/unfinished.toml");
    home.put_fixture(&Client::Goose.user_file(&home.homes), "goose/bad/unclosed.yaml");
    home.put_fixture(&Client::Windsurf.user_file(&home.homes), "claude-desktop/bad/shapes.json");
    let (status, listing) = home.import(&[]);
    assert_eq!(status, ExitStatus::Success);
    assert!(!listing.contains("dummy"), "{listing}");
    assert!(listing.chars().all(|c| c == '\n' || !c.is_control()) && !listing.contains('\u{202e}'));
    insta::assert_snapshot!(listing);
}

#[test]
fn applying_twice_changes_nothing_the_second_time_and_the_result_can_be_loaded() {
    let home = Home::with_every_client();
    let (status, _) = home.import(&["--apply"]);
    assert_eq!(status, ExitStatus::Success);
    let written = fs::read_to_string(home.toml()).unwrap();
    insta::assert_snapshot!(written.replace(&home.folder.path().display().to_string(), "HOME"));
    let (status, listing) = home.import(&["--apply"]);
    assert_eq!((status, fs::read_to_string(home.toml()).unwrap()), (ExitStatus::Success, written.clone()));
    assert!(listing.contains("0 to take over"), "{listing}");
    let loaded = crate::config::load_text(&written, &home.toml(), &std::collections::BTreeMap::new());
    assert!(loaded.is_ok(), "the file is well formed");
}

#[test]
fn no_name_or_value_of_a_hostile_file_adds_a_server_of_its_own() {
    let home = Home::new();
    home.put_fixture(&Client::ClaudeDesktop.user_file(&home.homes), "claude-desktop/bad/hostile.json");
    home.import(&["--apply"]);
    let written: toml::Table = fs::read_to_string(home.toml()).unwrap().parse().unwrap();
    let names: Vec<&String> = written["servers"].as_table().unwrap().keys().collect();
    assert_eq!(written.len(), 1);
    insta::assert_snapshot!(format!("{names:?}"));
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::with_every_client();
    home.import(&["cursor", "--apply"]);
    assert_eq!(fs::metadata(home.toml()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn comments_and_order_of_toolcrib_toml_stay() {
    let home = Home::new();
    let before = "# mine\n\n# time, for the team\n[servers.time] # short\ncommand = \"time-mcp\"\n\n[pool]\nmax_sessions = 4 # small\n";
    home.put(&home.toml(), before);
    home.put(
        &Client::Cursor.user_file(&home.homes),
        r#"{"mcpServers": {"files": {"command": "files-mcp", "args": ["/a"]}}}"#,
    );
    let (_, listing) = home.import(&["--apply"]);
    insta::assert_snapshot!(listing, @r"
    Cursor: ~/.cursor/mcp.json
      + files: files-mcp /a

    1 to take over
    changed ~/.config/toolcrib/toolcrib.toml
      added files
    hint: `toolcrib reindex` reads their tools; `toolcrib install CLIENT` puts toolcrib in front of them
    ");
    insta::assert_snapshot!(fs::read_to_string(home.toml()).unwrap());
}

#[test]
fn names_that_clash_get_their_clients_ending_and_equal_servers_are_taken_once() {
    let home = Home::new();
    home.put(&home.toml(), "[servers.notes]\ncommand = \"notes-mcp\"\nenv = { KEY = \"${KEY}\" }\n\n[servers.mine]\ncommand = \"renamed\"\n");
    home.put(
        &Client::Cursor.user_file(&home.homes),
        r#"{"mcpServers": {"files": {"command": "files-mcp", "args": ["/a"]}, "both": {"command": "both", "disabled": true},
            "notes": {"command": "notes-mcp", "env": {"KEY": "literal"}}, "renamed": {"command": "renamed"}}}"#,
    );
    home.put(
        &Client::Windsurf.user_file(&home.homes),
        r#"{"mcpServers": {"files": {"command": "files-mcp", "args": ["/b"]}, "Both": {"command": "both"}, "notes": {"command": "other"}}}"#,
    );
    insta::assert_snapshot!(home.import(&["--apply"]).1);
    assert!(!fs::read_to_string(home.toml()).unwrap().contains("enabled = false"), "on in one client is on");
}

#[test]
fn a_named_file_is_read_whatever_it_is_called() {
    let home = Home::new();
    let file = home.folder.path().join("team.txt");
    home.put(&file, r#"{"mcpServers": {"a": {"command": "x", "args": ["$KEY"]}}}"#);
    let file = file.display().to_string();
    assert!(home.import(&["--file", &file]).1.contains("Claude Code: ~/team.txt\n  + a: x $KEY"));
    assert!(home.import(&["gemini", "--file", &file]).1.contains("Gemini CLI: ~/team.txt\n  + a: x ${KEY}"));
    let (status, words) = home.import(&["--file", "/nowhere/x.json"]);
    assert_eq!(status, ExitStatus::Failure);
    assert_eq!(words, "error: there is no file /nowhere/x.json\nhint: correct the path\n");
}

#[test]
fn json_names_everything_and_holds_no_value() {
    let home = Home::with_every_client();
    let (_, text) = home.import(&["windsurf", "codex", "--json"]);
    assert!(!text.contains("dummy"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn an_empty_home_says_what_to_do() {
    let (status, words) = Home::new().import(&[]);
    assert_eq!(status, ExitStatus::NoMatch);
    assert!(words.contains("no client's file was found"), "{words}");
}

#[test]
fn a_toolcrib_toml_that_cannot_be_edited_stays_as_it_is() {
    let home = Home::with_every_client();
    home.put(&home.toml(), "[servers\n");
    let (status, words) = home.import(&["cursor", "--apply"]);
    assert_eq!((status, fs::read_to_string(home.toml()).unwrap().as_str()), (ExitStatus::Failure, "[servers\n"));
    assert!(words.ends_with("hint: correct line 1 first\n"), "{words}");
}
