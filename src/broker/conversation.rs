//! One client's conversation: whose it is, and what it did so far. In memory only, and bounded.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::ids::ToolId;

/// Most steps remembered. A long day of work has some hundreds.
const MAX_STEPS: usize = 500;

/// Longest query remembered, in characters.
const MAX_QUERY_CHARS: usize = 120;

/// Whose conversations all those over standard streams are: the user of this machine.
const LOCAL: &str = "local";

/// Whose conversation it is, and what it did.
#[derive(Debug)]
pub struct Conversation {
    number: u64,
    principal: String,
    steps: Mutex<VecDeque<(Instant, Step)>>,
}

/// One thing a conversation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// It searched.
    Searched {
        /// What for.
        query: String,
        /// The best hits, by name.
        hits: Vec<String>,
    },
    /// It had tools described.
    Described {
        /// Which.
        tools: Vec<String>,
    },
    /// It called a tool.
    Called {
        /// Which.
        tool: ToolId,
        /// Whether it answered with a result that is no error.
        succeeded: bool,
        /// The name under which the whole result was kept, where it was cut.
        kept: Option<String>,
    },
}

impl Conversation {
    /// The conversation of a client on this machine, started by its user.
    #[must_use]
    pub fn local() -> Self {
        Self::of(LOCAL)
    }

    /// A conversation of this principal. What is kept for one principal, no other can read.
    #[must_use]
    pub fn of(principal: impl Into<String>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), principal: principal.into(), steps: Mutex::default() }
    }

    /// Tells it from every other of this process.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whose it is.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// Remembers a step.
    pub(super) fn note(&self, step: Step) {
        let step = match step {
            Step::Searched { query, hits } => {
                Step::Searched { query: query.chars().take(MAX_QUERY_CHARS).collect(), hits }
            }
            other => other,
        };
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() == MAX_STEPS {
            steps.pop_front();
        }
        steps.push_back((Instant::now(), step));
    }

    /// What it did, the oldest first, each with its age.
    pub(super) fn steps(&self) -> Vec<(Duration, Step)> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().map(|(at, step)| (at.elapsed(), step.clone())).collect()
    }
}
