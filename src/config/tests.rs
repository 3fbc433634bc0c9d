//! Whole files, good, bad and hostile, from `fixtures/config/`.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

/// Values that must never be shown, by variable.
const CANARIES: [(&str, &str); 3] =
    [("GITHUB_TOKEN", "canary-github-0001"), ("DOCS_KEY", "canary-key-0002"), ("DOCS_TOKEN", "canary-docs-0003")];

/// Written out in the bad files wherever people write secrets.
const LITERAL_SECRET: &str = "hunter22";

fn env() -> BTreeMap<String, String> {
    let plain = [("HOME", "/home/ada"), ("SSL_CERT_FILE", "/etc/ssl/cert.pem")];
    CANARIES.into_iter().chain(plain).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// As if the file stood in `/etc/crib`.
fn load_fixture(file: &Path) -> Result<Loaded, ConfigError> {
    let text = fs::read_to_string(file).unwrap();
    load_text(&text, &Path::new("/etc/crib").join(file.file_name().unwrap()), &env())
}

fn fixture(name: &str) -> Loaded {
    load_fixture(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config/good").join(name)).unwrap()
}

fn report(loaded: &Result<Loaded, ConfigError>) -> String {
    match loaded {
        Err(error) => format!("STOPS THE START\n{error}\nhint: {}", error.hint()),
        Ok(loaded) => {
            let mut report = String::from("GOES ON WITH");
            loaded.settings.servers.keys().for_each(|name| write!(report, " {name}").unwrap());
            loaded.notes.iter().for_each(|note| write!(report, "\nnote: {note}").unwrap());
            loaded.broken.iter().for_each(|broken| write!(report, "\n\n{broken}").unwrap());
            report
        }
    }
}

#[test]
fn every_bad_file_gets_a_report_that_says_what_to_do_and_shows_no_secret() {
    for file in fixtures("bad") {
        let report = report(&load_fixture(&file));
        assert!(!report.contains(LITERAL_SECRET), "{}:\n{report}", file.display());
        insta::assert_snapshot!(file.file_name().unwrap().to_str().unwrap(), report);
    }
}

#[test]
fn every_good_file_loads_without_a_problem_and_prints_no_secret() {
    for file in fixtures("good") {
        let loaded = load_fixture(&file).unwrap();
        assert!(loaded.broken.is_empty(), "{}: {:?}", file.display(), loaded.broken);
        let printed = format!("{loaded:?}");
        CANARIES.iter().for_each(|(name, value)| assert!(!printed.contains(value), "{name} in {printed}"));
    }
}

#[test]
fn every_key_of_a_full_file_arrives() {
    let settings = fixture("full.toml").settings;
    let github = &settings.servers["github"];
    let Launch::Stdio(launch) = &github.launch else { panic!("{github:?}") };
    assert_eq!(launch.command, "npx");
    assert_eq!(launch.args[3..], ["$HOME stays", "--key=canary-github-0001"]);
    assert_eq!(launch.env["GITHUB_TOKEN"].expose_secret(), "canary-github-0001");
    assert_eq!(launch.env["REGION"].expose_secret(), "eu-west-1");
    assert_eq!(launch.cwd.as_deref(), Some(Path::new("/etc/crib/work")));
    assert_eq!(github.summary.as_deref(), Some("issues, pull requests"));
    assert_eq!((github.start_timeout.as_secs(), github.call_timeout.as_secs()), (90, 120));
    let offers = |tool: &str| github.tools.offers(&tool.parse().unwrap());
    assert!(offers("issue_open") && !offers("issue_delete") && !offers("repo_list"));
    let budget = |tool: &str| github.results.of(&tool.parse().unwrap());
    assert_eq!((budget("issue_open"), budget("issue_list"), budget("issue_raw")), (Some(4_000), Some(1_000), None));

    let local = &settings.servers["local_tool"];
    let Launch::Stdio(launch) = &local.launch else { panic!("{local:?}") };
    assert_eq!((launch.command.as_str(), local.enabled), ("/etc/crib/bin/tool", false));
    assert_eq!(launch.cwd.as_deref(), Some(Path::new("/home/ada/notes")));
    assert_eq!(local.results, ResultBudget::of_all(Some(10_000)), "the general budget");

    let transport = |name: &str| match &settings.servers[name].launch {
        Launch::Http(launch) => launch.transport,
        Launch::Stdio(launch) => panic!("{launch:?}"),
    };
    assert_eq!(transport("docs"), HttpTransport::Detect);
    assert_eq!(transport("old-style"), HttpTransport::Sse);
    assert_eq!(transport("new-style"), HttpTransport::Streamable);

    assert_eq!((settings.pool.max_sessions.get(), settings.pool.idle_close.as_secs()), (12, 5_400));
    assert_eq!((settings.refresh.concurrency.get(), settings.refresh.after.as_secs()), (2, 604_800));
    let context = &settings.context;
    assert_eq!((context.summary_tokens, context.search_tokens, context.result_tokens), (300, 600, 10_000));
    let pinned: Vec<String> = context.pin.iter().map(ToString::to_string).collect();
    assert_eq!(pinned, ["github/issue_open", "docs/search"], "in their order, each once");
    assert_eq!(context.summaries, SummaryPlace::Both);
}

#[test]
fn an_empty_file_is_every_default() {
    let settings = fixture("empty.toml").settings;
    assert!(settings.servers.is_empty());
    assert_eq!((settings.pool.max_sessions.get(), settings.pool.idle_close.as_secs()), (8, 600));
    assert_eq!((settings.refresh.concurrency.get(), settings.refresh.after.as_secs()), (4, 86_400));
    let context = &settings.context;
    assert_eq!((context.summary_tokens, context.search_tokens, context.result_tokens), (400, 500, 8_000));
    assert_eq!(context.summaries, SummaryPlace::Auto);
    let loaded = load_text("servers.a.command = 'x'", Path::new("/c/t.toml"), &env()).unwrap();
    let server = &loaded.settings.servers["a"];
    assert_eq!((server.start_timeout.as_secs(), server.call_timeout.as_secs()), (60, 300));
}

#[test]
fn the_file_of_any_client_is_taken_unchanged() {
    let loaded = fixture("clients.json");
    let mut shown = report(&Ok(loaded.clone()));
    for server in loaded.settings.servers.values() {
        let (name, enabled, call) = (&server.name, server.enabled, server.call_timeout);
        match &server.launch {
            Launch::Stdio(launch) => {
                write!(shown, "\n{name}: {} {:?} {:?}", launch.command, launch.args, launch.env.keys())
            }
            Launch::Http(launch) => {
                write!(shown, "\n{name}: {} {:?} enabled={enabled} {call:?}", launch.url, launch.transport)
            }
        }
        .unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_server_that_stands_twice_in_json_counts_once_and_is_noted() {
    let loaded = fixture("vscode.json");
    assert_eq!(loaded.settings.servers.len(), 1);
    assert_eq!(loaded.notes, ["`servers.memory` stands twice (line 5); the last one counts"]);
}

#[test]
fn secrets_of_a_server_are_all_known_for_redaction() {
    let settings = fixture("full.toml").settings;
    let secrets = |name: &str| {
        let secrets = settings.servers[name].secrets();
        secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(secrets("github"), ["canary-github-0001", "/etc/ssl/cert.pem", "eu-west-1"]);
    assert_eq!(
        secrets("docs"),
        ["Bearer canary-docs-0003", "key=canary-key-0002", "canary-docs-0003", "canary-key-0002"]
    );
    let Launch::Http(docs) = &settings.servers["docs"].launch else { panic!() };
    assert_eq!(docs.shown_url(), "https://docs.example/…");
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        load(Some(&path), &env()).unwrap_err()
    };
    assert!(matches!(load(Some(folder.path()), &env()), Err(ConfigError::Directory { .. })));
    assert!(matches!(load(Some(&folder.path().join("none")), &env()), Err(ConfigError::NotFound { .. })));
    assert!(matches!(outcome("latin1.toml", b"a = 1\n# caf\xe9\n"), ConfigError::NotUtf8 { line: 2, .. }));
    assert!(matches!(outcome("large.toml", &vec![b'#'; 5 << 20]), ConfigError::TooLarge { .. }));
    assert!(matches!(outcome("nul.toml", b"a = \"\0\"\n"), ConfigError::Invalid { .. }));
    assert!(matches!(outcome("binary.json", b"{\0\0\0}"), ConfigError::Invalid { .. }));
}

#[test]
fn hostile_texts_end_in_a_report_and_not_in_a_crash() {
    let deep = 100_000;
    let many = (0..40_000).fold(String::new(), |mut text, number| {
        writeln!(text, "k{number} = {number}").unwrap();
        text
    });
    for text in [
        format!("a = {}", "[".repeat(deep)),
        format!("a = {}", "{a=".repeat(deep)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("[{}a]", "a.".repeat(deep)),
        format!("{{\"mcpServers\": {}", "[".repeat(deep)),
        "{\"mcpServers\":".repeat(deep),
        format!("[servers.{}]\n", "x".repeat(1 << 20)),
        format!("[pool]\n{many}"),
    ] {
        let error = load_text(&text, Path::new("t"), &env()).map(|loaded| assert!(!loaded.broken.is_empty()));
        if let Err(error) = error {
            assert!(error.to_string().len() < 20_000);
        }
    }
}

#[test]
fn what_is_added_to_a_file_loads_as_it_was_meant() {
    let draft = ServerDraft {
        command: Some("npx".into()),
        args: vec!["-y".into(), "it's \"quoted\"".into()],
        env: BTreeMap::from([("TOKEN".into(), "${GITHUB_TOKEN}".into())]),
        call_timeout: Some("2m".into()),
        include: vec!["a_*".into()],
        ..ServerDraft::default()
    };
    let text = add_server("# mine\n", &"a".parse().unwrap(), &draft).unwrap();
    let loaded = load_text(&text, Path::new("/c/t.toml"), &env()).unwrap();
    let Launch::Stdio(launch) = &loaded.settings.servers["a"].launch else { panic!("{text}") };
    assert_eq!(launch.args, draft.args);
    assert_eq!(launch.env["TOKEN"].expose_secret(), "canary-github-0001");
}

proptest! {
    #[test]
    fn loading_never_panics(text in "(\\[servers\\.a\\]\n|\\{\"mcpServers\":|command|url|args|env|=|:|\"x\"|\\$\\{A\\}|\\{|\\}|\\[|\\]|,|\n|7|\\PC){0,30}") {
        let _ = load_text(&text, Path::new("t"), &env());
    }
}
