//! The catalog as one immutable snapshot, and the one place where it is replaced.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use super::{Health, ListingChange, Resolution, ServerEntry, ToolEntry, diff, fingerprint::of_listing, lookup::Lookup};
use crate::ids::{ServerName, ToolId};

/// Everything known, at one moment. Immutable; a new one replaces it whole.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Servers that were read at least once.
    pub servers: BTreeMap<ServerName, Arc<ServerEntry>>,
    /// How the last attempts went, for every server ever tried.
    pub health: BTreeMap<ServerName, Health>,
    /// Counts up with every change of a listing.
    pub generation: u64,
    /// Built at the first look-up: a start may need none.
    lookup: OnceLock<Arc<Lookup>>,
}

impl Catalog {
    /// Puts a snapshot together.
    #[must_use]
    pub const fn new(
        servers: BTreeMap<ServerName, Arc<ServerEntry>>,
        health: BTreeMap<ServerName, Health>,
        generation: u64,
    ) -> Self {
        Self { servers, health, generation, lookup: OnceLock::new() }
    }

    /// The tool of this full name.
    #[must_use]
    pub fn tool(&self, id: &ToolId) -> Option<&Arc<ToolEntry>> {
        self.lookup().tool(id)
    }

    /// Every tool, by server name and then in the order of the server's list.
    pub fn tools(&self) -> impl Iterator<Item = &Arc<ToolEntry>> {
        self.servers.values().flat_map(|server| &server.tools)
    }

    /// Every tool of exactly this bare name, by server.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<ToolId> {
        self.lookup().named(name)
    }

    /// What a written name means: `server/tool`, a bare name, or either with case and separators changed, also as
    /// `server.tool`, `server__tool` and `mcp__server__tool`. Never a guess: where several could be meant, all are given.
    #[must_use]
    pub fn resolve(&self, text: &str) -> Resolution {
        self.lookup().resolve(text)
    }

    /// How the last attempt to reach a server went.
    #[must_use]
    pub fn health(&self, server: &ServerName) -> &Health {
        self.health.get(server).unwrap_or(&Health::Unknown)
    }

    /// Age of a server's listing; `None` where it was never read, zero where the clock went back.
    #[must_use]
    pub fn age(&self, server: &ServerName, now: SystemTime) -> Option<Duration> {
        let entry = self.servers.get(server)?;
        Some(now.duration_since(entry.read_at).unwrap_or_default())
    }

    fn lookup(&self) -> &Lookup {
        self.lookup.get_or_init(|| Arc::new(Lookup::new(self.servers.keys(), self.tools())))
    }

    fn with_servers(&self, servers: BTreeMap<ServerName, Arc<ServerEntry>>, generation: u64) -> Self {
        Self::new(servers, self.health.clone(), generation)
    }
}

/// A clone is made to be changed, so it looks up afresh.
impl Clone for Catalog {
    fn clone(&self) -> Self {
        self.with_servers(self.servers.clone(), self.generation)
    }
}

/// The present snapshot. Readers take it whole and keep it as long as they like; changes make a new one.
#[derive(Debug, Default)]
pub struct SharedCatalog {
    current: RwLock<Arc<Catalog>>,
    /// Held while a new snapshot is made from the present one, so that no two changes overwrite each other. Readers
    /// never wait for it.
    changing: Mutex<()>,
}

impl SharedCatalog {
    /// Shares a first snapshot.
    #[must_use]
    pub fn new(catalog: Catalog) -> Self {
        Self { current: RwLock::new(Arc::new(catalog)), changing: Mutex::new(()) }
    }

    /// The present snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a new reading of one server. The generation counts up only if something changed; what did not change stays
    /// byte for byte as it was (see [`ServerEntry::settled`]).
    pub fn replace_server(&self, entry: Arc<ServerEntry>) -> ListingChange {
        self.change(|catalog| {
            let mut servers = catalog.servers.clone();
            let Some(old) = servers.get(&entry.name) else {
                let change = ListingChange::first_reading(&entry);
                servers.insert(entry.name.clone(), entry);
                return (catalog.with_servers(servers, catalog.generation + 1), change);
            };
            let change = diff(old, &entry);
            let changed = of_listing(old) != of_listing(&entry);
            let settled = Arc::unwrap_or_clone(entry).settled(old);
            servers.insert(settled.name.clone(), Arc::new(settled));
            (catalog.with_servers(servers, catalog.generation + u64::from(changed)), change)
        })
    }

    /// Notes how an attempt to reach a server went. No change of a listing.
    pub fn set_health(&self, server: ServerName, health: Health) {
        self.change(|catalog| {
            // The tools are the same, so the look-up is too.
            let mut next = Catalog { lookup: catalog.lookup.clone(), ..catalog.clone() };
            match health {
                Health::Unknown => next.health.remove(&server),
                Health::Good { .. } | Health::Failed { .. } => next.health.insert(server, health),
            };
            (next, ())
        });
    }

    /// Forgets a server. False if nothing was known of it.
    pub fn remove(&self, server: &ServerName) -> bool {
        self.change(|catalog| {
            let mut next = catalog.clone();
            let listed = next.servers.remove(server).is_some();
            let tried = next.health.remove(server).is_some();
            next.generation += u64::from(listed);
            (next, listed || tried)
        })
    }

