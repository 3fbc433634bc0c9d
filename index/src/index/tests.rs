//! What the caller of the crate relies on: names first, the same order each time, and an index on disk that is whole or
//! says that it is not.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::document::tests::tool;

#[cfg(feature = "model")]
mod meaning;

const KEY: &str = "catalog-1";

fn tools() -> Vec<ToolDocument> {
    vec![
        tool("github", "create_issue", "Open a new issue in a repository"),
        tool("github", "list_commits", "List the commits of a branch"),
        tool("github", "search", "Search code, issues and users"),
        tool("gitlab", "create_issue", "Open a new issue in a project"),
        tool("mail", "email", "Send an electronic letter"),
        tool("web", "search", "Search the web for pages"),
        tool("web", "fetch_page", "Read a page of the web, given its address"),
        tool("weather", "get-forecast", "Weather of the next days"),
    ]
}

static INDEX: LazyLock<Index> = LazyLock::new(|| Index::in_memory(&tools()).unwrap());

fn hits(text: &str, server: Option<&str>) -> Vec<Hit> {
    INDEX.search(&Query { text, server, limit: 10, ..Query::default() }).unwrap()
}

fn ids(text: &str) -> Vec<String> {
    hits(text, None).into_iter().map(|hit| hit.id).collect()
}

fn exact(text: &str) -> Vec<String> {
    hits(text, None).into_iter().filter(|hit| hit.exact).map(|hit| hit.id).collect()
}

#[test]
fn a_name_in_any_style_is_found_first() {
    for text in ["github/create_issue", "GitHub create issue", "github::create-issue", "githubCreateIssue"] {
        assert_eq!(exact(text), ["github/create_issue"], "{text}");
    }
    for text in ["create_issue", "create issue", "createIssue", "Create-Issue", "please call create_issue for me"] {
        let both = BTreeSet::from(["github/create_issue", "gitlab/create_issue"].map(String::from));
        assert_eq!(BTreeSet::from_iter(exact(text)), both, "{text}");
        assert_eq!(BTreeSet::from_iter(ids(text).into_iter().take(2)), both, "{text}");
    }
}

#[test]
fn every_name_of_a_query_that_names_several_comes_first() {
    let wanted = ["gitlab/create_issue", "web/fetch_page", "weather/get-forecast"];
    assert_eq!(exact("gitlab/create_issue, web/fetch_page weather/get-forecast"), wanted);
    assert_eq!(exact("list_commits and get_forecast"), ["github/list_commits", "weather/get-forecast"]);
    assert_eq!(exact("list commits, search")[0], "github/list_commits");
    assert_eq!(exact("list commits, search").len(), 3);
}

#[test]
fn names_take_turns_so_that_a_common_one_does_not_crowd_out_the_next() {
    let named = exact("create_issue list_commits");
    assert_eq!(named, ["github/create_issue", "github/list_commits", "gitlab/create_issue"]);
}

#[test]
fn a_full_name_comes_before_the_same_bare_name_elsewhere() {
    assert_eq!(exact("create_issue on gitlab, gitlab/create_issue"), ["gitlab/create_issue", "github/create_issue"]);
}

