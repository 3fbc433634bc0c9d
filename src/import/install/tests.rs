//! Round trips: in and out again, for every client's file, to the byte.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn entry() -> Entry {
    Entry { name: "toolcrib".into(), command: "/opt/tool crib/bin/toolcrib".into(), args: vec!["serve".into()] }
}

fn good_files() -> Vec<(Client, PathBuf)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join("clients");
    let mut files = Vec::new();
    for client in Client::ALL {
        for file in fs::read_dir(fixtures.join(client.name()).join("good")).unwrap() {
            files.push((client, file.unwrap().path()));
        }
    }
    // `settings.json` of VS Code is read only; `mcp.json` is what is written today.
    files.retain(|(client, path)| *client != Client::VsCode || path.ends_with("mcp.json"));
    files.sort();
    files
}

/// A copy of a text under the name that its client gives it.
fn placed(name: &Path, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name.file_name().unwrap());
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn installing_and_uninstalling_leaves_every_clients_file_as_it_was_to_the_byte() {
    for (client, file) in good_files() {
        let plain = fs::read_to_string(&file).unwrap();
        let variants =
            [plain.clone(), plain.replace('\n', "\r\n"), format!("\u{feff}{plain}"), plain.trim_end().to_owned()];
        for text in variants {
            let (folder, path) = placed(&file, &text);
            // Some fixtures have an entry of ours, which an install brings up to date.
            install(client, &path, &entry()).unwrap().write().unwrap();
            assert_ne!(fs::read_to_string(&path).unwrap(), text, "{}", file.display());
            assert!(install(client, &path, &entry()).unwrap().is_done(), "a second install has nothing to do");
            uninstall(client, &path, "toolcrib").unwrap().write().unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", file.display());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the restored backup is gone");
        }
    }
}

#[test]
fn without_a_backup_the_rest_of_the_file_still_means_the_same() {
    for (client, file) in good_files() {
        let text = fs::read_to_string(&file).unwrap();
        let format = Format::of(client, &file);
        let before = format.without(format.parse(&file, &text).unwrap(), "toolcrib");
        let (_folder, path) = placed(&file, &text);
        let backup = install(client, &path, &entry()).unwrap().write().unwrap().unwrap();
        fs::remove_file(backup).unwrap();
        uninstall(client, &path, "toolcrib").unwrap().write().unwrap();
        let after = fs::read_to_string(&path).unwrap();
        assert_eq!(pruned(format.parse(&path, &after).unwrap(), format.container), before, "{}", file.display());
        if !text.contains("toolcrib") {
            assert_eq!(after, text, "{}", file.display());
        }
    }
}

#[test]
fn what_was_edited_in_between_stays_edited() {
    let (_folder, path) =
        placed(Path::new("mcp.json"), "{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"a\" }\n  }\n}\n");
    install(Client::Cursor, &path, &entry()).unwrap().write().unwrap();
    let edited = fs::read_to_string(&path).unwrap().replace("\"a\": {", "// mine\n    \"b\": {");
    fs::write(&path, edited).unwrap();
    let backup = uninstall(Client::Cursor, &path, "toolcrib").unwrap().write().unwrap();
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @r#"
    {
      "mcpServers": {
        // mine
        "b": { "command": "a" }
      }
    }
    "#);
    assert!(backup.unwrap().ends_with("mcp.json.toolcrib-backup-2"), "the first backup is kept, the second is new");
}

#[test]
fn a_file_that_was_not_there_is_made_and_goes_again() {
    for client in Client::ALL {
        let folder = tempfile::tempdir().unwrap();
        let homes = crate::import::ClientHomes::below(folder.path().into(), "/".into(), crate::import::Os::Linux);
        let path = client.user_file(&homes);
        let edit = install(client, &path, &entry()).unwrap();
        assert!(edit.creates());
        edit.write().unwrap();
        let reading = crate::import::read(&crate::import::Found {
            client,
            path: path.clone(),
            scope: crate::import::Scope::User,
        });
        assert_eq!(reading.unwrap().skipped[0].reason.to_string(), "is toolcrib's own entry", "{client}");
        insta::assert_snapshot!(format!("new-{client}"), fs::read_to_string(&path).unwrap());
        let edit = uninstall(client, &path, "toolcrib").unwrap();
        assert!(edit.deletes());
        edit.write().unwrap();
        assert!(!path.exists(), "{client}");
    }
}

