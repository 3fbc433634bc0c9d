//! `toolcrib install` and `uninstall` as a person meets them.

use std::fs;

use clap::Parser;

use super::*;
use crate::cli::{
    import::tests::{Home, Printed},
    uninstall,
};

#[derive(Parser)]
struct Install {
    #[command(flatten)]
    args: Args,
}

#[derive(Parser)]
struct Uninstall {
    #[command(flatten)]
    args: uninstall::Args,
}

const BEFORE: &str = "{\n  \"mcpServers\": {\n    \"files\": { \"command\": \"files-mcp\" }\n  }\n}\n";

fn entry() -> Entry {
    Entry { name: "toolcrib".into(), command: "/opt/bin/toolcrib".into(), args: vec!["serve".into()] }
}

fn install(home: &Home, words: &[&str], answer: Option<bool>) -> (ExitStatus, String) {
    let args = Install::parse_from([&["install"], words].concat()).args;
    let printed = Printed::default();
    let result = install_entry(&args.entry, &home.homes, &entry(), &mut |_| Ok(answer), &mut printed.printer());
    let status = explain(result, &mut printed.printer()).unwrap();
    (status, printed.text())
}

fn uninstall(home: &Home, words: &[&str], answer: Option<bool>) -> (ExitStatus, String) {
    let args = Uninstall::parse_from([&["uninstall"], words].concat()).args;
    let printed = Printed::default();
    let result = uninstall::uninstall_entry(&args.entry, &home.homes, &mut |_| Ok(answer), &mut printed.printer());
    let status = explain(result, &mut printed.printer()).unwrap();
    (status, printed.text())
}

#[test]
fn an_install_shows_the_change_keeps_a_backup_and_tells_of_the_other_servers() {
    let home = Home::new();
    let file = Client::Cursor.user_file(&home.homes);
    home.put(&file, BEFORE);
    let (status, words) = install(&home, &["cursor", "--yes"], None);
    assert_eq!(status, ExitStatus::Success);
    insta::assert_snapshot!(words);
    assert_eq!(fs::read_to_string(file.with_file_name("mcp.json.toolcrib-backup")).unwrap(), BEFORE);
    let (status, words) = uninstall(&home, &["cursor"], Some(true));
    assert_eq!((status, fs::read_to_string(&file).unwrap().as_str()), (ExitStatus::Success, BEFORE));
    insta::assert_snapshot!(words);
}

#[test]
fn nothing_is_written_without_consent() {
    let home = Home::new();
    let file = Client::Cursor.user_file(&home.homes);
    home.put(&file, BEFORE);
    for (words, answer, want) in [
        (&["cursor"] as &[&str], None, ExitStatus::Usage),
        (&["cursor"], Some(false), ExitStatus::Failure),
        (&["cursor", "--dry-run"], Some(true), ExitStatus::Success),
    ] {
        let (status, printed) = install(&home, words, answer);
        assert_eq!((status, fs::read_to_string(&file).unwrap().as_str()), (want, BEFORE));
        assert!(printed.contains("+    \"toolcrib\": {"), "the change is shown: {printed}");
    }
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_project_gets_a_file_of_its_own_where_its_client_has_one() {
    let home = Home::new();
    let (status, _) = install(&home, &["claude", "--project", "--yes"], None);
    assert_eq!(status, ExitStatus::Success);
    insta::assert_snapshot!(fs::read_to_string(home.homes.cwd.join(".mcp.json")).unwrap());
    let (status, words) = install(&home, &["windsurf", "--project", "--yes"], None);
    assert_eq!(status, ExitStatus::Failure);
    insta::assert_snapshot!(words);
}

#[test]
fn an_install_that_is_there_and_an_uninstall_that_is_not_say_so() {
    let home = Home::new();
    install(&home, &["zed", "--yes"], None);
    assert!(
        install(&home, &["zed", "--yes"], None).1.starts_with("toolcrib is in ~/.config/zed/settings.json already")
    );
    let (status, words) = uninstall(&home, &["zed", "--name", "other"], None);
    assert_eq!(status, ExitStatus::Failure);
    assert!(words.contains("has no entry `other`") && words.contains("hint: name the entry with --name"), "{words}");
}

#[test]
fn an_unknown_client_is_answered_with_the_known_ones() {
    let error = Install::try_parse_from(["install", "emacs"]).err().unwrap().to_string();
    assert!(error.contains("`emacs` is no client toolcrib knows; name one of: claude-code, claude-desktop"), "{error}");
}
