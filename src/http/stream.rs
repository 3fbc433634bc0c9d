//! One stream of messages to a client with a session: written by whoever answers, read over a connection, and over another one where
//! that broke. What was sent is kept for a while, within limits.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use tokio::{sync::Notify, time::Instant};

use super::{limits::Limits, sse::EventId};
use crate::broker::front::Outlet;

/// Bytes kept of all streams of a server.
#[derive(Debug, Default)]
pub(super) struct Kept(AtomicUsize);

/// What a stream may keep.
#[derive(Debug, Clone)]
pub(super) struct Room {
    messages: usize,
    bytes: usize,
    all_bytes: usize,
    kept: Arc<Kept>,
}

impl Room {
    pub(super) fn new(limits: &Limits, kept: &Arc<Kept>) -> Self {
        Self {
            messages: limits.stream_messages,
            bytes: limits.stream_bytes,
            all_bytes: limits.all_bytes,
            kept: Arc::clone(kept),
        }
    }

    fn kept_bytes(&self) -> usize {
        self.kept.0.load(Ordering::Relaxed)
    }

    /// Whether half of what may be kept of all streams is.
    pub(super) fn is_tight(&self) -> bool {
        self.kept_bytes() >= self.all_bytes / 2
    }
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    number: u64,
    room: Room,
    state: Mutex<State>,
    /// Something was written, was read, or is over.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    events: VecDeque<Event>,
    bytes: usize,
    /// Number of the next event. 0 is the place before the first.
    next: u64,
    /// Events before this one were given to a connection.
    given: u64,
    /// Who reads; the latest counts.
    reader: u64,
    is_read: bool,
    /// Answers that still have to come; a stream that answers nothing has no end of its own.
    awaited: Option<usize>,
    ended: Option<Instant>,
}

/// A message as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) number: u64,
    pub(super) json: Arc<str>,
    /// It is what the client waits for.
    pub(super) is_answer: bool,
    /// It wants no answer and may be lost where too much is to be kept.
    is_note: bool,
}

/// Reads a stream over one connection.
#[derive(Debug)]
pub(super) struct Reader {
    stream: Arc<Stream>,
    number: u64,
    next: u64,
}

enum Written {
    Done,
    Full,
    Gone,
}

impl Stream {
    /// A stream for so many answers.
    pub(super) fn answering(number: u64, answers: usize, room: Room) -> Arc<Self> {
        Self::new(number, Some(answers), room)
    }

    /// A stream for what is said unasked.
    pub(super) fn unasked(number: u64, room: Room) -> Arc<Self> {
        Self::new(number, None, room)
    }

