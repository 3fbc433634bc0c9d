//! The catalog and its search index as the broker uses them: read from disk at the start, replaced whole when servers are
//! read again.
//!
//! SQLite is the truth; the index beside it is disposable and rebuilt when missing, outdated or damaged.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError, RwLock},
    time::SystemTime,
};

use tokio::{sync::Mutex, task};
use toolcrib_index::{Index, IndexError, ToolDocument};
use tracing::{info, warn};

use super::{asides::Asides, crib};
use crate::{
    backends::BackendError,
    catalog::{
        Catalog, Era, Health, ListingChange, RawListing, Resolution, ServerEntry, SharedCatalog, ToolEntry, content_key,
    },
    config::{ServerSpec, Settings},
    ids::{BUILT_IN_SERVER, ServerName, ToolId},
    policy,
    registry::{Registry, RegistryError},
};

/// Everything that is known of the configured servers, and the way to find a tool in it.
#[derive(Debug)]
pub struct Library {
    settings: Arc<Settings>,
    registry: Arc<Registry>,
    index_dir: PathBuf,
    /// What the registry holds, the unconfigured included.
    known: SharedCatalog,
    /// What of it is offered.
    offered: RwLock<Arc<Catalog>>,
    /// The era that each server spoke last: met by this process, else as the registry has it.
    eras: StdMutex<BTreeMap<ServerName, Era>>,
    /// toolcrib's own server, which every search finds too.
    built_in: Arc<Catalog>,
    /// The index over the offered part, with the generation it was built for. Locked while one is opened or built, so
    /// that two searches at the start do not build two.
    index: Mutex<Option<(u64, Arc<Index>)>>,
    /// What was worked out about the offered part, with its generation.
    asides: RwLock<(u64, Arc<Asides>)>,
}

/// What became of reading one server.
#[derive(Debug)]
pub struct Reading {
    /// Which server.
    pub server: ServerName,
    /// Its answers, or why there are none.
    pub outcome: Result<RawListing, BackendError>,
}

impl Library {
    /// Reads the catalog from the registry. The index is opened by the first search.
    ///
    /// # Errors
    /// Where the registry cannot be read.
    pub fn open(settings: Arc<Settings>, registry: Arc<Registry>, index_dir: PathBuf) -> Result<Self, RegistryError> {
        let known = registry.load()?;
        let mut eras: BTreeMap<_, _> =
            known.servers.iter().map(|(server, entry)| (server.clone(), entry.era)).collect();
        match registry.load_eras() {
            Ok(spoken) => eras.extend(spoken),
            // A wrong guess costs a retry.
            Err(error) => warn!(error = %error, "the servers' eras could not be read"),
        }
        let offered = policy::offered(&known, &settings);
        let built_in = Arc::new(crib::catalog(settings.crib));
        Ok(Self {
            built_in,
            eras: StdMutex::new(eras),
            settings,
            registry,
            index_dir,
            known: SharedCatalog::new(known),
            offered: RwLock::new(Arc::new(offered)),
            index: Mutex::new(None),
            asides: RwLock::default(),
        })
    }

    /// The checked settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store behind the library.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The offered part of the catalog, as it is now.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.offered.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a written name means, see [`Catalog::resolve`]. A built-in tool is meant where its server is named or where no other
    /// tool is.
    #[must_use]
    pub fn resolve(&self, text: &str) -> Resolution {
        let own = self.built_in.resolve(text);
        let names_it = text.trim().split_once('/').is_some_and(|(server, _)| server == BUILT_IN_SERVER);
        match (own, self.catalog().resolve(text)) {
            (own @ Resolution::One(_), _) if names_it => own,
            (own @ Resolution::One(_), Resolution::None { .. }) => own,
            (_, other) => other,
        }
    }

    /// The tool of this full name, offered or built in.
    #[must_use]
    pub fn tool(&self, id: &ToolId) -> Option<Arc<ToolEntry>> {
        self.catalog().tool(id).or_else(|| self.built_in.tool(id)).cloned()
    }

