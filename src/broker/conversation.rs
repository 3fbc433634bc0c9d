//! One client's conversation: whose it is, and what it did so far. In memory only, and bounded.

use std::{
    collections::VecDeque,
    fmt,
    num::NonZeroUsize,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use lru::LruCache;

use crate::ids::ToolId;

/// Most steps remembered. A long day of work has some hundreds.
const MAX_STEPS: usize = 500;

/// Longest query remembered, in characters.
const MAX_QUERY_CHARS: usize = 120;

/// Whose conversations all those over standard streams are: the user of this machine.
const LOCAL: &str = "local";

/// Conversations of which other rooms of the broker remember something. A person has a few dozen agents at most.
const MAX_REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");

/// Whose conversation it is, and what it did.
#[derive(Debug)]
pub struct Conversation {
    number: u64,
    principal: String,
    is_shared: bool,
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

    /// The conversation of all clients on this machine that cannot be told apart, because they say nothing that lasts.
    #[must_use]
    pub fn local_shared() -> Self {
        Self { is_shared: true, ..Self::local() }
    }

    /// A conversation of this principal. What is kept for one principal, no other can read.
    #[must_use]
    pub fn of(principal: impl Into<String>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { number, principal: principal.into(), is_shared: false, steps: Mutex::default() }
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

    /// Whether it is of several clients at once: what follows another in it need not be of the same one.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.is_shared
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

/// Something remembered of each conversation, of the latest ones.
pub(super) struct OfEach<T>(Mutex<LruCache<u64, T>>);

impl<T> fmt::Debug for OfEach<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfEach").finish_non_exhaustive()
    }
}

impl<T> Default for OfEach<T> {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MAX_REMEMBERED)))
    }
}

impl<T: Default> OfEach<T> {
    /// Looks at what is remembered of this one, and changes it.
    pub(super) fn of<R>(&self, conversation: &Conversation, look: impl FnOnce(&mut T) -> R) -> R {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look(all.get_or_insert_mut(conversation.number(), T::default))
    }
}
