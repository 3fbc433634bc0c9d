//! Every client's files as fixtures: what is read of them, to the letter.

use std::fmt::Write;

use super::*;
use crate::import::Reading;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join("clients")
}

/// The files of a folder, by name.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A reading as the tables that would be written, and the reasons for what would not.
fn written(reading: &Reading) -> String {
    let mut text = String::new();
    for candidate in &reading.candidates {
        let literals = candidate.literal_values;
        let project = candidate.origin.project.as_ref().map(|folder| format!(" of {}", folder.display()));
        writeln!(text, "[{:?}]{} literal values: {literals}", candidate.label, project.unwrap_or_default()).unwrap();
        let name = crate::config::name_from_label(&candidate.label, &std::collections::BTreeSet::new()).unwrap();
        text.push_str(crate::config::add_server("", &name, &candidate.draft()).unwrap().trim_start());
        candidate.notes.iter().for_each(|note| writeln!(text, "# {note}").unwrap());
    }
    reading.skipped.iter().for_each(|skipped| writeln!(text, "- {:?} {}", skipped.name, skipped.reason).unwrap());
    text
}

fn read_to_text(client: Client, path: &Path) -> String {
    match read(&Found { client, path: path.into(), scope: Scope::User }) {
        Ok(reading) => written(&reading),
        Err(error) => format!("! {error}\n"),
    }
}

#[test]
fn every_clients_files_are_read_to_the_letter() {
    for client in Client::ALL {
        for quality in ["good", "bad"] {
            let mut text = String::new();
            for file in files_in(&fixtures().join(client.name()).join(quality)) {
                let read = read_to_text(client, &file);
                writeln!(text, "== {}", file.file_name().unwrap().to_string_lossy()).unwrap();
                text.push_str(&read.replace(&fixtures().display().to_string(), "").replace('\\', "/"));
            }
            insta::assert_snapshot!(format!("{client}-{quality}"), text);
        }
    }
}

#[test]
fn a_project_files_relative_paths_start_at_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".mcp.json");
    std::fs::copy(fixtures().join("claude-code/good/.mcp.json"), &path).unwrap();
    let found = identify(&path).unwrap();
    assert_eq!((found.client, &found.scope), (Client::ClaudeCode, &Scope::Project { folder: folder.path().into() }));
    let text = written(&read(&found).unwrap()).replace(&folder.path().display().to_string(), "PROJECT");
    insta::assert_snapshot!("project", text);
}

#[test]
fn a_named_files_client_is_recognised_by_what_it_holds() {
    for (file, client) in [
        ("vscode/good/mcp.json", Client::VsCode),
        ("codex/good/config.toml", Client::Codex),
        ("goose/good/config.yaml", Client::Goose),
        ("continue/good/config.yaml", Client::Continue),
        ("zed/good/settings.json", Client::Zed),
        ("claude-desktop/good/claude_desktop_config.json", Client::ClaudeDesktop),
        ("roo/good/mcp_settings.json", Client::ClaudeCode),
    ] {
        assert_eq!(identify(&fixtures().join(file)).unwrap().client, client, "{file}");
    }
    assert!(identify(&fixtures().join("claude-desktop/bad/list.json")).is_err());
}

#[test]
fn a_byte_order_mark_and_windows_line_endings_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (client, file) in [
        (Client::Cursor, "cursor/good/mcp.json"),
        (Client::Codex, "codex/good/config.toml"),
        (Client::Goose, "goose/good/config.yaml"),
    ] {
        let plain = fixtures().join(file);
        let marked = folder.path().join(plain.file_name().unwrap());
        let text = std::fs::read_to_string(&plain).unwrap().replace('\n', "\r\n");
        std::fs::write(&marked, format!("\u{feff}{text}")).unwrap();
        assert_eq!(read_to_text(client, &marked), read_to_text(client, &plain), "{file}");
    }
}

#[test]
fn a_file_of_ten_thousand_servers_is_read_up_to_the_cap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mcp.json");
    let servers: Map<String, Value> =
        (0..10_000).map(|n| (format!("s{n}"), serde_json::json!({ "command": "x", "args": [n] }))).collect();
    std::fs::write(&path, serde_json::json!({ "mcpServers": servers }).to_string()).unwrap();
    let reading = read(&Found { client: Client::Cursor, path, scope: Scope::User }).unwrap();
    assert_eq!((reading.candidates.len(), reading.skipped.len()), (MAX_SERVERS, 1));
}
