//! What a conversation costs, noted for the ledger: starts, searches, describes, calls, and which replies led to a call.
//!
//! Off until [`Broker::begin_conversation`], because the ledger says what models read; a person at the command line is no
//! conversation. Nothing here waits for a count: texts go to the registry's writer, are counted there and are gone.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use super::{Broker, Conversation, SearchAnswer, Surface, conversation::OfEach};
use crate::{
    catalog::JsonObject,
    economy::{self, ResultText},
    ids::{ServerName, ToolId},
    registry::{Registry, UseEvent},
};

/// How many replies wait for a call that follows them.
const MAX_OPEN: usize = 32;

/// How many tools a conversation is known to have called. Real ones call a few dozen.
const MAX_CALLED: usize = 4_096;

/// Tokens of a reply, known when the writer has counted them.
type Counted = Arc<OnceLock<u64>>;

/// Whether and what this broker counts, with what it remembers for that of each conversation.
#[derive(Debug, Default)]
pub(super) struct Counting {
    on: AtomicBool,
    conversations: OfEach<Rested>,
}

/// What must be remembered between a reply and the call that it leads to.
#[derive(Debug, Default)]
struct Rested {
    searches: VecDeque<(Vec<String>, Counted)>,
    describes: VecDeque<(ToolId, Counted)>,
    called: HashSet<ToolId>,
}

impl Broker {
    /// Notes that a client begins a conversation, with what it costs at its start, and counts from here on.
    pub fn begin_conversation(&self, surface: &Surface) {
        self.counting.on.store(true, Ordering::Relaxed);
        let summaries = surface.summaries.clone();
        let enabled = self.library.settings().servers.values().filter(|spec| spec.enabled);
        let servers: Vec<ServerName> = enabled.map(|spec| spec.name.clone()).collect();
        let pins = self.pins().shown.clone();
        let at = SystemTime::now();
        self.library.registry().record_use_later(move || {
            let pins: Vec<(ToolId, u64)> = pins
                .into_iter()
                .map(|pin| (economy::pins::pin_tokens(&pin) as u64, pin.id))
                .map(|(n, id)| (id, n))
                .collect();
            let pinned: u64 = pins.iter().map(|(_, tokens)| tokens).sum();
            let shares = economy::summary_shares(&summaries, &servers);
            UseEvent::Start {
                at,
                tokens: economy::start_tokens(&summaries) as u64 + pinned,
                servers: servers.into_iter().zip(shares.into_iter().map(|tokens| tokens as u64)).collect(),
                pins,
            }
        });
    }
}

impl Counting {
    /// Notes a search and its reply.
    pub(super) fn searched(&self, answer: &SearchAnswer, conversation: &Conversation, registry: &Registry) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let hits: Vec<String> = answer.hits.iter().map(|hit| hit.id.clone()).collect();
        let counted = Counted::default();
        let shown = (hits.clone(), Arc::clone(&counted));
        self.conversations.of(conversation, |rested| keep(&mut rested.searches, shown));
        let (text, at) = (answer.text.clone(), SystemTime::now());
        registry.record_use_later(move || {
            let (total, shares) = economy::reply_shares(&text, &hits);
            let _ = counted.set(total as u64);
            let shown = hits.iter().zip(shares).filter(|(_, tokens)| *tokens > 0);
            let shown = shown.filter_map(|(hit, tokens)| Some((hit.parse().ok()?, tokens as u64)));
            UseEvent::Search { at, matched: !hits.is_empty(), reply_tokens: total as u64, shown: shown.collect() }
        });
    }

    /// Notes described tools, each with its part of the reply.
    pub(super) fn described(&self, parts: Vec<(ToolId, String)>, conversation: &Conversation, registry: &Registry) {
        if !self.on.load(Ordering::Relaxed) || parts.is_empty() {
            return;
        }
        let counted: Vec<(ToolId, String, Counted)> =
            parts.into_iter().map(|(tool, text)| (tool, text, Counted::default())).collect();
        self.conversations.of(conversation, |rested| {
            for (tool, _, tokens) in &counted {
                keep(&mut rested.describes, (tool.clone(), Arc::clone(tokens)));
            }
        });
        let at = SystemTime::now();
        registry.record_use_later(move || {
            let shown = counted.into_iter().map(|(tool, text, counted)| {
                let tokens = economy::count(&text) as u64;
                let _ = counted.set(tokens);
                (tool, tokens)
            });
            UseEvent::Describe { at, shown: shown.collect() }
        });
    }

    /// Notes a call: what the backend sent, where it answered, and what of it went out.
    pub(super) fn called(
        &self,
        tool: &ToolId,
        succeeded: bool,
        sent: Option<&JsonObject>,
        reply: &JsonObject,
        conversation: &Conversation,
        registry: &Registry,
    ) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let (first, led) = self.conversations.of(conversation, |rested| {
            let first = rested.called.len() < MAX_CALLED && rested.called.insert(tool.clone());
            (first, rested.led_to(tool))
        });
        let (tool, sent, reply) = (tool.clone(), sent.map(ResultText::of), ResultText::of(reply));
        let at = SystemTime::now();
        registry.record_use_later(move || UseEvent::Call {
            at,
            tool,
            succeeded,
            first,
            // Noted before this call, so counted before it too.
            led_tokens: led.iter().filter_map(|counted| counted.get()).sum(),
            sent_tokens: sent.map_or(0, |sent| sent.count() as u64),
            result_tokens: reply.count() as u64,
        });
    }
}

impl Rested {
    /// The replies that a call of this tool rests on: the last search that showed it, and its descriptions. Each is counted for
    /// one call only, so that what is credited to pins is never more than what was read.
    fn led_to(&mut self, tool: &ToolId) -> Vec<Counted> {
        let name = tool.to_string();
        let search = self.searches.iter().rposition(|(hits, _)| hits.contains(&name));
        let mut led: Vec<Counted> =
            search.and_then(|at| self.searches.remove(at)).map(|(_, counted)| counted).into_iter().collect();
        self.describes.retain(|(described, counted)| {
            let is_it = described == tool;
            if is_it {
                led.push(Arc::clone(counted));
            }
            !is_it
        });
        led
    }
}

fn keep<T>(queue: &mut VecDeque<T>, item: T) {
    queue.push_back(item);
    if queue.len() > MAX_OPEN {
        queue.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(tokens: u64) -> Counted {
        Arc::new(OnceLock::from(tokens))
    }

    #[test]
    fn a_reply_is_credited_to_one_call_only() {
        let mut conversation = Rested::default();
        let (a, b): (ToolId, ToolId) = ("s/a".parse().unwrap(), "s/b".parse().unwrap());
        let both = vec!["s/a".to_owned(), "s/b".to_owned()];
        keep(&mut conversation.searches, (both.clone(), counted(100)));
        keep(&mut conversation.searches, (both, counted(10)));
        keep(&mut conversation.describes, (a.clone(), counted(5)));
        let mut led = |tool: &ToolId| conversation.led_to(tool).iter().filter_map(|counted| counted.get()).sum::<u64>();
        assert_eq!((led(&a), led(&b), led(&a)), (15, 100, 0), "the last search first, then the one before, then none");
    }
}
