//! The orchestrator: plans from templates, runs that report each step and can be cancelled, and one log that is long.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Reply, Script, Staged, json, text},
};

/// Pause for each step when the caller names none, in milliseconds.
const DEFAULT_PACE_MS: u64 = 20;

/// Debug lines a step writes. Three steps come to about 50 KB, several times the budget that brokers and clients have for a result.
const DEBUG_LINES_PER_STEP: usize = 240;

/// Levels of a log line, from least to most telling.
const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

/// Templates, plans made from them, and runs of plans.
#[derive(Debug, Deserialize)]
pub(super) struct Orchestrator {
    templates: BTreeMap<String, Vec<Step>>,
    plans: Vec<Plan>,
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Step {
    name: String,
    after: Vec<String>,
    minutes: u64,
}

#[derive(Debug, Deserialize)]
struct Plan {
    id: String,
    template: String,
    steps: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Run {
    id: String,
    plan: String,
    state: String,
    steps: Vec<String>,
    done: Vec<String>,
}

impl Script for Orchestrator {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "plan_workflow" => self.plan(args),
            "run_workflow" => self.run(args),
            "list_runs" => self.list(args),
            "get_run_log" => self.log(args),
            "retry_run" => self.retry(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }

    fn finish(&mut self, ticket: usize, done: usize) -> Answer {
        let Some(run) = self.runs.get_mut(ticket) else {
            return Err(Refusal::missing("run", ticket, "See list_runs."));
        };
        run.done = run.steps.iter().take(done).cloned().collect();
        run.state = if done == run.steps.len() { "succeeded" } else { "cancelled" }.into();
        json(json!({ "run_id": run.id, "plan_id": run.plan, "state": run.state, "done": run.done }))
    }
}

impl Orchestrator {
    fn run_of(&self, args: Args<'_>) -> Result<&Run, Refusal> {
        let id = args.text("run_id");
        self.runs.iter().find(|run| run.id == id).ok_or_else(|| Refusal::missing("run", id, "See list_runs."))
    }

    fn plan(&mut self, args: Args<'_>) -> Answer {
        let template = args.text("template");
        let constraints = args.object("constraints");
        let skipped = constraints.texts("skip");
        let Some(steps) = self.templates.get(template) else {
            let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
            return Err(Refusal::missing("template", template, &format!("Templates: {}.", known.join(", "))));
        };
        let steps: Vec<Step> = steps.iter().filter(|step| !skipped.contains(&step.name.as_str())).cloned().collect();
        let total: u64 = steps.iter().map(|step| step.minutes).sum();
        if constraints.number("max_minutes").is_some_and(|most| total > most) {
            return Err(format!("The plan takes {total} minutes. Skip a step or allow more.").into());
        }
        let id = format!("plan-{}", self.plans.len() + 1);
        let reply = json!({ "plan_id": id, "steps": steps, "total_minutes": total });
        self.plans.push(Plan {
            id,
            template: template.into(),
            steps: steps.into_iter().map(|step| step.name).collect(),
        });
        json(reply)
    }

    fn run(&mut self, args: Args<'_>) -> Answer {
        let id = args.text("plan_id");
        let plan = self
            .plans
            .iter()
            .find(|plan| plan.id == id)
            .ok_or_else(|| Refusal::missing("plan", id, "Make one with plan_workflow."))?;
        let (plan_id, template, steps) = (plan.id.clone(), plan.template.clone(), plan.steps.clone());
        if args.is_set("dry_run") {
            return text(format!("Would run {template}: {}. Nothing was done.", steps.join(", ")));
        }
        let pace = Duration::from_millis(args.number("pace_ms").unwrap_or(DEFAULT_PACE_MS));
        Ok(self.start(plan_id, steps, pace))
    }

    fn retry(&mut self, args: Args<'_>) -> Answer {
        let run = self.run_of(args)?;
        let first = match args.maybe("from_step") {
            Some(wanted) => run
                .steps
                .iter()
                .position(|step| step == wanted)
                .ok_or_else(|| Refusal::missing("step", wanted, &format!("Steps: {}.", run.steps.join(", "))))?,
            None => run.done.len(),
        };
        let (plan_id, steps) = (run.plan.clone(), run.steps.get(first..).unwrap_or_default().to_vec());
        if steps.is_empty() {
            return Err(format!("{} has no step left to do.", run.id).into());
        }
        Ok(self.start(plan_id, steps, Duration::from_millis(DEFAULT_PACE_MS)))
    }

    /// Enters a new run; the server goes through its steps and comes back to `finish`.
    fn start(&mut self, plan: String, steps: Vec<String>, pace: Duration) -> Reply {
        let ticket = self.runs.len();
        let stages = steps.iter().map(|step| format!("{step} finished")).collect();
        self.runs.push(Run {
            id: format!("run-{}", ticket + 1),
            plan,
            state: "running".into(),
            steps,
            done: Vec::new(),
        });
        Reply::Staged(Staged { ticket, stages, pace })
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let runs: Vec<_> = self
            .runs
            .iter()
            .rev()
            .filter(|run| args.maybe("state").is_none_or(|state| run.state == state))
            .take(args.count_or("limit", 10))
            .map(
                |run| json!({ "run_id": run.id, "state": run.state, "done": run.done.len(), "steps": run.steps.len() }),
            )
            .collect();
        json(json!(runs))
    }

    fn log(&self, args: Args<'_>) -> Answer {
        let run = self.run_of(args)?;
        let least = rank(args.text_or("level", "debug"));
        let lines: Vec<String> = run
            .log()
            .into_iter()
            .enumerate()
            .filter(|(_, (level, _))| rank(level) >= least)
            .map(|(second, (level, what))| {
                format!("02:{:02}:{:02} {:<5} {what}", second / 60, second % 60, level.to_uppercase())
            })
            .collect();
        let skipped = lines.len().saturating_sub(args.count_or("tail", lines.len()));
        text(lines[skipped..].join("\n"))
    }
}

impl Run {
    /// Level and text of every line. The first step that is not done is where it stopped.
    fn log(&self) -> Vec<(&'static str, String)> {
        let mut log = vec![("info", format!("{} of {} started", self.id, self.plan))];
        for (place, step) in self.steps.iter().enumerate().take(self.done.len() + 1) {
            let is_done = place < self.done.len();
            log.push(("info", format!("step {step} started")));
            for line in 1..=DEBUG_LINES_PER_STEP {
                log.push((
                    "debug",
                    format!("{step}: sheet {line} of {DEBUG_LINES_PER_STEP}, {} points unchanged", line * 7 % 90),
                ));
            }
            if is_done {
                log.push(("info", format!("step {step} finished")));
            } else {
                log.push(("warn", format!("step {step}: sheet 171 has two versions of point P-0042")));
                log.push(("error", format!("step {step} stopped, the run is {}", self.state)));
            }
        }
        log
    }
}

fn rank(level: &str) -> usize {
    LEVELS.iter().position(|own| *own == level).unwrap_or_default()
}