#[test]
fn the_diff_shows_the_entry_and_no_value_of_the_others() {
    let mut all = String::new();
    for (client, file) in good_files() {
        let (_folder, path) = placed(&file, &fs::read_to_string(&file).unwrap());
        all.push_str(
            &install(client, &path, &entry())
                .unwrap()
                .diff(&format!("{client}/{}", file.file_name().unwrap().display())),
        );
    }
    assert!(!all.contains("dummy"), "{all}");
    insta::assert_snapshot!(all);
}

#[test]
fn another_server_of_the_same_name_is_left_alone() {
    let (_folder, path) = placed(Path::new("mcp.json"), r#"{"mcpServers": {"toolcrib": {"command": "other"}}}"#);
    let refused = install(Client::Cursor, &path, &entry()).err().unwrap();
    assert_eq!(refused.hint(), "choose another name with --name");
    assert!(matches!(uninstall(Client::Cursor, &path, "toolcrib"), Err(InstallError::NotOurs { .. })));
}

#[test]
fn a_layout_that_cannot_be_edited_safely_gets_a_snippet() {
    let flow = "extensions: { fetch: { type: stdio, cmd: uvx, args: [] } }\n";
    let (_folder, path) = placed(Path::new("config.yaml"), flow);
    let refused = install(Client::Goose, &path, &entry()).err().unwrap();
    insta::assert_snapshot!(refused.hint(), @r#"
    put this in by hand, below `extensions`:
    extensions:
      toolcrib:
        enabled: true
        type: stdio
        name: toolcrib
        description: "All MCP servers behind one"
        cmd: "/opt/tool crib/bin/toolcrib"
        args: ["serve"]
        envs: {}
        env_keys: []
        timeout: 300
    "#);
    assert_eq!(fs::read_to_string(&path).unwrap(), flow);
}

#[test]
fn a_broken_file_and_one_that_changed_meanwhile_stay_as_they_are() {
    let (_folder, path) = placed(Path::new("mcp.json"), "{ \"mcpServers\": { \"TOKEN\": \"dummy\" ");
    let broken = install(Client::Cursor, &path, &entry()).err().unwrap().to_string();
    assert!(broken.contains("line 1, column") && !broken.contains("dummy"), "{broken}");
    fs::write(&path, "{}").unwrap();
    let edit = install(Client::Cursor, &path, &entry()).unwrap();
    fs::write(&path, "{ }").unwrap();
    assert!(matches!(edit.write(), Err(InstallError::Changed { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ }");
}

#[cfg(unix)]
#[test]
fn a_backup_can_be_read_by_those_who_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = placed(Path::new("mcp.json"), "{}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let backup = install(Client::Cursor, &path, &entry()).unwrap().write().unwrap().unwrap();
    assert_eq!(fs::metadata(backup).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A JSON file as people write them: any layout of a few servers, with comments.
fn json_file() -> impl Strategy<Value = String> {
    let gap = prop_oneof![Just(""), Just(" "), Just("\n"), Just("\n    "), Just(" // note\n\t"), Just(" /* x */ ")];
    let server = ("[a-z]{1,6}", gap.clone(), "[a-zA-Z ]{0,8}");
    (proptest::collection::vec(server, 0..4), gap.clone(), gap, any::<bool>()).prop_map(
        |(servers, before, after, comma)| {
            let mut body: Vec<String> = Vec::new();
            for (at, (name, gap, command)) in servers.iter().enumerate() {
                body.push(format!("{gap}\"{name}{at}\":{gap}{{{gap}\"command\": \"{command}\"}}"));
            }
            let trailing = if comma && !body.is_empty() { "," } else { "" };
            format!("{{{before}\"mcpServers\":{after}{{{}{trailing}{after}}}{before}}}{before}", body.join(","))
        },
    )
}

proptest! {
    #[test]
    fn any_json_layout_survives_the_round_trip_to_the_byte(text in json_file()) {
        let (_folder, path) = placed(Path::new("mcp.json"), &text);
        install(Client::Cursor, &path, &entry()).unwrap().write().unwrap();
        uninstall(Client::Cursor, &path, "toolcrib").unwrap().write().unwrap();
        prop_assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