    fn new(number: u64, awaited: Option<usize>, room: Room) -> Arc<Self> {
        let state = State {
            events: VecDeque::new(),
            bytes: 0,
            next: 1,
            given: 1,
            reader: 0,
            is_read: false,
            awaited,
            ended: None,
        };
        Arc::new(Self { number, room, state: Mutex::new(state), changed: Notify::new() })
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Whether a connection reads it.
    pub(super) fn is_read(&self) -> bool {
        self.state().is_read
    }

    /// Whether nothing will be written any more, and has not been for so long.
    pub(super) fn ended_before(&self, time: Duration) -> bool {
        self.state().ended.is_some_and(|at| at.elapsed() >= time)
    }

    /// Whether it has ended and everything of it was given to a connection.
    pub(super) fn is_finished(&self) -> bool {
        let state = self.state();
        state.ended.is_some() && state.given == state.next
    }

    /// Writes an answer, or notes that there is none because the client wants none. The last one ends the stream.
    pub(super) fn answered(&self, answer: Option<&Value>) {
        let mut state = self.state();
        if state.ended.is_some() {
            return;
        }
        if let Some(answer) = answer {
            let event = Event { number: state.next, json: answer.to_string().into(), is_answer: true, is_note: false };
            self.push(&mut state, event);
        }
        let left = state.awaited.map_or(0, |awaited| awaited.saturating_sub(1));
        state.awaited = Some(left);
        if left == 0 {
            state.ended = Some(Instant::now());
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends it, whatever was still to come.
    pub(super) fn end(&self) {
        self.state().ended.get_or_insert_with(Instant::now);
        self.changed.notify_waiters();
    }

    /// Reads it from after this event; `None` means what no connection was given yet. Whoever read it before reads no more.
    pub(super) fn read(self: &Arc<Self>, after: Option<u64>) -> Reader {
        let mut state = self.state();
        state.reader += 1;
        state.is_read = true;
        let next = after.map_or(state.given, |after| after.saturating_add(1));
        let reader = Reader { stream: Arc::clone(self), number: state.reader, next };
        drop(state);
        self.changed.notify_waiters();
        reader
    }

    fn write(&self, event: &Event) -> Written {
        let mut state = self.state();
        if state.ended.is_some() {
            return Written::Gone;
        }
        // One that is longer than all that may be kept goes alone.
        while !state.events.is_empty() && !self.fits(&state, event.json.len()) {
            let front_was_given = state.events.front().is_some_and(|first| first.number < state.given);
            let lost = if front_was_given {
                Some(0)
            } else if state.is_read {
                return Written::Full;
            } else {
                // Nobody reads: what is only news gives way to what comes after it.
                state.events.iter().position(|kept| kept.is_note)
            };
            match lost.and_then(|at| state.events.remove(at)) {
                Some(lost) => self.forget(&mut state, &lost),
                None => return Written::Gone,
            }
        }
        let event = Event { number: state.next, ..event.clone() };
        self.push(&mut state, event);
        drop(state);
        self.changed.notify_waiters();
        Written::Done
    }

    fn fits(&self, state: &State, more: usize) -> bool {
        state.events.len() < self.room.messages
            && state.bytes + more <= self.room.bytes
            && self.room.kept_bytes() + more <= self.room.all_bytes
    }

    fn push(&self, state: &mut State, event: Event) {
        state.bytes += event.json.len();
        self.room.kept.0.fetch_add(event.json.len(), Ordering::Relaxed);
        state.next += 1;
        state.events.push_back(event);
    }

    fn forget(&self, state: &mut State, event: &Event) {
        state.bytes -= event.json.len();
        self.room.kept.0.fetch_sub(event.json.len(), Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let bytes = self.state().bytes;
        self.room.kept.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[async_trait]
impl Outlet for Stream {
    async fn send(&self, message: Value) -> bool {
        let is_note = message.get("id").is_none();
        let event = Event { number: 0, json: message.to_string().into(), is_answer: false, is_note };
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.write(&event) {
                Written::Done => return true,
                Written::Gone => return false,
                Written::Full => changed.await,
            }
        }
    }
}

impl Reader {
    /// Where it stands: the event that it gave last.
    pub(super) fn place(&self) -> EventId {
        EventId { stream: self.stream.number, event: self.next.saturating_sub(1) }
    }

    /// The id of an event of this stream.
    pub(super) fn id(&self, event: &Event) -> EventId {
        EventId { stream: self.stream.number, event: event.number }
    }

    /// The next event; `None` at the end, and where another reader has taken over.
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            let mut changed = std::pin::pin!(self.stream.changed.notified());
            changed.as_mut().enable();
            {
                let mut state = self.stream.state();
                if state.reader != self.number {
                    return None;
                }
                let at = state.events.partition_point(|event| event.number < self.next);
                if let Some(event) = state.events.get(at).cloned() {
                    self.next = event.number + 1;
                    state.given = state.given.max(self.next);
                    drop(state);
                    self.stream.changed.notify_waiters();
                    return Some(event);
                }
                if state.ended.is_some() {
                    return None;
                }
            }
            changed.await;
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.stream.state();
        if state.reader == self.number {
            state.is_read = false;
        }
        drop(state);
        // Whoever waits for it to read waits for nothing.
        self.stream.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
