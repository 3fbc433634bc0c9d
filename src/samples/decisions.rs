//! Decision records: numbered, never edited once accepted, superseded by newer ones.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Script, TODAY, json, mentions, text},
};

/// Words shorter than this say nothing about what a decision is about.
const MIN_TELLING_WORD: usize = 5;

/// All records, in the order of their numbers.
#[derive(Debug, Deserialize)]
pub(super) struct Decisions {
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    number: usize,
    title: String,
    status: String,
    date: String,
    area: String,
    context: String,
    decision: String,
    consequences: Vec<String>,
    /// The record that supersedes this one, or that this one supersedes.
    see: Option<usize>,
}

impl Script for Decisions {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "adr_create" => self.create(args),
            "adr_list" => self.list(args),
            "adr_get" => self.read(args),
            "adr_supersede" => self.supersede(args),
            "adr_check" => self.check(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Decisions {
    fn place(&self, number: usize) -> Result<usize, Refusal> {
        self.records
            .iter()
            .position(|record| record.number == number)
            .ok_or_else(|| Refusal::missing("record", number, "See adr_list."))
    }

    fn create(&mut self, args: Args<'_>) -> Answer {
        let options = args.items("options").len();
        let record = Record {
            number: self.records.len() + 1,
            title: args.text("title").into(),
            status: args.text_or("status", "proposed").into(),
            date: TODAY.into(),
            area: "unsorted".into(),
            context: args.text("context").into(),
            decision: args.text("decision").into(),
            consequences: args.owned_texts("consequences"),
            see: None,
        };
        let reply = format!(
            "Recorded {} as {} (alternatives weighed: {options}).\n\n{}",
            record.label(),
            record.status,
            record.markdown()
        );
        self.records.push(record);
        text(reply)
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let records: Vec<_> = self
            .records
            .iter()
            .rev()
            .filter(|record| args.maybe("status").is_none_or(|status| record.status == status))
            .filter(|record| args.maybe("area").is_none_or(|area| record.area == area))
            .map(|record| {
                json!({ "number": record.number, "title": record.title, "status": record.status, "date": record.date })
            })
            .collect();
        json(json!({ "records": records }))
    }

    fn read(&self, args: Args<'_>) -> Answer {
        let place = self.place(args.count_or("number", 0))?;
        text(self.records[place].markdown())
    }

    fn supersede(&mut self, args: Args<'_>) -> Answer {
        let (old, new) = (self.place(args.count_or("old", 0))?, self.place(args.count_or("new", 0))?);
        if new <= old {
            return Err("A decision can only be superseded by a later one.".into());
        }
        let (old_number, new_number) = (self.records[old].number, self.records[new].number);
        if self.records[old].see.is_some_and(|see| see != new_number) {
            return Err(format!("{} is superseded already.", self.records[old].label()).into());
        }
        self.records[old].status = "superseded".into();
        self.records[old].see = Some(new_number);
        self.records[new].status = "accepted".into();
        self.records[new].see = Some(old_number);
        text(format!(
            "{} is superseded by {}, which is accepted now. Reason: {}",
            self.records[old].label(),
            self.records[new].label(),
            args.text("reason")
        ))
    }

    fn check(&self, args: Args<'_>) -> Answer {
        let proposal = args.text("proposal");
        let words: BTreeSet<&str> = proposal
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| word.len() >= MIN_TELLING_WORD)
            .collect();
        let findings: Vec<String> = self
            .records
            .iter()
            .filter(|record| record.status == "accepted" || (args.is_set("strict") && record.status == "proposed"))
            .filter_map(|record| {
                let shared: Vec<&str> = words.iter().copied().filter(|word| record.is_about(word)).collect();
                (!shared.is_empty()).then(|| format!("- {} ({}): {}", record.label(), record.status, shared.join(", ")))
            })
            .collect();
        text(match findings.len() {
            0 => "No decision touches this proposal.".into(),
            _ => format!("The proposal touches these decisions:\n{}", findings.join("\n")),
        })
    }
}

impl Record {
    fn label(&self) -> String {
        format!("ADR-{:04} \"{}\"", self.number, self.title)
    }

    fn is_about(&self, word: &str) -> bool {
        mentions(&self.title, word) || mentions(&self.decision, word)
    }

    fn markdown(&self) -> String {
        let consequences: String = self.consequences.iter().map(|line| format!("\n- {line}")).collect();
        let see = self.see.map(|number| format!(", see ADR-{number:04}")).unwrap_or_default();
        format!(
            "# ADR-{:04}: {}\n\nStatus: {}{see}. Date: {}. Area: {}.\n\n## Context\n{}\n\n## Decision\n{}\n\n## Consequences{consequences}",
            self.number, self.title, self.status, self.date, self.area, self.context, self.decision
        )
    }
}
