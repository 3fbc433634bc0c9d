//! The git workflow over a scripted repository: no files, only what a status, a plan and a log would say of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, text},
};

/// The repository: one branch checked out, some changes, some history.
#[derive(Debug, Deserialize)]
pub(super) struct GitWorkflow {
    branch: String,
    branches: Vec<String>,
    ahead: usize,
    behind: usize,
    merge_requests: usize,
    changes: Vec<Change>,
    commits: Vec<Commit>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Change {
    path: String,
    state: String,
    lines: usize,
}

#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
    tag: Option<String>,
    subject: String,
    author: String,
}

impl Script for GitWorkflow {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "repo-status" => self.status(args),
            "start-branch" => self.start_branch(args),
            "plan-commits" => self.plan(args),
            "create-commit" => self.commit(args),
            "open-merge-request" => self.merge_request(args),
            "release-notes" => self.release_notes(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl GitWorkflow {
    fn status(&self, args: Args<'_>) -> Answer {
        let hides_untracked = args.value("include-untracked").is_some_and(|value| value == false);
        let changes: Vec<_> =
            self.changes.iter().filter(|change| !(hides_untracked && change.state == "untracked")).collect();
        json(json!({ "branch": self.branch, "ahead": self.ahead, "behind": self.behind, "changes": changes }))
    }

    fn start_branch(&mut self, args: Args<'_>) -> Answer {
        let base = args.text_or("base", "main");
        if !self.branches.iter().any(|branch| branch == base) {
            return Err(Refusal::missing("branch", base, &format!("Known: {}.", self.branches.join(", "))));
        }
        let slug = args.text("summary").split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join("-");
        let ticket = args.maybe("ticket").map(|ticket| format!("{ticket}-")).unwrap_or_default();
        let name = format!("{}/{ticket}{slug}", args.text("kind"));
        if self.branches.contains(&name) {
            return Err(format!("Branch `{name}` exists already.").into());
        }
        self.branches.push(name.clone());
        self.branch.clone_from(&name);
        (self.ahead, self.behind) = (0, 0);
        text(format!("Switched to new branch {name} (from {base}). {} changed files came along.", self.changes.len()))
    }

    fn plan(&self, args: Args<'_>) -> Answer {
        let strategy = args.text_or("strategy", "by-directory");
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for change in self.changes.iter().filter(|change| change.state != "untracked") {
            groups.entry(change.group(strategy)).or_default().push(&change.path);
        }
        let limit = args.count_or("max-commits", 5);
        if groups.len() > limit {
            return Err(format!("{} commits are needed, {limit} are allowed. Raise max-commits.", groups.len()).into());
        }
        let mut plan = format!("# Commit plan ({strategy})\n");
        for (step, (group, paths)) in groups.iter().enumerate() {
            plan.push_str(&format!("\n{}. {group}: {}", step + 1, paths.join(", ")));
        }
        plan.push_str("\n\nNothing was committed. Make each step with create-commit.");
        text(plan)
    }

    fn commit(&mut self, args: Args<'_>) -> Answer {
        let wanted = args.texts("paths");
        if let Some(unknown) = wanted.iter().find(|path| !self.changes.iter().any(|change| change.path == **path)) {
            return Err(format!("`{unknown}` has no changes. See repo-status.").into());
        }
        let is_taken = |change: &Change| {
            if wanted.is_empty() { change.state != "untracked" } else { wanted.contains(&change.path.as_str()) }
        };
        let taken = self.changes.iter().filter(|change| is_taken(change)).count();
        if taken == 0 {
            return Err("There is nothing to commit.".into());
        }
        self.changes.retain(|change| !is_taken(change));
        let message = args.object("message");
        let id = self.next_commit_id();
        self.commits.push(Commit {
            id: id.clone(),
            tag: None,
            subject: message.text("subject").into(),
            author: "you".into(),
        });
        self.ahead += 1;
        text(format!(
            "[{} {id}] {}\n committed: {taken}, left: {}",
            self.branch,
            message.text("subject"),
            self.changes.len()
        ))
    }

    fn merge_request(&mut self, args: Args<'_>) -> Answer {
        let target = args.text_or("target", "main");
        if self.branch == target {
            return Err(format!("`{target}` cannot be merged into itself. Start a branch first.").into());
        }
        if self.ahead == 0 {
            return Err(format!("`{}` has no commits of its own.", self.branch).into());
        }
        self.merge_requests += 1;
        json(json!({
            "number": self.merge_requests,
            "url": format!("https://git.halyard.example/halyard/app/-/merge_requests/{}", self.merge_requests),
            "title": args.text("title"), "source": self.branch, "target": target, "commits": self.ahead,
            "draft": args.is_set("draft"), "reviewers": args.texts("reviewers"),
        }))
    }

    fn release_notes(&self, args: Args<'_>) -> Answer {
        let (from, to) = (args.text("from"), args.text_or("to", "HEAD"));
        let start = self.tag(from)? + 1;
        let end = if to == "HEAD" { self.commits.len() } else { self.tag(to)? + 1 };
        let commits = self.commits.get(start..end).unwrap_or_default();
        let for_developers = args.text_or("audience", "users") == "developers";
        let mut notes = format!("# Changes from {from} to {to}\n");
        for (heading, kind) in [("Features", "feat"), ("Fixes", "fix"), ("Other", "")] {
            let lines: Vec<String> = commits
                .iter()
                .filter_map(|commit| Some((commit, commit.subject.split_once(": ")?)))
                .filter(|(_, (own, _))| if kind.is_empty() { !matches!(*own, "feat" | "fix") } else { *own == kind })
                .map(|(commit, (_, what))| match for_developers {
                    true => format!("- {what} ({}, {})", commit.id, commit.author),
                    false => format!("- {what}"),
                })
                .collect();
            if !lines.is_empty() && (for_developers || !kind.is_empty()) {
                notes.push_str(&format!("\n## {heading}\n{}\n", lines.join("\n")));
            }
        }
        text(notes)
    }

    fn tag(&self, tag: &str) -> Result<usize, Refusal> {
        self.commits
            .iter()
            .position(|commit| commit.tag.as_deref() == Some(tag))
            .ok_or_else(|| Refusal::missing("tag", tag, "Tags look like v1.8.0."))
    }

    /// Counted up instead of hashed, and spread so that it looks like what it stands for.
    fn next_commit_id(&self) -> String {
        format!("{:07x}", 0x2b1_7000 + self.commits.len() * 0x3_19f5)
    }
}

impl Change {
    fn group(&self, strategy: &str) -> &str {
        match strategy {
            "single" => "everything",
            "by-kind" if self.path.contains("tests/") => "tests",
            "by-kind" if self.path.starts_with("docs/") => "docs",
            "by-kind" => "code",
            _ => self.path.split_once('/').map_or("root", |(directory, _)| directory),
        }
    }
}
