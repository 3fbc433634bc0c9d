//! The model forge: model versions go through stages, and evaluations say how good they are. Scores are made up from names.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Reply, Script, Staged, json, text},
};

/// How long one dataset of an evaluation takes: long enough to see progress, short enough for a demo.
const DATASET_TIME: Duration = Duration::from_millis(20);

/// All model versions and evaluations.
#[derive(Debug, Deserialize)]
pub(super) struct ModelForge {
    models: Vec<Model>,
    evaluations: Vec<Evaluation>,
    /// Evaluations that were started; each takes the place of its ticket.
    #[serde(skip)]
    started: Vec<Evaluation>,
}

#[derive(Debug, Deserialize)]
struct Model {
    name: String,
    version: String,
    framework: String,
    stage: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Evaluation {
    id: String,
    model: String,
    suite: String,
    scores: BTreeMap<String, f64>,
}

impl Script for ModelForge {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "register-model" => self.register(args),
            "list-models" => self.list(args),
            "start-evaluation" => self.evaluate(args),
            "get-evaluation" => self.report(args),
            "compare-models" => self.compare(args),
            "promote-model" => self.promote(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }

    fn finish(&mut self, ticket: usize, done: usize) -> Answer {
        let Some(evaluation) = self.started.get(ticket) else {
            return Err(Refusal::missing("evaluation", ticket, "Call start-evaluation."));
        };
        if done < datasets(&evaluation.suite).len() {
            return Err(format!("The evaluation of {} was cancelled; no scores were kept.", evaluation.model).into());
        }
        let id = format!("eval-{}", self.evaluations.len() + 1);
        let evaluation = Evaluation { id, ..evaluation.clone() };
        let reply = json!(evaluation);
        self.evaluations.push(evaluation);
        json(reply)
    }
}

impl ModelForge {
    fn place(&self, full_name: &str) -> Result<usize, Refusal> {
        self.models
            .iter()
            .position(|model| model.full_name() == full_name)
            .ok_or_else(|| Refusal::missing("model", full_name, "Models are named name@version; see list-models."))
    }

    fn latest(&self, full_name: &str) -> Option<&Evaluation> {
        self.evaluations.iter().rev().find(|evaluation| evaluation.model == full_name)
    }

    fn register(&mut self, args: Args<'_>) -> Answer {
        let model = Model {
            name: args.text("name").into(),
            version: args.text("version").into(),
            framework: args.text("framework").into(),
            stage: "candidate".into(),
        };
        let full_name = model.full_name();
        if self.place(&full_name).is_ok() {
            return Err(format!("{full_name} is registered already; versions cannot be overwritten.").into());
        }
        self.models.push(model);
        text(format!("Registered {full_name} as candidate. Next: start-evaluation."))
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let models: Vec<_> = self
            .models
            .iter()
            .filter(|model| args.maybe("stage").is_none_or(|stage| model.stage == stage))
            .filter(|model| args.maybe("name-prefix").is_none_or(|prefix| model.name.starts_with(prefix)))
            .map(|model| {
                let accuracy = self.latest(&model.full_name()).and_then(|evaluation| evaluation.scores.get("accuracy"));
                json!({ "model": model.full_name(), "stage": model.stage, "framework": model.framework, "accuracy": accuracy })
            })
            .collect();
        json(json!(models))
    }

    fn evaluate(&mut self, args: Args<'_>) -> Answer {
        let model = args.text("model");
        self.place(model)?;
        let suite = args.text_or("suite", "smoke");
        let mut metrics = args.texts("metrics");
        if metrics.is_empty() {
            metrics = vec!["accuracy", "f1"];
        }
        let scores = metrics.into_iter().map(|metric| (metric.to_owned(), score(model, metric))).collect();
        let stages = datasets(suite).iter().map(|dataset| format!("{dataset} scored")).collect();
        self.started.push(Evaluation { id: String::new(), model: model.into(), suite: suite.into(), scores });
        Ok(Reply::Staged(Staged { ticket: self.started.len() - 1, stages, pace: DATASET_TIME }))
    }

    fn report(&self, args: Args<'_>) -> Answer {
        let id = args.text("evaluation-id");
        let evaluation = self
            .evaluations
            .iter()
            .find(|evaluation| evaluation.id == id)
            .ok_or_else(|| Refusal::missing("evaluation", id, "Run one with start-evaluation."))?;
        json(json!(evaluation))
    }

    fn compare(&self, args: Args<'_>) -> Answer {
        let (baseline, challenger) = (args.text("baseline"), args.text("challenger"));
        self.place(baseline)?;
        self.place(challenger)?;
        let evaluated = |model: &str| {
            self.latest(model)
                .ok_or_else(|| Refusal(format!("{model} has no evaluation. Call start-evaluation first.")))
        };
        let (old, new) = (evaluated(baseline)?, evaluated(challenger)?);
        let tolerance = args.value("tolerance").and_then(serde_json::Value::as_f64).unwrap_or(0.01);
        let mut table = format!("| metric | {baseline} | {challenger} | difference |\n| --- | --- | --- | --- |");
        for (metric, before) in &old.scores {
            if let Some(after) = new.scores.get(metric) {
                let difference = after - before;
                let told = if difference.abs() <= tolerance { "equal".into() } else { format!("{difference:+.3}") };
                table.push_str(&format!("\n| {metric} | {before:.3} | {after:.3} | {told} |"));
            }
        }
        text(table)
    }

    fn promote(&mut self, args: Args<'_>) -> Answer {
        let (full_name, stage) = (args.text("model"), args.text("stage"));
        let place = self.place(full_name)?;
        if stage != "retired" && self.latest(full_name).is_none() {
            return Err(format!("{full_name} has no evaluation. Call start-evaluation first.").into());
        }
        let name = self.models[place].name.clone();
        let mut retired = Vec::new();
        if stage == "production" {
            for model in self.models.iter_mut().filter(|model| model.name == name && model.stage == "production") {
                model.stage = "retired".into();
                retired.push(model.full_name());
            }
        }
        let before = std::mem::replace(&mut self.models[place].stage, stage.into());
        json(json!({ "model": full_name, "from": before, "to": stage, "retired": retired }))
    }
}

impl Model {
    fn full_name(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What a suite consists of, in the order it runs.
fn datasets(suite: &str) -> &'static [&'static str] {
    match suite {
        "full" => &["pilot-points", "field-photos", "rain", "night", "county-archive"],
        "field-photos" => &["field-photos", "rain", "night"],
        _ => &["pilot-points"],
    }
}

/// A score that looks measured and is always the same for the same model and metric.
fn score(model: &str, metric: &str) -> f64 {
    let spread = model.bytes().chain(metric.bytes()).fold(7_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1_009);
    let thousandths = match metric {
        "latency-p95" => 20_000 + spread * 25,
        "size-mb" => 3_000 + spread * 9,
        _ => 800 + spread % 150,
    };
    f64::from(thousandths) / 1_000.0
}