    /// The tools of a server, offered or built in; empty where nothing is known of it.
    #[must_use]
    pub fn tools_of(&self, server: &ServerName) -> Vec<Arc<ToolEntry>> {
        let catalog = self.catalog();
        let entry = catalog.servers.get(server).or_else(|| self.built_in.servers.get(server));
        entry.map(|entry| entry.tools.clone()).unwrap_or_default()
    }

    /// The name of toolcrib's own server, if it has tools.
    #[must_use]
    pub fn built_in_server(&self) -> Option<&ServerName> {
        self.built_in.servers.keys().next()
    }

    /// Enabled servers that were never read, or too long ago.
    #[must_use]
    pub fn due(&self, now: SystemTime) -> Vec<ServerSpec> {
        let known = self.known.current();
        let enabled = self.settings.servers.values().filter(|spec| spec.enabled);
        let due =
            enabled.filter(|spec| known.age(&spec.name, now).is_none_or(|age| age >= self.settings.refresh.after));
        due.cloned().collect()
    }

    /// Takes what a server answered into registry and catalog, and gives what changed; nothing where it did not answer. The index
    /// follows with the next [`Library::index`].
    ///
    /// # Errors
    /// Where the registry cannot be written; the catalog in memory is up to date all the same.
    pub async fn take(&self, reading: Reading, now: SystemTime) -> Result<Option<ListingChange>, RegistryError> {
        let Reading { server, outcome } = reading;
        let listing = match outcome {
            Ok(listing) => listing,
            Err(error) => return self.failed(&server, &error, now).await.map(|()| None),
        };
        let era = listing.era;
        let entry = Arc::new(ServerEntry::read(server.clone(), listing, now));
        info!(server.name = %server, tools = entry.tools.len(), "server read");
        let change = self.known.replace_server(Arc::clone(&entry));
        self.known.set_health(server.clone(), Health::Good { at: now });
        self.narrow();
        self.spoken().insert(server.clone(), era);
        self.registry.save_listing(entry).await?;
        self.registry.remember_era(server.clone(), era).await?;
        self.registry.record_health(server, Health::Good { at: now }).await?;
        Ok(Some(change))
    }

    /// Notes that a server could not be reached. Its listing stays: it remains searchable.
    ///
    /// # Errors
    /// Where the registry cannot be written.
    pub async fn failed(
        &self,
        server: &ServerName,
        error: &BackendError,
        now: SystemTime,
    ) -> Result<(), RegistryError> {
        let before = match self.known.current().health(server) {
            Health::Failed { failures, .. } => *failures,
            Health::Good { .. } | Health::Unknown => 0,
        };
        let health = Health::Failed { at: now, failures: before.saturating_add(1), reason: error.in_short() };
        self.known.set_health(server.clone(), health.clone());
        self.narrow();
        self.registry.record_health(server.clone(), health).await
    }

    /// Notes that a server works again, if it was known to fail.
    ///
    /// # Errors
    /// Where the registry cannot be written.
    pub async fn recovered(&self, server: &ServerName, now: SystemTime) -> Result<(), RegistryError> {
        if matches!(self.known.current().health(server), Health::Good { .. }) {
            return Ok(());
        }
        self.known.set_health(server.clone(), Health::Good { at: now });
        self.narrow();
        self.registry.record_health(server.clone(), Health::Good { at: now }).await
    }

    /// Notes which era a server speaks, where that is news: the next process then greets it so at once.
    pub async fn spoke(&self, server: &ServerName, era: Era) {
        let is_news = self.spoken().insert(server.clone(), era) != Some(era);
        if is_news && let Err(error) = self.registry.remember_era(server.clone(), era).await {
            warn!(server.name = %server, error = %error, "the server's era could not be stored");
        }
    }