    /// Takes a snapshot from elsewhere, like one that another process wrote. The generation never goes back.
    pub fn replace(&self, catalog: Catalog) {
        self.change(|old| (Catalog { generation: catalog.generation.max(old.generation), ..catalog }, ()));
    }

    fn change<T>(&self, make: impl FnOnce(&Catalog) -> (Catalog, T)) -> T {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, outcome) = make(&self.current());
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::{Era, JsonObject, RawListing, content_key};

    fn entry(server: &str, tools: Vec<Value>, seconds: u64) -> Arc<ServerEntry> {
        let raw = RawListing {
            era: Era::Legacy,
            protocol_version: "2025-06-18".into(),
            server_info: JsonObject::new(),
            capabilities: JsonObject::new(),
            instructions: None,
            tools,
            prompts: vec![],
            resources: vec![],
            resource_templates: vec![],
            notes: vec![],
        };
        Arc::new(ServerEntry::read(server.parse().unwrap(), raw, UNIX_EPOCH + Duration::from_secs(seconds)))
    }

    fn id(text: &str) -> ToolId {
        text.parse().unwrap()
    }

    #[test]
    fn a_reader_keeps_its_snapshot_while_a_new_one_replaces_it() {
        let shared = SharedCatalog::default();
        shared.replace_server(entry("s", vec![json!({ "name": "old" })], 0));
        let before = shared.current();
        let change = shared.replace_server(entry("s", vec![json!({ "name": "new" })], 1));
        assert_eq!(change.to_string(), "1 added, 1 removed");
        assert!(before.tool(&id("s/old")).is_some() && before.tool(&id("s/new")).is_none());
        let after = shared.current();
        assert!(after.tool(&id("s/old")).is_none() && after.tool(&id("s/new")).is_some());
        assert_eq!((before.generation, after.generation), (1, 2));
    }

    #[test]
    fn only_changes_of_listings_count() {
        let shared = SharedCatalog::default();
        let tools = || vec![json!({ "name": "a", "tags": ["x", "y"] }), json!({ "name": "b" })];
        shared.replace_server(entry("s", tools(), 0));
        let key = content_key(&shared.current());
        let shuffled = vec![json!({ "name": "b" }), json!({ "tags": ["y", "x"], "name": "a" })];
        assert!(shared.replace_server(entry("s", shuffled, 9)).is_empty());
        shared.set_health("s".parse().unwrap(), Health::Good { at: UNIX_EPOCH });
        shared.set_health("t".parse().unwrap(), Health::Good { at: UNIX_EPOCH });
        assert!(shared.remove(&"t".parse().unwrap()));
        assert!(!shared.remove(&"t".parse().unwrap()));

        let catalog = shared.current();
        assert_eq!((catalog.generation, content_key(&catalog)), (1, key));
        let server = &catalog.servers["s"];
        assert_eq!(server.tools[0].definition_text(), r#"{"name":"a","tags":["x","y"]}"#);
        assert_eq!(server.read_at, UNIX_EPOCH + Duration::from_secs(9));
        assert_eq!(catalog.age(&server.name, UNIX_EPOCH), Some(Duration::ZERO));
        assert!(shared.remove(&server.name));
        assert_eq!(shared.current().generation, 2);
    }

    #[test]
    fn a_server_that_fails_stays_searchable() {
        let shared = SharedCatalog::default();
        shared.replace_server(entry("s", vec![json!({ "name": "t" })], 0));
        let failed = Health::Failed { at: UNIX_EPOCH, failures: 2, reason: "exited".into() };
        shared.set_health("s".parse().unwrap(), failed.clone());
        let catalog = shared.current();
        assert_eq!(catalog.health(&"s".parse().unwrap()), &failed);
        assert_eq!(catalog.health(&"other".parse().unwrap()), &Health::Unknown);
        assert_eq!(catalog.resolve("t"), Resolution::One(id("s/t")));
        assert_eq!(catalog.named("t"), [id("s/t")]);
        assert_eq!(catalog.named("T"), []);
    }

    #[test]
    fn a_snapshot_from_elsewhere_never_turns_the_generation_back() {
        let shared = SharedCatalog::new(Catalog::new(BTreeMap::new(), BTreeMap::new(), 7));
        shared.replace(Catalog::default());
        assert_eq!(shared.current().generation, 7);
        shared.replace(Catalog::new(BTreeMap::new(), BTreeMap::new(), 9));
        assert_eq!(shared.current().generation, 9);
    }

    #[test]
    fn a_changed_clone_looks_up_afresh() {
        let shared = SharedCatalog::default();
        shared.replace_server(entry("s", vec![json!({ "name": "t" })], 0));
        let first = shared.current();
        assert!(first.tool(&id("s/t")).is_some());
        let mut second = (*first).clone();
        second.servers.clear();
        assert!(second.tool(&id("s/t")).is_none());
    }

    #[test]
    fn changes_from_many_threads_are_all_kept() {
        let shared = SharedCatalog::default();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let shared = &shared;
                scope.spawn(move || shared.replace_server(entry(&format!("s{number}"), vec![], 0)));
            }
        });
        assert_eq!((shared.current().servers.len(), shared.current().generation), (8, 8));
    }
}
