//! Reads the lists of many backends: several at once, a deadline each, every session closed afterwards.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream};

use super::{BackendError, ClientCapabilities, Connect};
use crate::{
    catalog::{Era, RawListing},
    config::ServerSpec,
    ids::ServerName,
};

/// How long a session may take to end once it is read.
const GRACE: Duration = Duration::from_secs(5);

/// Reads each backend and yields it as soon as it is done. One that hangs costs only its own deadline.
///
/// Dropping the stream ends the conversations under way.
pub fn read_all(
    connector: Arc<dyn Connect>,
    specs: Vec<ServerSpec>,
    eras: HashMap<ServerName, Era>,
    concurrency: usize,
) -> impl Stream<Item = (ServerName, Result<RawListing, BackendError>)> + Send {
    stream::iter(specs)
        .map(move |spec| {
            let connector = Arc::clone(&connector);
            let era = eras.get(&spec.name).copied();
            async move {
                let listing = read(connector.as_ref(), &spec, era).await;
                (spec.name, listing)
            }
        })
        .buffer_unordered(concurrency)
}

/// Connects, reads every list, and closes.
///
/// # Errors
/// Where the backend cannot be opened or its tools cannot be listed.
pub async fn read(connector: &dyn Connect, spec: &ServerSpec, era: Option<Era>) -> Result<RawListing, BackendError> {
    let session = connector.connect(spec, era, &ClientCapabilities::everything()).await?;
    let listing = session.listing(spec.start_timeout).await;
    session.close(GRACE).await;
    listing
}
