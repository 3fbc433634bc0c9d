//! The knowledge base: notes in Markdown, searched by words and connected by named links.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Script, TODAY, json, mentions, text},
};

/// Length of an excerpt in a search reply, in characters.
const EXCERPT_CHARS: usize = 80;

/// All notes and links.
#[derive(Debug, Deserialize)]
pub(super) struct Knowledge {
    notes: Vec<Note>,
    links: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Note {
    id: String,
    title: String,
    author: String,
    updated: String,
    tags: Vec<String>,
    body: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Link {
    from: String,
    to: String,
    relation: String,
}

impl Script for Knowledge {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "kb_search" => self.search(args),
            "kb_get_note" => self.read(args),
            "kb_add_note" => self.add(args),
            "kb_update_note" => self.update(args),
            "kb_link_notes" => self.link(args),
            "kb_backlinks" => self.backlinks(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Knowledge {
    fn note(&self, id: &str) -> Result<&Note, Refusal> {
        self.notes.iter().find(|note| note.id == id).ok_or_else(|| no_note(id))
    }

    fn search(&self, args: Args<'_>) -> Answer {
        let words: Vec<&str> = args.text("query").split_whitespace().collect();
        let tags = args.texts("tags");
        let needs_all = args.text_or("match", "all") == "all";
        let mut found: Vec<(usize, &Note)> = self
            .notes
            .iter()
            .filter(|note| tags.iter().all(|tag| note.tags.iter().any(|own| own == tag)))
            .map(|note| (words.iter().filter(|word| note.mentions(word)).count(), note))
            .filter(|&(hits, _)| if needs_all { hits == words.len() } else { hits > 0 })
            .collect();
        // Stable, so that notes with as many hits stay in the order of their ids.
        found.sort_by_key(|&(hits, _)| std::cmp::Reverse(hits));
        let results: Vec<_> = found
            .iter()
            .take(args.count_or("limit", 10))
            .map(
                |(_, note)| json!({ "id": note.id, "title": note.title, "excerpt": note.excerpt(), "tags": note.tags }),
            )
            .collect();
        json(json!({ "total": found.len(), "results": results }))
    }

    fn read(&self, args: Args<'_>) -> Answer {
        let note = self.note(args.text("note_id"))?;
        let body = match args.text_or("format", "markdown") {
            "plain" => note.plain(),
            _ => note.body.clone(),
        };
        let links: Vec<_> = self.links.iter().filter(|link| link.from == note.id).collect();
        json(json!({
            "id": note.id, "title": note.title, "author": note.author, "updated": note.updated,
            "tags": note.tags, "body": body, "links": links,
        }))
    }

    fn add(&mut self, args: Args<'_>) -> Answer {
        let title = args.text("title");
        if let Some(twin) = self.notes.iter().find(|note| note.title.eq_ignore_ascii_case(title)) {
            return Err(format!("A note with this title exists: {}. Change it with kb_update_note.", twin.id).into());
        }
        let source = args.object("source");
        let mut body = args.text("body").to_owned();
        if let (Some(kind), Some(reference)) = (source.maybe("kind"), source.maybe("reference")) {
            body.push_str(&format!("\n\nSource: {kind}, {reference}"));
        }
        let id = format!("note-{}", self.notes.len() + 1);
        self.notes.push(Note {
            id: id.clone(),
            title: title.into(),
            author: "you".into(),
            updated: TODAY.into(),
            tags: args.owned_texts("tags"),
            body,
        });
        json(json!({ "id": id, "title": title, "updated": TODAY }))
    }

    fn update(&mut self, args: Args<'_>) -> Answer {
        let id = args.text("note_id");
        let note = self.notes.iter_mut().find(|note| note.id == id).ok_or_else(|| no_note(id))?;
        let mut changed = Vec::new();
        if let Some(title) = args.maybe("title") {
            note.title = title.into();
            changed.push("title");
        }
        if let Some(body) = args.maybe("body") {
            note.body = body.into();
            changed.push("body");
        }
        if let Some(paragraph) = args.maybe("append") {
            note.body.push_str("\n\n");
            note.body.push_str(paragraph);
            changed.push("body (appended)");
        }
        if args.value("tags").is_some() {
            note.tags = args.owned_texts("tags");
            changed.push("tags");
        }
        if changed.is_empty() {
            return Err("Nothing to change: give title, body, append or tags.".into());
        }
        note.updated = TODAY.into();
        text(format!("Updated {id}: {}.", changed.join(", ")))
    }

    fn link(&mut self, args: Args<'_>) -> Answer {
        let from = self.note(args.text("from"))?;
        let to = self.note(args.text("to"))?;
        let link =
            Link { from: from.id.clone(), to: to.id.clone(), relation: args.text_or("relation", "related").into() };
        if link.from == link.to {
            return Err("A note cannot be linked to itself.".into());
        }
        let told = format!("\"{}\" {} \"{}\"", from.title, link.relation, to.title);
        if self.links.contains(&link) {
            return text(format!("Already linked: {told}."));
        }
        self.links.push(link);
        text(format!("Linked: {told}."))
    }

    fn backlinks(&self, args: Args<'_>) -> Answer {
        let target = self.note(args.text("note_id"))?;
        let relations = args.texts("relations");
        let lines: Vec<String> = self
            .links
            .iter()
            .filter(|link| link.to == target.id)
            .filter(|link| relations.is_empty() || relations.contains(&link.relation.as_str()))
            .filter_map(|link| {
                let note = self.note(&link.from).ok()?;
                Some(format!("- {} ({}): {}", note.title, note.id, link.relation))
            })
            .collect();
        if lines.is_empty() {
            return text(format!("No note points to {}.", target.id));
        }
        text(format!("{} point to \"{}\":\n{}", lines.len(), target.title, lines.join("\n")))
    }
}

impl Note {
    fn mentions(&self, word: &str) -> bool {
        mentions(&self.title, word) || mentions(&self.body, word) || self.tags.iter().any(|tag| mentions(tag, word))
    }

    fn plain(&self) -> String {
        self.body.replace(['*', '#', '`'], "").trim().into()
    }

    fn excerpt(&self) -> String {
        let plain = self.plain().split_whitespace().collect::<Vec<_>>().join(" ");
        match plain.char_indices().nth(EXCERPT_CHARS) {
            Some((end, _)) => format!("{}…", &plain[..end]),
            None => plain,
        }
    }
}

fn no_note(id: &str) -> Refusal {
    Refusal::missing("note", id, "Find notes with kb_search.")
}
