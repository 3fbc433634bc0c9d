//! A request on its way to a backend: leased, asked, its outcome noted. Nothing before the lease touches a backend.

use std::time::SystemTime;

use tracing::warn;

use super::{Broker, Hop};
use crate::{
    backends::{BackendError, Request},
    catalog::JsonObject,
    config::ServerSpec,
};

/// Largest parameters sent to a backend, in bytes of JSON.
const MAX_PARAMS_BYTES: usize = 1024 * 1024;

impl Broker {
    /// Makes a request of a backend for a client.
    ///
    /// Dropping the future cancels it.
    pub(super) async fn ask_backend(
        &self,
        spec: &ServerSpec,
        request: Request,
        hop: Hop,
    ) -> Result<JsonObject, BackendError> {
        let Hop { meta, caller, answers } = hop;
        if serde_json::to_vec(&request.params).map_or(0, |bytes| bytes.len()) > MAX_PARAMS_BYTES {
            return Err(BackendError::Unsupported { server: spec.name.clone(), what: "arguments over 1 MiB" });
        }
        let request = Request { meta, answers, ..request };
        let outcome = async {
            let lease = self.pool.lease(spec, &caller.capabilities()).await?;
            self.library.spoke(&spec.name, lease.session().era()).await;
            let outcome = lease.session().request(request, caller).await;
            self.pool.note(&spec.name, outcome.as_ref().map(drop));
            outcome
        }
        .await;
        let noted = match &outcome {
            Err(failure) if failure.counts_against_health() => {
                self.library.failed(&spec.name, failure, SystemTime::now()).await
            }
            Ok(_) => self.library.recovered(&spec.name, SystemTime::now()).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = noted {
            warn!(server.name = %spec.name, error = %error, "the server's health could not be noted");
        }
        outcome
    }
}
