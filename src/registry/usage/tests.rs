use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::registry::Registry;

const DAY: Duration = Duration::from_secs(86_400);

/// Noon of a day of November 2026.
fn noon(day: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_534_400) + DAY * day
}

fn id(text: &str) -> ToolId {
    text.parse().unwrap()
}

fn call(tool: &str, at: SystemTime) -> UseEvent {
    let tool = id(tool);
    UseEvent::Call { at, tool, succeeded: true, first: true, led_tokens: 200, sent_tokens: 9_000, result_tokens: 8_000 }
}

fn start(at: SystemTime) -> UseEvent {
    let servers = vec![("s".parse().unwrap(), 12), ("t".parse().unwrap(), 9)];
    UseEvent::Start { at, tokens: 450, servers, pins: vec![(id("s/a"), 120)] }
}

async fn recorded(dir: &TempDir, events: Vec<UseEvent>) -> Registry {
    let registry = Registry::open(dir.path()).unwrap();
    events.into_iter().for_each(|event| registry.record_use(event));
    registry.close().await;
    assert_eq!(registry.lost_events(), 0);
    Registry::open(dir.path()).unwrap()
}

fn shown(ledger: &Ledger) -> String {
    let mut text = format!(
        "{} conversations {} tokens, {} searches {} without {} tokens",
        ledger.conversations, ledger.start_tokens, ledger.searches, ledger.without_match, ledger.search_tokens
    );
    for entry in &ledger.entries {
        let tool = entry.tool.as_ref().map(|tool| format!("/{}", tool.as_str())).unwrap_or_default();
        let numbers: Vec<String> = COLUMNS
            .iter()
            .zip(entry.amounts.signed())
            .filter(|(_, number)| *number > 0)
            .map(|(column, number)| format!("{column} {number}"))
            .collect();
        text.push_str(&format!("\n{}{tool}: {}", entry.server, numbers.join(", ")));
    }
    text
}

#[tokio::test]
async fn what_happens_in_a_conversation_is_counted_by_server_and_tool() {
    let dir = TempDir::new().unwrap();
    let events = vec![
        start(noon(20)),
        UseEvent::Search {
            at: noon(20),
            matched: true,
            reply_tokens: 110,
            shown: vec![(id("s/a"), 60), (id("t/b"), 50)],
        },
        UseEvent::Search { at: noon(20), matched: false, reply_tokens: 40, shown: vec![] },
        UseEvent::Describe { at: noon(20), shown: vec![(id("t/b"), 90)] },
        call("t/b", noon(20)),
        UseEvent::Call {
            at: noon(20),
            tool: id("t/b"),
            succeeded: false,
            first: false,
            led_tokens: 0,
            sent_tokens: 5,
            result_tokens: 5,
        },
    ];
    let registry = recorded(&dir, events).await;
    insta::assert_snapshot!(shown(&registry.ledger(30, noon(20)).await.unwrap()), @r"
    1 conversations 450 tokens, 2 searches 1 without 150 tokens
    s: conversations 1, start_tokens 12
    s/a: conversations 1, start_tokens 120, searches 1, search_tokens 60
    t: conversations 1, start_tokens 9
    t/b: searches 1, search_tokens 50, describes 1, describe_tokens 90, calls 2, errors 1, used_in 1, led_tokens 200, sent_tokens 9005, result_tokens 8005
    ");
}

#[tokio::test]
async fn days_that_were_not_asked_for_are_left_out_but_the_last_use_is_known() {
    let dir = TempDir::new().unwrap();
    let registry = recorded(&dir, vec![start(noon(1)), call("s/a", noon(1)), start(noon(30))]).await;
    let ledger = registry.ledger(30, noon(30)).await.unwrap();
    assert_eq!((ledger.conversations, ledger.entries[1].amounts.calls), (2, 1), "30 days with today are day 1 to 30");
    let ledger = registry.ledger(29, noon(30)).await.unwrap();
    let tool = &ledger.entries[1];
    assert_eq!((ledger.conversations, tool.amounts.calls), (1, 0));
    assert_eq!((tool.last_used, tool.first_seen), (Some(noon(1)), noon(1) - DAY / 2));
    assert_eq!(ledger.since, Some(noon(1) - DAY / 2));
}

#[tokio::test]
async fn a_day_that_is_too_old_goes_when_a_new_one_begins() {
    let dir = TempDir::new().unwrap();
    let registry = recorded(&dir, vec![start(noon(0)), start(noon(1)), start(noon(MAX_DAYS))]).await;
    let ledger = registry.ledger(u32::MAX, noon(MAX_DAYS)).await.unwrap();
    assert_eq!((ledger.conversations, ledger.since), (2, Some(noon(1) - DAY / 2)));
}

#[tokio::test]
async fn two_processes_add_to_the_same_day_and_one_can_erase_it() {
    let dir = TempDir::new().unwrap();
    let (one, two) = (Registry::open(dir.path()).unwrap(), Registry::open(dir.path()).unwrap());
    for registry in [&one, &two] {
        registry.record_use(call("s/a", noon(3)));
        registry.record_use_later(|| start(noon(3)));
    }
    one.close().await;
    two.close().await;
    let registry = Registry::open(dir.path()).unwrap();
    let ledger = registry.ledger(1, noon(3)).await.unwrap();
    assert_eq!((ledger.conversations, ledger.entries[1].amounts.calls), (2, 2));
    assert_eq!(registry.forget_usage().await.unwrap(), 1);
    assert_eq!(registry.ledger(400, noon(3)).await.unwrap(), Ledger::default());
    one.record_use(start(noon(4)));
    assert_eq!(one.lost_events(), 1, "a closed registry loses use, and says so");
}

#[tokio::test]
async fn a_count_that_panics_is_lost_and_takes_nothing_with_it() {
    let dir = TempDir::new().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    registry.record_use_later(|| panic!("a count"));
    registry.record_use(start(noon(1)));
    registry.close().await;
    assert_eq!((registry.lost_events(), registry.ledger(1, noon(1)).await.unwrap().conversations), (1, 1));
}
