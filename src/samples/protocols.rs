//! Meeting protocols: minutes with agenda items, and the action items that hide in them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, mentions, text},
};

/// All meetings, in the order their minutes were saved.
#[derive(Debug, Deserialize)]
pub(super) struct Protocols {
    meetings: Vec<Meeting>,
}

#[derive(Debug, Deserialize)]
struct Meeting {
    id: String,
    title: String,
    date: String,
    kind: String,
    attendees: Vec<String>,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    topic: String,
    notes: String,
    agreed: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionItem<'a> {
    meeting_id: &'a str,
    owner: &'a str,
    text: &'a str,
}

impl Script for Protocols {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "saveMinutes" => self.save(args),
            "getMinutes" => self.read(args),
            "listMeetings" => self.list(args),
            "extractActionItems" => self.action_items(args),
            "searchMinutes" => self.search(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Protocols {
    fn meeting(&self, id: &str) -> Result<&Meeting, Refusal> {
        self.meetings
            .iter()
            .find(|meeting| meeting.id == id)
            .ok_or_else(|| Refusal::missing("meeting", id, "See listMeetings."))
    }

    fn save(&mut self, args: Args<'_>) -> Answer {
        let meta = args.object("meeting");
        let items = args.items("items").iter().map(|item| {
            let item = Args::from(item);
            Item {
                topic: item.text("topic").into(),
                notes: item.text("notes").into(),
                agreed: item.maybe("agreed").map(Into::into),
            }
        });
        let meeting = Meeting {
            id: format!("m-{}", self.meetings.len() + 1),
            title: meta.text("title").into(),
            date: meta.text("date").into(),
            kind: meta.text_or("kind", "other").into(),
            attendees: args.owned_texts("attendees"),
            items: items.collect(),
        };
        let reply = format!(
            "Saved {} \"{}\". Agenda items: {}, action items: {}.",
            meeting.id,
            meeting.title,
            meeting.items.len(),
            meeting.action_items().count()
        );
        self.meetings.push(meeting);
        text(reply)
    }

    fn read(&self, args: Args<'_>) -> Answer {
        text(self.meeting(args.text("meetingId"))?.markdown())
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let meetings: Vec<_> = self
            .meetings
            .iter()
            .filter(|meeting| args.maybe("attendee").is_none_or(|who| meeting.attendees.iter().any(|own| own == who)))
            .filter(|meeting| args.maybe("kind").is_none_or(|kind| meeting.kind == kind))
            .filter(|meeting| args.maybe("since").is_none_or(|day| meeting.date.as_str() >= day))
            .map(|meeting| json!({ "id": meeting.id, "title": meeting.title, "date": meeting.date, "kind": meeting.kind }))
            .collect();
        json(json!(meetings))
    }

    fn action_items(&self, args: Args<'_>) -> Answer {
        let meetings: Vec<&Meeting> = match args.maybe("meetingId") {
            Some(id) => vec![self.meeting(id)?],
            None => self.meetings.iter().collect(),
        };
        let items: Vec<ActionItem<'_>> = meetings
            .into_iter()
            .flat_map(Meeting::action_items)
            .filter(|item| args.maybe("owner").is_none_or(|owner| item.owner == owner))
            .collect();
        json(json!({ "items": items }))
    }

    fn search(&self, args: Args<'_>) -> Answer {
        let phrase = args.text("phrase");
        let only_agreed = args.is_set("onlyAgreed");
        let mut lines = Vec::new();
        for meeting in &self.meetings {
            for item in &meeting.items {
                let agreed = item.agreed.as_deref().unwrap_or_default();
                if mentions(agreed, phrase) || (!only_agreed && item.is_discussing(phrase)) {
                    lines.push(format!("- {} ({}), {}: {}", meeting.id, meeting.date, item.topic, item.summary()));
                }
            }
        }
        text(match lines.len() {
            0 => format!("Nobody mentioned \"{phrase}\"."),
            _ => lines.join("\n"),
        })
    }
}

impl Meeting {
    /// Lines of the form `TODO name: what`.
    fn action_items(&self) -> impl Iterator<Item = ActionItem<'_>> {
        self.items.iter().flat_map(|item| item.notes.lines()).filter_map(|line| {
            let (owner, text) = line.trim().strip_prefix("TODO ")?.split_once(": ")?;
            Some(ActionItem { meeting_id: &self.id, owner, text })
        })
    }

    fn markdown(&self) -> String {
        let mut minutes =
            format!("# {} ({}, {})\n\nPresent: {}\n", self.title, self.date, self.kind, self.attendees.join(", "));
        for (number, item) in self.items.iter().enumerate() {
            minutes.push_str(&format!("\n## {}. {}\n{}\n", number + 1, item.topic, item.notes));
            if let Some(agreed) = &item.agreed {
                minutes.push_str(&format!("\n**Agreed:** {agreed}\n"));
            }
        }
        minutes
    }
}

impl Item {
    fn is_discussing(&self, phrase: &str) -> bool {
        mentions(&self.topic, phrase) || mentions(&self.notes, phrase)
    }

    fn summary(&self) -> &str {
        self.agreed.as_deref().or_else(|| self.notes.lines().next()).unwrap_or_default()
    }
}
