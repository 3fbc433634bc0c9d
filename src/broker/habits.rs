//! Learning from use: which tool was called after which search, so that the next such search ranks it higher.
//!
//! Kept on this machine only, off with `search.learn = false`. What of a query may be kept is the index's to say; how long
//! it counts is decided here.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use tokio::sync::OnceCell;
use toolcrib_index::Habits;
use tracing::warn;

use super::{Conversation, conversation::OfEach};
use crate::{
    ids::ToolId,
    registry::{Habit, Registry, UseEvent},
};

/// How many searches of a conversation wait for the call that follows them.
const MAX_OPEN: usize = 8;

/// A call this long after a search has nothing to do with it.
const MAX_GAP: Duration = Duration::from_secs(15 * 60);

/// After so long a habit counts half.
const HALF_LIFE: Duration = Duration::from_secs(60 * 86_400);

/// What a search leaves to be followed.
#[derive(Debug)]
struct Open {
    words: String,
    hits: Vec<String>,
    at: Instant,
    followed: bool,
}

/// What this broker learns and has learned.
#[derive(Debug, Default)]
pub(super) struct Learning {
    learned: OnceCell<RwLock<Arc<Habits>>>,
    open: OfEach<VecDeque<Open>>,
}

impl Learning {
    /// What was learned, read from the registry the first time.
    pub(super) async fn learned(&self, registry: &Registry) -> Arc<Habits> {
        let read = async || {
            let known = registry.habits().await.unwrap_or_else(|error| {
                warn!(error = %error, "what was learned from use could not be read");
                Vec::new()
            });
            RwLock::new(Arc::new(weighed(&known, SystemTime::now())))
        };
        let learned = self.learned.get_or_init(read).await;
        Arc::clone(&learned.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a search, until it is known what it led to.
    pub(super) fn searched(&self, query: &str, hits: Vec<String>, conversation: &Conversation) {
        let words = Habits::memorable(query);
        if words.is_empty() {
            return;
        }
        self.open.of(conversation, |open| {
            open.retain(|earlier| earlier.words != words);
            open.push_back(Open { words, hits, at: Instant::now(), followed: false });
            while open.len() > MAX_OPEN {
                open.pop_front();
            }
        });
    }

    /// Learns from a call that worked, if a search led to it: the last that found the tool, else the last one of all, which
    /// missed it, unless another call followed that already, or another client may have asked.
    pub(super) fn called(&self, tool: &ToolId, conversation: &Conversation, registry: &Registry) {
        let id = tool.to_string();
        let words = self.open.of(conversation, |open| {
            open.retain(|search| search.at.elapsed() < MAX_GAP);
            let found = open.iter().rposition(|search| search.hits.contains(&id));
            let last = open.len().checked_sub(1).filter(|_| !conversation.is_shared());
            let missed = || last.filter(|&last| !open[last].followed);
            let search = found.or_else(missed).and_then(|at| open.get_mut(at))?;
            search.followed = true;
            Some(search.words.clone())
        });
        let Some(words) = words else { return };
        if let Some(learned) = self.learned.get() {
            let mut learned = learned.write().unwrap_or_else(PoisonError::into_inner);
            Arc::make_mut(&mut learned).learn(&words, &id, 1.0);
        }
        registry.record_use(UseEvent::Followed { words, tool: tool.clone(), at: SystemTime::now() });
    }
}

fn weighed(known: &[Habit], now: SystemTime) -> Habits {
    let mut habits = Habits::default();
    for habit in known {
        let age = now.duration_since(habit.last_used).unwrap_or_default();
        let weight = 0.5_f32.powf(age.as_secs_f32() / HALF_LIFE.as_secs_f32());
        habits.learn(&habit.words, &habit.tool.to_string(), weight);
    }
    habits
}
