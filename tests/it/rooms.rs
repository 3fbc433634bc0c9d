//! The rooms import only what `docs/architecture.md` allows.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Which rooms each room may name as `crate::…`, besides itself.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("ids", &[]),
    ("jsonrpc", &[]),
    ("catalog", &["ids"]),
    ("config", &["ids"]),
    ("registry", &["ids", "config", "catalog"]),
    ("economy", &["ids", "config", "catalog"]),
    ("import", &["ids", "config", "catalog", "registry", "economy"]),
    ("policy", &["ids", "config", "catalog", "registry", "economy"]),
    ("backends", &["ids", "jsonrpc", "config", "catalog", "registry", "economy"]),
    ("samples", &["ids", "catalog"]),
    ("broker", &["ids", "jsonrpc", "config", "catalog", "registry", "economy", "import", "policy", "backends"]),
    ("http", &["ids", "jsonrpc", "config", "catalog", "backends", "policy", "broker"]),
    (
        "cli",
        &[
            "ids", "jsonrpc", "config", "catalog", "registry", "economy", "import", "policy", "backends", "samples",
            "broker",
        ],
    ),
];

/// Libraries that stay in their room.
const KEPT_IN: [(&str, &[&str]); 8] = [
    ("rusqlite", &["registry"]),
    ("tantivy", &[]),
    ("clap", &["cli"]),
    ("rmcp", &["backends", "broker", "samples"]),
    ("process_wrap", &["backends"]),
    ("axum", &["http"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
];

#[test]
fn every_room_imports_only_what_the_architecture_allows() {
    let mut wrong = Vec::new();
    for (room, allowed) in MAY_IMPORT {
        for (path, text) in sources(room) {
            for name in named_rooms(&text) {
                if name != room && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} imports `{name}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (room, _) in MAY_IMPORT {
        for (path, text) in sources(room) {
            let code = without_comments(&text);
            for (library, rooms) in KEPT_IN {
                if !rooms.contains(&room) && code.contains(&format!("{library}::")) {
                    wrong.push(format!("{} names `{library}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_printer_and_the_app_touch_the_standard_streams() {
    let mut wrong = Vec::new();
    for (room, _) in MAY_IMPORT {
        for (path, text) in sources(room) {
            let code = without_comments(&text);
            let prints =
                ["println!", "eprintln!", "print!(", "io::stdout()"].iter().any(|macro_| code.contains(macro_));
            if prints && !path.ends_with("cli/output.rs") && !path.ends_with("tests.rs") {
                wrong.push(path.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sources(room: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join(format!("{room}.rs"))];
    let mut folders = vec![root.join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.into_iter().filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
}

/// Rooms named as `crate::room`, also inside `use crate::{a::…, b::…}`.
fn named_rooms(text: &str) -> Vec<String> {
    let code = without_comments(text);
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(top_level_names(group)),
            None => names.extend(identifier(rest)),
        }
    }
    names.retain(|name| name.chars().next().is_some_and(char::is_lowercase));
    names
}

/// The first identifiers of a `{a::{b, c}, d}` group, up to its closing brace.
fn top_level_names(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0, true, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                names.extend(identifier(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}
