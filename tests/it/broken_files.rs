//! Unreadable, half-valid and hostile files: each gets a clear message, nothing is lost, the others go on.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE};

fn sample(name: &str) -> String {
    format!("[servers.{name}]\ncommand = {}\nargs = [\"{name}\"]\n", Value::from(SAMPLE))
}

#[tokio::test]
async fn a_broken_server_entry_is_left_out_with_its_reasons_and_the_others_are_served() {
    let home = Home::new();
    home.write("toolcrib.toml", &format!("{}\n[servers.odd]\ncomand = \"x\"\nurl = \"ftp://h\"\n", sample("tasks")));
    let ran = home.run(&["reindex"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("odd") && ran.stderr.contains("comand"), "{}", ran.stderr);
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": "tasks/list_tasks"})).await;
    assert_ne!(result["isError"], json!(true), "{result}");
}

#[tokio::test]
async fn a_file_that_is_no_configuration_stops_the_start_and_says_where() {
    for text in ["[servers.tasks\ncommand = 1", "{\"mcpServers\": ", "\u{0}\u{1}\u{2}", "[pool]\nmax_sessions = 0\n"] {
        let home = Home::new();
        home.write("toolcrib.toml", text);
        let ran = home.run(&["serve"]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{text:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("toolcrib.toml"), "{text:?}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn a_damaged_registry_is_kept_aside_and_a_new_one_begun() {
    let home = Home::new();
    home.write("toolcrib.toml", &sample("tasks"));
    let home = home.reindexed().await;
    let file = home.path().join("data/registry.sqlite");
    let before = std::fs::read(&file).unwrap();
    for log in ["registry.sqlite-wal", "registry.sqlite-shm"] {
        let _ = std::fs::remove_file(home.path().join("data").join(log));
    }
    std::fs::write(&file, b"this is no database, and was one a moment ago").unwrap();
    let ran = home.run(&["reindex"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("it is kept as"), "{}", ran.stderr);
    let kept = std::fs::read_dir(home.path().join("data")).unwrap().flatten();
    let aside: Vec<_> = kept.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).collect();
    assert!(!aside.is_empty() && !before.is_empty());
    let found = home.run(&["search", "create task"]).await;
    assert!(found.stdout.starts_with("tasks/create_task("), "{}", found.stdout);
}

#[tokio::test]
async fn a_damaged_or_missing_index_is_built_anew_unasked() {
    let home = Home::new();
    home.write("toolcrib.toml", &sample("tasks"));
    let home = home.reindexed().await;
    let index = home.path().join("data/index");
    for entry in walk(&index) {
        std::fs::write(entry, b"garbage").unwrap();
    }
    let found = home.run(&["search", "create task"]).await;
    assert!(found.stdout.starts_with("tasks/create_task("), "{}{}", found.stdout, found.stderr);
    std::fs::remove_dir_all(&index).unwrap();
    let found = home.run(&["search", "create task"]).await;
    assert!(found.stdout.starts_with("tasks/create_task("), "{}{}", found.stdout, found.stderr);
}

#[tokio::test]
async fn no_secret_of_the_configuration_reaches_any_file_or_message() {
    let home = Home::new();
    let secret = "canary-5f3a9c-secret";
    let peer = Value::from(crate::support::PEER);
    home.write(
        "toolcrib.toml",
        &format!("[servers.odd]\ncommand = {peer}\nargs = [\"dies\"]\nenv = {{ TOKEN = \"{secret}\" }}\n[servers.far]\nurl = \"http://127.0.0.1:9/mcp?key={secret}\"\nheaders = {{ Authorization = \"Bearer {secret}\" }}\nstart_timeout = \"2s\"\n"),
    );
    for args in [["reindex", "--json"].as_slice(), &["servers"], &["doctor"], &["call", "far/x"], &["search", "x"]] {
        let ran = home.run(args).await;
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
    for path in walk(&home.path().join("data")) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
