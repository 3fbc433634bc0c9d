//! Clients between their requests: what a backend with a handshake logs then belongs to no call, and is for those who called before.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::Caller;
use crate::catalog::JsonObject;

/// Clients of one session that are remembered. Those that are gone make room.
const MOST: usize = 256;

/// A client between its requests.
pub trait Bystander: fmt::Debug + Send + Sync {
    /// `params` of a `notifications/message`, as sent. Must not wait.
    fn log(&self, params: JsonObject);
}

/// Those who called in one conversation, and are still there.
#[derive(Debug, Default)]
pub(super) struct Bystanders(Mutex<HashMap<u64, Weak<dyn Bystander>>>);

impl Bystanders {
    /// Remembers the client of a call, if it wants to hear anything afterwards.
    pub(super) fn remember(&self, caller: &dyn Caller) {
        let Some(client) = caller.bystander() else { return };
        let mut known = self.known();
        if known.len() >= MOST {
            known.retain(|_, client| client.strong_count() > 0);
        }
        if known.len() < MOST {
            known.insert(caller.client(), client);
        }
    }

    /// Those who are still there.
    pub(super) fn all(&self) -> Vec<Arc<dyn Bystander>> {
        self.known().values().filter_map(Weak::upgrade).collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Weak<dyn Bystander>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
