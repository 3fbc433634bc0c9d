use serde_json::json;

use super::*;
use crate::economy::samples;

fn tools() -> Vec<ToolEntry> {
    let issue = json!({ "owner": { "type": "string" }, "repo": { "type": "string" }, "title": { "type": "string" }, "body": { "type": "string" }, "labels": { "type": "array", "items": { "type": "string" } } });
    let wide = json!({ "type": "object", "properties": (0..40).map(|at| (format!("field_number_{at}"), json!({ "type": "string" }))).collect::<serde_json::Map<_, _>>() });
    let with = |id: &str, description: &str, required: &[&str], properties: serde_json::Value| {
        samples::tool(id, description, json!({ "type": "object", "properties": properties, "required": required }))
    };
    vec![
        with(
            "github/create_issue",
            "Open an issue in a repository, with labels. More words.",
            &["owner", "repo", "title"],
            issue.clone(),
        ),
        with("gitlab/create_issue", "Open an issue in a GitLab project.", &["owner", "repo", "title"], issue),
        with("linear/create_issue", "Create a new issue", &["title"], json!({ "title": { "type": "string" } })),
        samples::tool("jira/create_issue", "Adds an issue of any type, with every field that the project has.", wide),
        with(
            "todoist/add_task",
            "This tool adds a task to a project.",
            &["content"],
            json!({ "content": { "type": "string" }, "priority": { "type": "integer", "minimum": 1, "maximum": 4 } }),
        ),
    ]
}

fn reply(tools: &[ToolEntry]) -> SearchReply<'_> {
    let mut hits: Vec<Hit<'_>> = tools.iter().map(Hit::of).collect();
    if let Some(hit) = hits.get_mut(1) {
        hit.trouble = Some("failing: HTTP 401\u{1b}[31m from gitlab.com".into());
    }
    if let Some(hit) = hits.get_mut(4) {
        hit.needs = vec!["todoist/list_projects".parse().unwrap()];
    }
    SearchReply { heading: None, hits, footing: None }
}

fn counted(text: &str) -> String {
    format!("{} tokens\n{text}", tokens::count(text))
}

#[test]
fn a_reply_within_its_budget_shows_everything() {
    insta::assert_snapshot!(counted(&render(&reply(&tools()), 500)), @r"
    170 tokens
    github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a repository, with labels.
    gitlab/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a GitLab project. [failing: HTTP 401 from gitlab.com]
    linear/create_issue(title: string)
    jira/create_issue(field_number_0?: string, field_number_1?: string, field_number_2?: string, field_number_3?: string, …+36 optional) — Adds an issue of any type, with every field that the project has.
    todoist/add_task(content: string, priority?: integer 1..4) — Adds a task to a project. [needs todoist/list_projects]
    ");
}

#[test]
fn later_hits_shrink_first() {
    insta::assert_snapshot!(counted(&render(&reply(&tools()), 200)), @r"
    146 tokens
    github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a repository, with labels.
    gitlab/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a GitLab project. [failing: HTTP 401 from gitlab.com]
    linear/create_issue(title: string)
    jira/create_issue(field_number_0?: string, field_number_1?: string, field_number_2?: string, field_number_3?: string, …+36 optional)
    todoist/add_task(content: string, priority?: integer 1..4) [needs todoist/list_projects]
    ");
    insta::assert_snapshot!(counted(&render(&reply(&tools()), 110)), @r#"
    106 tokens
    github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a repository, with labels.
    gitlab/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a GitLab project. [failing: HTTP 401 from gitlab.com]
    linear/create_issue(title: string)
    jira/create_issue(…)
    todoist/add_task(…) [needs todoist/list_projects]
    "#);
    insta::assert_snapshot!(counted(&render(&reply(&tools()), 60)), @r#"
    57 tokens
    github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[])
    gitlab/create_issue(…) [failing: HTTP 401 from gitlab.com]
    linear/create_issue(…)
    jira/create_issue(…)
    and 1 more
    "#);
}

#[test]
fn no_reply_is_over_its_budget() {
    let tools = tools();
    for budget in 8..400 {
        let text = render(&reply(&tools), budget);
        assert!(tokens::fits(&text, budget), "{budget}: {}\n{text}", tokens::count(&text));
        assert!(text.contains("github/create_issue"));
    }
}

#[test]
fn a_reply_without_hits_says_its_heading() {
    let reply = SearchReply {
        heading: Some("nothing fits; nearest servers: github (26): issues".into()),
        ..SearchReply::default()
    };
    assert_eq!(render(&reply, 500), "nothing fits; nearest servers: github (26): issues");
}

#[test]
fn a_needed_tool_that_was_named_above_is_named_without_its_server() {
    let tool = |id: &str| samples::with(id, &["id"], json!({ "id": { "type": "string" } }));
    let tools = [tool("mail/read"), tool("mail/delete"), tool("mail/list")];
    let mut hits: Vec<Hit<'_>> = tools.iter().map(Hit::of).collect();
    hits[0].needs = vec!["mail/list".parse().unwrap(), "mail/accounts".parse().unwrap()];
    hits[1].needs = vec!["mail/list".parse().unwrap()];
    hits[1].same = vec!["mail/remove".parse().unwrap(), "post/delete".parse().unwrap()];
    insta::assert_snapshot!(render(&SearchReply { hits, ..SearchReply::default() }, 500), @r#"
    mail/read(id: string) [needs mail/list, mail/accounts]
    mail/delete(id: string) [needs list; also named remove; same on post]
    mail/list(id: string)
    "#);
}

#[test]
fn what_servers_are_for_is_said_of_all_hits_of_one_name_or_of_none() {
    let tool = |id: &str| {
        samples::tool(
            id,
            "Finds what has these words.",
            json!({ "type": "object", "properties": { "query": { "type": "string" } } }),
        )
    };
    let tools = [tool("notes/search"), tool("web/search"), tool("web/open")];
    let mut hits: Vec<Hit<'_>> = tools.iter().map(Hit::of).collect();
    hits[0].purpose = Some("notes, projects".into());
    hits[1].purpose = Some("pages of the web".into());
    let reply = SearchReply { hits, ..SearchReply::default() };
    insta::assert_snapshot!(counted(&render(&reply, 500)), @r#"
    50 tokens
    notes/search(query?: string) — Finds what has these words. {notes, projects}
    web/search(query?: string) — Finds what has these words. {pages of the web}
    web/open(query?: string) — Finds what has these words.
    "#);
    let least = tokens::count(&render(&reply, 500)) - 1;
    assert!(!render(&reply, least).contains('{'));
}

#[test]
fn lower_hits_show_long_signatures_short_only_where_they_leave_something_out() {
    let wide = |id: &str, fields: usize| {
        let properties = (0..fields)
            .map(|at| (format!("field_number_{at}"), json!({ "type": "string" })))
            .collect::<serde_json::Map<_, _>>();
        samples::tool(id, "", json!({ "type": "object", "properties": properties }))
    };
    let tools =
        [wide("a/write", 30), wide("b/write", 15), wide("c/write", 30), wide("d/write", 9), wide("e/write", 15)];
    let text = render(&SearchReply { hits: tools.iter().map(Hit::of).collect(), ..SearchReply::default() }, 500);
    let lengths: Vec<(usize, bool)> = text.lines().map(|line| (line.len(), line.contains('…'))).collect();
    insta::assert_debug_snapshot!(lengths, @r"
    [
        (
            404,
            true,
        ),
        (
            387,
            false,
        ),
        (
            124,
            true,
        ),
        (
            232,
            false,
        ),
        (
            124,
            true,
        ),
    ]
    ");
}
