//! Personas for role play and reviews. Its definition is poor on purpose: some servers in the field describe nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, text},
};

/// All personas.
#[derive(Debug, Deserialize)]
pub(super) struct Personas {
    personas: Vec<Persona>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Persona {
    id: String,
    name: String,
    role: String,
    tone: String,
    goals: Vec<String>,
    traits: BTreeMap<String, u64>,
}

impl Script for Personas {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "list" => self.list(args),
            "get" => json(json!(self.persona(args)?)),
            "create" => self.create(args),
            "render" => self.render(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Personas {
    fn persona(&self, args: Args<'_>) -> Result<&Persona, Refusal> {
        let id = args.text("id");
        self.personas.iter().find(|persona| persona.id == id).ok_or_else(|| Refusal::from("not found"))
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let ids: Vec<&str> = self
            .personas
            .iter()
            .filter(|persona| args.maybe("role").is_none_or(|role| persona.role.contains(role)))
            .map(|persona| persona.id.as_str())
            .collect();
        json(json!(ids))
    }

    fn create(&mut self, args: Args<'_>) -> Answer {
        if self.persona(args).is_ok() {
            return Err("exists".into());
        }
        let traits = args.value("traits").and_then(Value::as_object).into_iter().flatten();
        self.personas.push(Persona {
            id: args.text("id").into(),
            name: args.text("name").into(),
            role: args.text("role").into(),
            tone: args.text_or("tone", "plain").into(),
            goals: args.owned_texts("goals"),
            traits: traits.filter_map(|(name, value)| Some((name.clone(), value.as_u64()?))).collect(),
        });
        text("ok")
    }

    fn render(&self, args: Args<'_>) -> Answer {
        let persona = self.persona(args)?;
        let (you_are, want, task) = match args.text_or("lang", "en") {
            "de" => ("Du bist", "Dein Ziel", "Aufgabe"),
            "fr" => ("Tu es", "Ton but", "Tâche"),
            _ => ("You are", "You want", "Task"),
        };
        text(format!(
            "{you_are} {}, {} ({}). {want}: {}.\n{task}: {}",
            persona.name,
            persona.role,
            persona.tone,
            persona.goals.join("; "),
            args.text("task")
        ))
    }
}