    /// The era that each server spoke last.
    #[must_use]
    pub fn eras(&self) -> BTreeMap<ServerName, Era> {
        self.spoken().clone()
    }

    fn spoken(&self) -> MutexGuard<'_, BTreeMap<ServerName, Era>> {
        self.eras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index over the offered catalog: the open one, else the one on disk, else a new one. Where the disk refuses, one
    /// in memory.
    ///
    /// Dropping the future leaves an index that is being built to finish on its own.
    ///
    /// # Errors
    /// Where none can be built, not even in memory.
    pub async fn index(&self) -> Result<Arc<Index>, IndexError> {
        let mut open = self.index.lock().await;
        let catalog = self.catalog();
        if let Some((generation, index)) = open.as_ref()
            && *generation == catalog.generation
        {
            return Ok(Arc::clone(index));
        }
        let (dir, settings) = (self.index_dir.clone(), Arc::clone(&self.settings));
        let catalogs = [Arc::clone(&catalog), Arc::clone(&self.built_in)];
        let built = task::spawn_blocking(move || open_or_build(&dir, &catalogs, &settings)).await;
        // A panic in there must not take the broker down; the next search tries again.
        let index = Arc::new(built.map_err(|panic| IndexError::Build { source: panic.into() })??);
        *open = Some((catalog.generation, Arc::clone(&index)));
        Ok(index)
    }

    /// What is said beside the tools of this catalog.
    pub(super) fn asides(&self, catalog: &Catalog) -> Arc<Asides> {
        {
            let known = self.asides.read().unwrap_or_else(PoisonError::into_inner);
            if known.0 == catalog.generation {
                return Arc::clone(&known.1);
            }
        }
        let new = Arc::<Asides>::default();
        *self.asides.write().unwrap_or_else(PoisonError::into_inner) = (catalog.generation, Arc::clone(&new));
        new
    }

    /// Makes the offered part anew after a change.
    fn narrow(&self) {
        let offered = Arc::new(policy::offered(&self.known.current(), &self.settings));
        *self.offered.write().unwrap_or_else(PoisonError::into_inner) = offered;
    }
}

fn open_or_build(dir: &Path, catalogs: &[Arc<Catalog>], settings: &Settings) -> Result<Index, IndexError> {
    let summaries: Vec<&str> = settings.servers.values().filter_map(|spec| spec.summary.as_deref()).collect();
    // Summaries are searched too, so a change of one outdates the index.
    let contents: Vec<String> = catalogs.iter().map(|catalog| content_key(catalog)).collect();
    let key = format!("{}-{}", contents.join("-"), summaries.join("\n"));
    match Index::open(dir, &key) {
        Err(error) if error.is_cured_by_building() => {}
        opened => return opened,
    }
    let documents = documents(catalogs, settings);
    match Index::build(dir, &documents, &key) {
        Ok(index) => Ok(index),
        Err(error) => {
            warn!(error = %error, "the search index is kept in memory only");
            Index::in_memory(&documents)
        }
    }
}

fn documents(catalogs: &[Arc<Catalog>], settings: &Settings) -> Vec<ToolDocument> {
    let mut documents = Vec::with_capacity(catalogs.iter().map(|catalog| catalog.tools().count()).sum());
    for (name, server) in catalogs.iter().flat_map(|catalog| &catalog.servers) {
        let summary = settings.servers.get(name).and_then(|spec| spec.summary.clone());
        let own = || server.server_info.get("description")?.as_str().map(Into::into);
        let said = summary.or_else(own).or_else(|| server.instructions.clone()).unwrap_or_default();
        for tool in &server.tools {
            let mut definition = tool.parse_definition();
            documents.push(ToolDocument {
                id: tool.id.to_string(),
                server: name.to_string(),
                name: tool.name().to_string(),
                title: tool.title().map(Into::into),
                description: tool.description().into(),
                input_schema: definition.remove("inputSchema").unwrap_or_default(),
                server_description: said.clone(),
            });
        }
    }
    documents
}
