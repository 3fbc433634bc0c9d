//! Sessions of clients with a handshake: found by their ids, ended when told, when idle for long, and when there are too many.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use super::{
    guard,
    limits::Limits,
    refusal::Refusal,
    stream::{Kept, Room, Stream},
    token,
};
use crate::{
    broker::{
        Conversation,
        front::{Client, Front},
    },
    ids::ServerName,
};

/// Carries a session's id.
pub(super) const HEADER: HeaderName = HeaderName::from_static("mcp-session-id");

/// The stream of what is said unasked.
const UNASKED: u64 = 0;

/// All sessions of a server.
#[derive(Debug)]
pub(super) struct Sessions {
    limits: Limits,
    kept: Arc<Kept>,
    all: Mutex<HashMap<String, Arc<Session>>>,
}

/// What one client began with `initialize`.
pub(super) struct Session {
    id: String,
    place: Option<ServerName>,
    front: Front,
    client: Arc<Client>,
    limits: Limits,
    room: Room,
    unasked: Arc<Stream>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    used: Instant,
    next_stream: u64,
    /// Streams that answer, by number.
    streams: BTreeMap<u64, Arc<Stream>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is as good as a password.
        f.debug_struct("Session").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Sessions {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), kept: Arc::default(), all: Mutex::default() }
    }

    /// A session that is not among the others yet.
    pub(super) fn begin(&self, place: Option<ServerName>, front: Front) -> Result<Arc<Session>, Refusal> {
        let id = token::random_text("").ok_or(Refusal::NoChance)?;
        let room = Room::new(&self.limits, &self.kept);
        let unasked = Stream::unasked(UNASKED, room.clone());
        let client = Arc::new(Client::new(Arc::new(Conversation::local()), Arc::<Stream>::clone(&unasked)));
        let state = Mutex::new(State { used: Instant::now(), next_stream: UNASKED + 1, streams: BTreeMap::new() });
        Ok(Arc::new(Session { id, place, front, client, limits: self.limits.clone(), room, unasked, state }))
    }

    /// Takes a session among the others. Where there are too many, the one that was idle for longest ends.
    pub(super) fn add(&self, session: &Arc<Session>) -> Result<(), Refusal> {
        let mut all = self.all();
        if all.len() >= self.limits.sessions {
            let idle = all.values().filter(|other| !other.is_busy()).min_by_key(|other| other.state().used);
            let id = idle.map(|idle| idle.id.clone()).ok_or(Refusal::TooManySessions)?;
            if let Some(idle) = all.remove(&id) {
                idle.end();
            }
        }
        all.insert(session.id.clone(), Arc::clone(session));
        Ok(())
    }

    /// The session that a request names, in this place. It is in use by that.
    pub(super) fn named(&self, headers: &HeaderMap, place: Option<&ServerName>) -> Result<Arc<Session>, Refusal> {
        let id = guard::only(headers, &HEADER).map_err(|()| Refusal::UnknownSession)?.ok_or(Refusal::NoSession)?;
        let session = self.all().get(id).cloned().filter(|session| session.place.as_ref() == place);
        let session = session.filter(|session| session.is_busy() || !session.is_idle());
        let session = session.ok_or(Refusal::UnknownSession)?;
        session.state().used = Instant::now();
        Ok(session)
    }

    /// Ends a session for good.
    pub(super) fn remove(&self, session: &Session) {
        self.all().remove(&session.id);
        session.end();
    }

    /// Ends what has been idle for too long, and forgets streams that nobody will resume.
    pub(super) fn sweep(&self) {
        self.all().retain(|_, session| {
            session.tidy();
            let stays = session.is_busy() || !session.is_idle();
            if !stays {
                session.end();
            }
            stays
        });
    }

    /// Nothing more comes from any client; what is open may still be answered.
    pub(super) fn hang_up(&self) {
        for session in self.all().values() {
            session.client.hung_up();
            session.unasked.end();
        }
    }

    /// Ends all.
    pub(super) fn end(&self) {
        for (_, session) in self.all().drain() {
            session.end();
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) const fn front(&self) -> &Front {
        &self.front
    }

    pub(super) const fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The protocol version that was agreed.
    pub(super) fn version(&self) -> &'static str {
        self.client.version().unwrap_or_default()
    }

    /// The stream of what is said unasked.
    pub(super) const fn unasked(&self) -> &Arc<Stream> {
        &self.unasked
    }

    /// A stream for so many answers. The oldest that has ended gives way where too many are kept.
    pub(super) fn open_stream(&self, answers: usize) -> Arc<Stream> {
        self.tidy();
        let mut state = self.state();
        while state.streams.len() >= self.limits.streams {
            let Some(ended) = state.streams.values().find(|stream| stream.is_finished()).map(|stream| stream.number())
            else {
                // As many as there are requests open, which are counted elsewhere.
                break;
            };
            state.streams.remove(&ended);
        }
        let number = state.next_stream;
        state.next_stream += 1;
        let stream = Stream::answering(number, answers, self.room.clone());
        state.streams.insert(number, Arc::clone(&stream));
        stream
    }

    /// The stream of this number, if it is still kept.
    pub(super) fn stream(&self, number: u64) -> Option<Arc<Stream>> {
        if number == UNASKED {
            return Some(Arc::clone(&self.unasked));
        }
        self.tidy();
        self.state().streams.get(&number).cloned()
    }

    /// Forgets a stream that cannot be resumed, or need not be.
    pub(super) fn forget(&self, stream: &Stream) {
        self.state().streams.remove(&stream.number());
    }

    /// Forgets streams that ended long ago, and where room is tight every one that was given out whole.
    fn tidy(&self) {
        let (kept_for, is_tight) = (self.limits.kept_for, self.room.is_tight());
        self.state().streams.retain(|_, stream| {
            let goes = stream.ended_before(kept_for) || is_tight && stream.is_finished();
            !goes || stream.is_read()
        });
    }

    fn is_busy(&self) -> bool {
        self.client.is_waiting()
            || self.unasked.is_read()
            || self.state().streams.values().any(|stream| stream.is_read())
    }

    fn is_idle(&self) -> bool {
        self.state().used.elapsed() >= self.limits.session_idle
    }

    fn end(&self) {
        self.client.hung_up();
        self.client.end();
        self.unasked.end();
        for stream in self.state().streams.values() {
            stream.end();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
