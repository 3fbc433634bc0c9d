//! The council: advisers with fixed points of view who answer and vote. A consultation is opened, used and closed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, text},
};

/// Who takes part when nobody is named.
const DEFAULT_ADVISERS: [&str; 3] = ["skeptic", "engineer", "user-advocate"];

/// What each adviser thinks, and the consultations so far.
#[derive(Debug, Deserialize)]
pub(super) struct Council {
    views: BTreeMap<String, String>,
    sessions: Vec<Session>,
}

#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    question: String,
    advisers: Vec<String>,
    asked: Vec<String>,
    votes: Vec<String>,
    outcome: Option<String>,
}

impl Script for Council {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "council_open" => self.open(args),
            "council_ask" => self.ask(args),
            "council_vote" => self.vote(args),
            "council_summary" => self.summary(args),
            "council_close" => self.close(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Council {
    fn place(&self, args: Args<'_>) -> Result<usize, Refusal> {
        let id = args.text("session_id");
        self.sessions
            .iter()
            .position(|session| session.id == id)
            .ok_or_else(|| Refusal::missing("session", id, "Call council_open first."))
    }

    fn open_session(&mut self, args: Args<'_>) -> Result<&mut Session, Refusal> {
        let place = self.place(args)?;
        match &self.sessions[place] {
            Session { id, outcome: Some(outcome), .. } => Err(format!("Session {id} is closed ({outcome}).").into()),
            Session { .. } => Ok(&mut self.sessions[place]),
        }
    }

    fn open(&mut self, args: Args<'_>) -> Answer {
        let mut advisers = args.owned_texts("advisers");
        if advisers.is_empty() {
            advisers = DEFAULT_ADVISERS.map(Into::into).to_vec();
        }
        let id = format!("council-{}", self.sessions.len() + 1);
        let reply = json!({ "session_id": id, "advisers": advisers, "next": "council_ask" });
        self.sessions.push(Session {
            id,
            question: args.text("question").into(),
            advisers,
            asked: Vec::new(),
            votes: Vec::new(),
            outcome: None,
        });
        json(reply)
    }

    fn ask(&mut self, args: Args<'_>) -> Answer {
        let wanted = args.texts("to");
        let session = self.open_session(args)?;
        if let Some(absent) = wanted.iter().find(|name| !session.advisers.iter().any(|own| own == *name)) {
            return Err(format!("`{absent}` is not seated. Seated: {}.", session.advisers.join(", ")).into());
        }
        session.asked.push(args.text("prompt").into());
        let answering: Vec<String> = session
            .advisers
            .iter()
            .filter(|adviser| wanted.is_empty() || wanted.contains(&adviser.as_str()))
            .cloned()
            .collect();
        let style = args.text_or("style", "brief");
        let answers: Vec<String> = answering
            .iter()
            .enumerate()
            .map(|(place, adviser)| {
                let view = self.views.get(adviser).map_or("", String::as_str);
                let said = match style {
                    "devil" => format!("Against my own view, which is this: {view}"),
                    "argued" => format!("{view} I have argued so before and would again."),
                    _ => view.to_owned(),
                };
                format!("**{adviser}** (confidence {} %): {said}", 85 - 10 * place.min(5))
            })
            .collect();
        text(answers.join("\n\n"))
    }

    fn vote(&mut self, args: Args<'_>) -> Answer {
        let options = args.texts("options");
        let weights = args.object("weights");
        let method = args.text_or("method", "plurality");
        let session = self.open_session(args)?;
        if session.asked.is_empty() {
            return Err("Nobody has been heard yet. Call council_ask first.".into());
        }
        let mut tally = vec![0.0; options.len()];
        let mut ballots = Vec::new();
        for adviser in &session.advisers {
            // An adviser is steady, not wise: the length of the name picks the option.
            let choice = adviser.len() % options.len();
            let weight = weights.value(adviser).and_then(Value::as_f64).unwrap_or(1.0);
            tally[choice] += weight;
            ballots.push(json!({ "adviser": adviser, "option": options[choice], "weight": weight }));
        }
        let most = tally.iter().copied().fold(0.0, f64::max);
        let leading: Vec<&str> =
            options.iter().zip(&tally).filter(|(_, votes)| **votes >= most).map(|(option, _)| *option).collect();
        let all: f64 = tally.iter().sum();
        let is_enough = match method {
            "majority" => most * 2.0 > all,
            "unanimous" => most >= all,
            _ => true,
        };
        let winner = if leading.len() == 1 && is_enough { json!(leading[0]) } else { Value::Null };
        session.votes.push(leading.join(" = "));
        let tally: Vec<Value> =
            options.iter().zip(&tally).map(|(option, votes)| json!({ "option": option, "votes": votes })).collect();
        json(
            json!({ "method": method, "winner": winner, "tied": leading.len() > 1, "tally": tally, "ballots": ballots }),
        )
    }

    fn summary(&self, args: Args<'_>) -> Answer {
        let session = &self.sessions[self.place(args)?];
        let mut summary = format!(
            "# {}\n\nAdvisers: {}. Questions put: {}.\n",
            session.question,
            session.advisers.join(", "),
            session.asked.len()
        );
        for question in &session.asked {
            summary.push_str(&format!("\n- asked: {question}"));
        }
        for vote in &session.votes {
            summary.push_str(&format!("\n- vote: {vote}"));
        }
        summary.push_str(match &session.outcome {
            Some(_) => "\n\nThe consultation is closed.",
            None => "\n\nThe consultation is open.",
        });
        let words: Vec<&str> = summary.split(' ').take(args.count_or("max_words", 200)).collect();
        text(words.join(" "))
    }

    fn close(&mut self, args: Args<'_>) -> Answer {
        let outcome = args.text("outcome").to_owned();
        let remark = args.maybe("remark").map(|remark| format!(" {remark}")).unwrap_or_default();
        let place = self.place(args)?;
        let session = &mut self.sessions[place];
        let reply = format!("{} closed: {outcome}.{remark}", session.id);
        session.outcome = Some(outcome);
        text(reply)
    }
}
