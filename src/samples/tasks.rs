//! The task list: create, filter, change, finish, delete. Answers tersely, as such servers do.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, text},
};

/// Priorities from least to most pressing.
const PRIORITIES: [&str; 4] = ["low", "normal", "high", "urgent"];

/// All tasks, and the number the next one gets: numbers of deleted tasks are not given again.
#[derive(Debug, Deserialize)]
pub(super) struct Tasks {
    next_id: u64,
    tasks: Vec<Task>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Task {
    id: u64,
    title: String,
    status: String,
    assignee: Option<String>,
    due: Option<String>,
    priority: String,
    labels: Vec<String>,
    comments: Vec<String>,
}

impl Script for Tasks {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "create_task" => self.create(args),
            "list_tasks" => self.list(args),
            "update_task" => self.update(args),
            "complete_task" => self.complete(args),
            "add_task_comment" => self.comment(args),
            "delete_task" => self.delete(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Tasks {
    fn task(&mut self, args: Args<'_>) -> Result<&mut Task, Refusal> {
        let id = args.number("id").unwrap_or_default();
        self.tasks.iter_mut().find(|task| task.id == id).ok_or_else(|| Refusal::missing("task", id, "See list_tasks."))
    }

    fn create(&mut self, args: Args<'_>) -> Answer {
        let mut comments: Vec<String> =
            args.maybe("details").map(|details| format!("you: {details}")).into_iter().collect();
        comments.extend(args.items("checklist").iter().map(|item| {
            let item = Args::from(item);
            format!("[{}] {}", if item.is_set("done") { 'x' } else { ' ' }, item.text("text"))
        }));
        let task = Task {
            id: self.next_id,
            title: args.text("title").into(),
            status: "open".into(),
            assignee: args.maybe("assignee").map(Into::into),
            due: args.maybe("due").map(Into::into),
            priority: args.text_or("priority", "normal").into(),
            labels: args.owned_texts("labels"),
            comments,
        };
        let reply = json!(task);
        self.tasks.push(task);
        self.next_id += 1;
        json(reply)
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let status = args.text_or("status", "open");
        let mut found: Vec<&Task> = self
            .tasks
            .iter()
            .filter(|task| status == "any" || task.status == status)
            .filter(|task| args.maybe("assignee").is_none_or(|who| task.assignee.as_deref() == Some(who)))
            .filter(|task| args.maybe("label").is_none_or(|label| task.labels.iter().any(|own| own == label)))
            // Days are written so that the order of their texts is the order of time.
            .filter(|task| args.maybe("due_before").is_none_or(|day| task.due.as_deref().is_some_and(|due| due < day)))
            .collect();
        match args.text_or("sort", "due") {
            "priority" => found.sort_by_key(|task| Reverse(task.rank())),
            "id" => found.sort_by_key(|task| task.id),
            _ => found.sort_by_key(|task| (task.due.is_none(), task.due.clone())),
        }
        found.truncate(args.count_or("limit", 20));
        let lines: Vec<String> = found.iter().map(|task| task.line()).collect();
        text(if lines.is_empty() { "No tasks.".into() } else { lines.join("\n") })
    }

    fn update(&mut self, args: Args<'_>) -> Answer {
        let task = self.task(args)?;
        if task.status == "done" {
            return Err(format!("Task {} is done; create a new one instead.", task.id).into());
        }
        let fields = args.object("fields");
        if let Some(title) = fields.maybe("title") {
            task.title = title.into();
        }
        if let Some(assignee) = fields.value("assignee") {
            task.assignee = assignee.as_str().map(Into::into);
        }
        if let Some(due) = fields.value("due") {
            task.due = due.as_str().map(Into::into);
        }
        if let Some(priority) = fields.maybe("priority") {
            task.priority = priority.into();
        }
        if let Some(status) = fields.maybe("status") {
            task.status = status.into();
        }
        json(json!(task))
    }

    fn complete(&mut self, args: Args<'_>) -> Answer {
        let task = self.task(args)?;
        task.status = "done".into();
        if let Some(note) = args.maybe("note") {
            task.comments.push(format!("you: {note}"));
        }
        let how = match args.text_or("resolution", "done") {
            "wont_do" => "closed, won't do",
            "duplicate" => "closed as duplicate",
            _ => "done",
        };
        let reply = format!("Task {} {how}: {}", task.id, task.title);
        let open = self.tasks.iter().filter(|task| task.status != "done").count();
        text(format!("{reply}\n{open} tasks left."))
    }

    fn comment(&mut self, args: Args<'_>) -> Answer {
        let task = self.task(args)?;
        let mentions: String = args.texts("mention").iter().map(|who| format!(" @{who}")).collect();
        task.comments.push(format!("you: {}{mentions}", args.text("text")));
        json(json!({ "id": task.id, "comments": task.comments }))
    }

    fn delete(&mut self, args: Args<'_>) -> Answer {
        let id = self.task(args)?.id;
        self.tasks.retain(|task| task.id != id);
        json(
            json!({ "deleted": id, "left": self.tasks.iter().map(|task| task.id).map(Value::from).collect::<Vec<_>>() }),
        )
    }
}

impl Task {
    fn rank(&self) -> Option<usize> {
        PRIORITIES.iter().position(|priority| *priority == self.priority)
    }

    fn line(&self) -> String {
        let assignee = self.assignee.as_deref().unwrap_or("nobody");
        let due = self.due.as_deref().map(|day| format!(", due {day}")).unwrap_or_default();
        format!("#{} [{}] {} ({}, {assignee}{due})", self.id, self.status, self.title, self.priority)
    }
}
