//! The chronicle: events are appended and read, never changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Script, TODAY, json, mentions, text},
};

/// All events, in the order they were appended.
#[derive(Debug, Deserialize)]
pub(super) struct Chronicle {
    events: Vec<Event>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Event {
    id: usize,
    kind: String,
    headline: String,
    /// YYYY-MM-DD, so that the order of the texts is the order of time.
    day: String,
    actors: Vec<String>,
    severity: usize,
}

impl Script for Chronicle {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "appendEvent" => self.append(args),
            "queryEvents" => self.query(args),
            "getTimeline" => self.timeline(args),
            "summarizePeriod" => self.summarize(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Chronicle {
    fn by_day(&self) -> Vec<&Event> {
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort_by_key(|event| (&event.day, event.id));
        events
    }

    fn append(&mut self, args: Args<'_>) -> Answer {
        let event = Event {
            id: self.events.len() + 1,
            kind: args.text("kind").into(),
            headline: args.text("headline").into(),
            day: args.text_or("happenedOn", TODAY).into(),
            actors: args.owned_texts("actors"),
            severity: args.count_or("severity", 3),
        };
        if event.day.as_str() > TODAY {
            return Err(format!("{} has not happened yet (today is {TODAY}).", event.day).into());
        }
        let reply = json!({ "id": event.id, "day": event.day, "events": self.events.len() + 1 });
        self.events.push(event);
        json(reply)
    }

    fn query(&self, args: Args<'_>) -> Answer {
        let kinds = args.texts("kinds");
        let period = args.object("period");
        let mut found: Vec<&Event> = self
            .by_day()
            .into_iter()
            .filter(|event| kinds.is_empty() || kinds.contains(&event.kind.as_str()))
            .filter(|event| args.maybe("actor").is_none_or(|actor| event.actors.iter().any(|own| own == actor)))
            .filter(|event| args.maybe("text").is_none_or(|part| mentions(&event.headline, part)))
            .filter(|event| event.is_within(period.text_or("from", ""), period.text_or("to", "9999")))
            .collect();
        if args.text_or("order", "newest") == "newest" {
            found.reverse();
        }
        json(json!(found))
    }

    fn timeline(&self, args: Args<'_>) -> Answer {
        let by = args.text_or("groupBy", "month");
        let least = args.count_or("minSeverity", 1);
        let mut timeline = String::from("# Timeline\n");
        let mut heading = String::new();
        for event in self.by_day().into_iter().filter(|event| event.severity >= least) {
            let group = event.group(by);
            if group != heading {
                timeline.push_str(&format!("\n## {group}\n"));
                heading = group;
            }
            timeline.push_str(&format!("- {}: {} ({})\n", event.day, event.headline, event.kind));
        }
        text(timeline)
    }

    fn summarize(&self, args: Args<'_>) -> Answer {
        let (from, to) = (args.text("from"), args.text("to"));
        let events: Vec<&Event> = self.by_day().into_iter().filter(|event| event.is_within(from, to)).collect();
        if events.is_empty() {
            return text(format!("Nothing is recorded between {from} and {to}."));
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &events {
            *counts.entry(&event.kind).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        // Customers are told what was reached; the team is told everything.
        let least = match args.text_or("audience", "team") {
            "management" => 4,
            "customer" => 5,
            _ => 1,
        };
        let headlines: String = events
            .iter()
            .filter(|event| event.severity >= least)
            .map(|event| format!("\n- {} ({})", event.headline, event.day))
            .collect();
        text(format!("{from} to {to}: {}.{headlines}", counts.join(", ")))
    }
}

impl Event {
    fn is_within(&self, from: &str, to: &str) -> bool {
        (from..=to).contains(&self.day.as_str())
    }

    fn group(&self, by: &str) -> String {
        let (year, month) = (self.day.get(..4).unwrap_or_default(), self.day.get(5..7).unwrap_or_default());
        match by {
            "year" => year.into(),
            "quarter" => format!("{year} Q{}", month.parse::<usize>().map_or(1, |month| month.div_ceil(3))),
            _ => format!("{year}-{month}"),
        }
    }
}