#[test]
fn a_word_of_a_sentence_is_no_name() {
    for text in ["search the web", "send an e-mail", "how do I search, then email it", "create an issue"] {
        assert_eq!(exact(text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(BTreeSet::from_iter(exact("search")), ["web/search", "github/search"].map(String::from).into());
    assert_eq!(exact("email"), ["mail/email"]);
}

#[test]
fn a_server_named_in_the_query_counts() {
    assert_eq!(ids("open an issue on gitlab")[0], "gitlab/create_issue");
    assert_eq!(ids("open an issue on github")[0], "github/create_issue");
}

#[test]
fn a_server_filter_leaves_only_that_server() {
    let found = hits("search github/create_issue pages", Some("web"));
    assert_eq!(found.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["web/search", "web/fetch_page"]);
    assert!(hits("search", Some("unknown")).is_empty());
}

#[test]
fn a_name_that_thousands_of_servers_use_is_answered_at_once() {
    let documents: Vec<_> = (0..5_000).map(|n| tool(&format!("s{n:04}"), "get", "")).collect();
    let index = Index::in_memory(&documents).unwrap();
    let found = index.search(&Query { text: "get, get and get", limit: usize::MAX, ..Query::default() }).unwrap();
    assert_eq!((found.len(), found[0].exact, found[4_999].exact), (5_000, true, true));
}

#[test]
fn ties_go_by_id_whatever_the_order_of_the_documents() {
    let mut documents: Vec<_> =
        ["c", "a", "b", "d"].map(|id| ToolDocument { id: id.into(), ..tool("net", "ping", "same text") }).into();
    for _ in 0..documents.len() {
        documents.rotate_left(1);
        let index = Index::in_memory(&documents).unwrap();
        let found = index.search(&Query { text: "same text", limit: 3, ..Query::default() }).unwrap();
        assert_eq!(found.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

#[test]
fn a_misspelt_word_finds_what_was_meant() {
    assert_eq!(ids("wether")[0], "weather/get-forecast");
    assert_eq!(ids("comimts")[0], "github/list_commits");
}

#[test]
fn arguments_values_and_titles_are_searched() {
    let schema =
        json!({"properties": {"assignee": {"description": "who gets the ticket"}, "state": {"enum": ["stalled"]}}});
    let mut documents = tools();
    documents.push(ToolDocument {
        title: Some("Kanban".into()),
        input_schema: schema,
        server_description: "planning".into(),
        ..tool("board", "move", "Move a card, assign it")
    });
    let index = Index::in_memory(&documents).unwrap();
    for text in ["assignee", "stalled", "tickets", "kanban", "planning"] {
        let found = index.search(&Query { text, limit: 1, ..Query::default() }).unwrap();
        assert_eq!(found[0].id, "board/move", "{text}");
    }
}

#[test]
fn a_misspelt_server_is_the_one_that_was_meant() {
    assert_eq!(ids("open an issue on gitlabb")[0], "gitlab/create_issue");
    assert_eq!(ids("open an issue on gihtub")[0], "github/create_issue");
}

#[test]
fn the_reasons_of_a_hit_add_up_to_its_score() {
    for text in ["open an issue on gitlab", "list commits then fetch the web page", "wether report", "read mail"] {
        let query = Query { text, explain: true, ..Query::default() };
        for hit in INDEX.search(&query).unwrap().into_iter().filter(|hit| !hit.exact) {
            let sum: f32 = hit.reasons.iter().map(|reason| reason.points).sum();
            assert!((sum - hit.score).abs() < 1e-4, "{text}: {hit:?}");
        }
    }
}

#[test]
fn a_query_that_asks_nothing_finds_nothing() {
    for text in ["", "   \n", "!?…", "please could you"] {
        assert_eq!(ids(text), Vec::<String>::new(), "{text:?}");
    }
    assert!(INDEX.search(&Query { text: "search", limit: 0, ..Query::default() }).unwrap().is_empty());
}

#[test]
fn an_index_of_nothing_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for index in [Index::in_memory(&[]).unwrap(), Index::build(dir.path(), &[], KEY).unwrap()] {
        assert!(index.is_empty());
        assert!(
            index.search(&Query { text: "create_issue", server: Some("x"), ..Query::default() }).unwrap().is_empty()
        );
    }
    assert!(Index::open(dir.path(), KEY).unwrap().is_empty());
}

#[test]
fn of_two_documents_with_one_id_the_first_is_taken() {
    let index = Index::in_memory(&[tool("a", "b", "first"), tool("a", "b", "second")]).unwrap();
    assert_eq!(index.len(), 1);
    let query = Query { text: "first second", explain: true, ..Query::default() };
    let reasons = format!("{:?}", index.search(&query).unwrap()[0].reasons);
    assert!(reasons.contains("`first`") && !reasons.contains("`second`"), "{reasons}");
}

#[test]
fn an_index_on_disk_answers_as_the_one_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let built = Index::build(dir.path(), &tools(), KEY).unwrap();
    let opened = Index::open(dir.path(), KEY).unwrap();
    for text in ["create issue", "read web page", "wether"] {
        let query = Query { text, limit: 10, ..Query::default() };
        assert_eq!(built.search(&query).unwrap(), INDEX.search(&query).unwrap());
        assert_eq!(opened.search(&query).unwrap(), INDEX.search(&query).unwrap());
    }
}

#[test]
fn an_empty_or_absent_directory_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    for dir in [dir.path(), &dir.path().join("absent")] {
        let error = Index::open(dir, KEY).unwrap_err();
        assert!(matches!(error, IndexError::Missing { .. }) && error.is_cured_by_building(), "{error}");
    }
}

#[test]
fn an_index_of_other_documents_is_outdated() {
    let dir = tempfile::tempdir().unwrap();
    Index::build(dir.path(), &tools(), KEY).unwrap();
    assert!(matches!(Index::open(dir.path(), "catalog-2"), Err(IndexError::Outdated { .. })));
    let manifest = dir.path().join("current.json");
    let older = fs::read_to_string(&manifest).unwrap().replacen("\"format\": 3", "\"format\": 2", 1);
    fs::write(manifest, older).unwrap();
    assert!(matches!(Index::open(dir.path(), KEY), Err(IndexError::Outdated { .. })));
}

#[test]
fn what_a_killed_build_left_is_ignored_and_then_removed() {
    let dir = tempfile::tempdir().unwrap();
    Index::build(dir.path(), &tools(), KEY).unwrap();
    let left = dir.path().join("generation-2");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("meta.json"), "{").unwrap();
    fs::write(dir.path().join("current.json.new"), "{").unwrap();
    assert_eq!(Index::open(dir.path(), KEY).unwrap().len(), tools().len());

    Index::build(dir.path(), &tools()[..3], "catalog-2").unwrap();
    assert_eq!(Index::open(dir.path(), "catalog-2").unwrap().len(), 3);
    let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), ["build.lock", "current.json", "generation-3"].map(String::from).into());
}

