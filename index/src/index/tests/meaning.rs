//! What only the model can do: other words, several needs, near duplicates, how well something fits, habits.

use super::*;
use crate::Habits;

#[test]
fn the_fit_tells_a_poor_match_from_a_good_one() {
    for good in ["commits of a branch", "what will the weather be like", "read a web page"] {
        assert!(hits(good, None)[0].fits(), "{good}: {:?}", hits(good, None)[0]);
    }
    for poor in ["replace the drywall after water damage", "pick up some fresh meat at the farmer's market"] {
        assert!(!hits(poor, None)[0].fits(), "{poor}: {:?}", hits(poor, None)[0]);
    }
}

#[test]
fn near_duplicates_and_the_flood_of_one_server_leave_room_for_others() {
    let mut documents = tools();
    documents.extend((0..60).map(|n| tool("bulk", &format!("open_issue_{n}"), "Open a new issue in a repository")));
    let index = Index::in_memory(&documents).unwrap();
    let found = index.search(&Query { text: "open a new issue", ..Query::default() }).unwrap();
    let servers: BTreeSet<&str> = found.iter().filter_map(|hit| hit.id.split('/').next()).collect();
    assert!(servers.len() > 1, "{found:?}");
    let asked = index.search(&Query { text: "open a new issue", server: Some("bulk"), ..Query::default() }).unwrap();
    assert_eq!(asked.len(), 5);
}

#[test]
fn other_words_for_the_same_thing_find_the_tool() {
    for (text, wanted) in [("is it going to rain tomorrow", "weather/get-forecast"), ("file a bug", "create_issue")] {
        assert!(ids(text)[0].contains(wanted), "{text}: {:?}", ids(text));
    }
}

#[test]
fn a_habit_lifts_its_tool_for_like_queries_only() {
    let (mut habits, text) = (Habits::default(), "look something up for me on the internet");
    for _ in 0..200 {
        habits.learn(&Habits::memorable(text), "weather/get-forecast", 1.0);
    }
    let score = |text, habits| {
        let query = Query { text, habits, limit: 10, ..Query::default() };
        INDEX.search(&query).unwrap().into_iter().find(|hit| hit.id == "weather/get-forecast").unwrap().score
    };
    assert!(score(text, &habits) > score(text, Habits::NONE) + 0.09);
    for unlike in ["list the commits", "send a letter", "open an issue"] {
        assert_eq!(score(unlike, &habits), score(unlike, Habits::NONE), "{unlike}");
    }
}

#[test]
fn an_unchanged_tool_keeps_its_vector_and_a_changed_one_gets_another() {
    let dir = tempfile::tempdir().unwrap();
    Index::build(dir.path(), &tools(), KEY).unwrap();
    // A vector that no text has: whoever embeds the text anew does not get it.
    let mut documents = tools();
    let kept = documents.len();
    let file = dir.path().join("generation-1").join(crate::vectors::FILE);
    let mut bytes = fs::read(&file).unwrap();
    let first = bytes.len() - kept * crate::model::DIMENSIONS;
    bytes[first..first + 8].copy_from_slice(&[7; 8]);
    fs::write(&file, bytes).unwrap();
    documents[1].description = "Something else".into();
    Index::build(dir.path(), &documents, "catalog-2").unwrap();
    let vectors = fs::read(dir.path().join("generation-2").join(crate::vectors::FILE)).unwrap();
    assert_eq!(vectors[first..first + 8], [7; 8], "taken over");
}

#[test]
fn a_request_with_several_needs_finds_a_tool_for_each() {
    let found = ids("list the commits of the branch and then send a letter about the forecast");
    for wanted in ["github/list_commits", "mail/email"] {
        assert!(found[..3].contains(&wanted.to_owned()), "{wanted}: {found:?}");
    }
}
