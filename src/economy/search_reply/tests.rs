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
    let mut hits: Vec<Hit<'_>> = tools.iter().map(|tool| Hit { tool, notes: Vec::new() }).collect();
    if let Some(hit) = hits.get_mut(1) {
        hit.notes.push("failing: HTTP 401\u{1b}[31m from gitlab.com".into());
    }
    if let Some(hit) = hits.get_mut(4) {
        hit.notes.push("needs todoist/list_projects".into());
    }
    SearchReply { heading: None, hits, footing: None }
}

fn counted(text: &str) -> String {
    format!("{} tokens\n{text}", tokens::count(text))
}

#[test]
fn a_reply_within_its_budget_shows_everything() {
    insta::assert_snapshot!(counted(&render(&reply(&tools()), 500)), @r#"
    246 tokens
    github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a repository, with labels.
    gitlab/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a GitLab project. [failing: HTTP 401 from gitlab.com]
    linear/create_issue(title: string)
    jira/create_issue(field_number_0?: string, field_number_1?: string, field_number_2?: string, field_number_3?: string, field_number_4?: string, field_number_5?: string, field_number_6?: string, field_number_7?: string, field_number_8?: string, field_number_9?: string, field_number_10?: string, field_number_11?: string, field_number_12?: string, field_number_13?: string, field_number_14?: string, …+25) — Adds an issue of any type, with every field that the project has.
    todoist/add_task(content: string, priority?: integer 1..4) — Adds a task to a project. [needs todoist/list_projects]
    "#);
}

#[test]
fn later_hits_shrink_first() {
    insta::assert_snapshot!(counted(&render(&reply(&tools()), 200)), @r#"
    153 tokens
    github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a repository, with labels.
    gitlab/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[]) — Open an issue in a GitLab project. [failing: HTTP 401 from gitlab.com]
    linear/create_issue(title: string)
    jira/create_issue(field_number_0?: string, field_number_1?: string, field_number_2?: string, field_number_3?: string, …+36)
    todoist/add_task(content: string, priority?: integer 1..4) — Adds a task to a project. [needs todoist/list_projects]
    "#);
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