#[test]
fn an_open_index_goes_on_answering_while_a_new_one_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let old = Index::build(dir.path(), &tools(), KEY).unwrap();
    Index::build(dir.path(), &[], "catalog-2").unwrap();
    let query = Query { text: "list commits", limit: 1, ..Query::default() };
    assert_eq!(old.search(&query).unwrap()[0].id, "github/list_commits");
}

#[test]
fn two_builds_at_once_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let held = fs::File::create(dir.path().join("build.lock")).unwrap();
    held.lock().unwrap();
    let error = Index::build(dir.path(), &tools(), KEY).unwrap_err();
    assert!(matches!(error, IndexError::Busy { .. }) && !error.is_cured_by_building(), "{error}");
    drop(held);
    assert!(Index::build(dir.path(), &tools(), KEY).is_ok());
}

#[test]
fn any_file_that_is_cut_changed_or_gone_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    Index::build(dir.path(), &tools(), KEY).unwrap();
    let files = fs::read_dir(dir.path().join("generation-1")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| fs::metadata(path).unwrap().len() > 0).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for bad in [flipped, whole[..whole.len() / 2].to_vec(), Vec::new()] {
            fs::write(&file, bad).unwrap();
            assert!(matches!(Index::open(dir.path(), KEY), Err(IndexError::Damaged { .. })), "{file:?}");
        }
        fs::remove_file(&file).unwrap();
        assert!(matches!(Index::open(dir.path(), KEY), Err(IndexError::Damaged { .. })), "{file:?}");
        fs::write(&file, whole).unwrap();
    }
    assert!(Index::open(dir.path(), KEY).is_ok());
}

#[test]
fn a_damaged_manifest_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    Index::build(dir.path(), &tools(), KEY).unwrap();
    let manifest = dir.path().join("current.json");
    let whole = fs::read_to_string(&manifest).unwrap();
    for bad in ["", "{}", &whole[..whole.len() / 2], &whole.replace("generation-1", "../other"), "\u{0}\u{1}"] {
        fs::write(&manifest, bad).unwrap();
        assert!(matches!(Index::open(dir.path(), KEY), Err(IndexError::Damaged { .. })), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered_the_same_each_time(
        text in prop_oneof!["\\PC{0,700}", "[a-zA-Z0-9_/.:+\\-\"'`(){}\\[\\]^~*?\\\\ ]{0,600}", "(create|issue|search|web|wether|and|,| |_|/){0,40}"],
        limit in 0_usize..12,
    ) {
        let query = Query { text: &text, limit, ..Query::default() };
        let found = INDEX.search(&query).unwrap();
        prop_assert!(found.len() <= limit);
        prop_assert_eq!(found.iter().map(|hit| &hit.id).collect::<BTreeSet<_>>().len(), found.len());
        for hit in &found {
            prop_assert!(hit.score.is_finite() && (-1.0..=1.01).contains(&hit.fit), "{:?}", hit);
        }
        prop_assert!(found.windows(2).all(|pair| pair[0].exact >= pair[1].exact));
        prop_assert_eq!(INDEX.search(&query).unwrap(), found);
    }

    #[test]
    fn a_longer_list_starts_with_the_shorter_one(text in "(create|issue|search|list_commits|web|read| ){0,12}", limit in 0_usize..8) {
        let long = INDEX.search(&Query { text: &text, limit: 20, ..Query::default() }).unwrap();
        let short = INDEX.search(&Query { text: &text, limit, ..Query::default() }).unwrap();
        prop_assert_eq!(&short[..], &long[..limit.min(long.len())]);
    }
}

#[test]
fn a_megabyte_of_text_costs_no_more_than_its_head() {
    for text in ["create issue ".repeat(80_000), "\"".repeat(1 << 20), "字".repeat(1 << 18), " ".repeat(1 << 20)] {
        assert!(hits(&text, None).len() <= tools().len());
    }
}
