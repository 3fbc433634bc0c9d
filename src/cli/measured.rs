//! What the ledger counted, joined with what servers would have cost directly: the figures of `usage` and `footprint`.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;

use crate::{
    broker::Broker,
    economy::{
        self, Footprint,
        pins::{self, PinCandidate},
    },
    ids::{ServerName, ToolId, ToolName},
    registry::{Amounts, Ledger, RegistryError},
};

/// Days below which nothing is said of unused servers, unless fewer were asked for: a week has a Monday.
const TELLING_DAYS: u64 = 7;

const DAY: Duration = Duration::from_secs(86_400);

/// What was measured in some days.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    /// Days asked for, today included.
    pub days: u32,
    /// When it was looked at.
    pub now: SystemTime,
    /// Totals of all conversations.
    pub ledger: Ledger,
    /// Every server that takes part or was used in these days, by name.
    pub servers: Vec<ServerUse>,
}

/// One server's part.
#[derive(Debug, Clone)]
pub(super) struct ServerUse {
    /// The server.
    pub name: ServerName,
    /// Whether it is configured and enabled now.
    pub takes_part: bool,
    /// o200k_base tokens of its definitions as they are known now; `None` where it was never read or left the configuration.
    pub direct_tokens: Option<u64>,
    /// The server and its tools together.
    pub amounts: Amounts,
    /// When counting began for it.
    pub first_seen: Option<SystemTime>,
    /// Its last call.
    pub last_used: Option<SystemTime>,
    /// Its tools that were shown, described, called or pinned, by name.
    pub tools: Vec<ToolUse>,
}

/// One tool's part.
#[derive(Debug, Clone)]
pub(super) struct ToolUse {
    /// The tool.
    pub name: ToolName,
    /// What was counted.
    pub amounts: Amounts,
    /// Its last call.
    pub last_used: Option<SystemTime>,
}

/// The amounts as a program reads them. All tokens are o200k_base.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AmountsJson {
    conversations: u64,
    start_tokens: u64,
    searches: u64,
    search_tokens: u64,
    describes: u64,
    describe_tokens: u64,
    calls: u64,
    errors: u64,
    used_in_conversations: u64,
    result_tokens: u64,
    kept_out_tokens: u64,
}

impl Measured {
    /// Reads the ledger. `footprint` spares counting the definitions again, which takes a second before thousands of tools.
    pub(super) async fn read(broker: &Broker, days: u32, footprint: Option<&Footprint>) -> Result<Self, RegistryError> {
        let library = broker.library();
        let now = SystemTime::now();
        let ledger = library.registry().ledger(days, now).await?;
        let catalog = library.catalog();
        let mut servers: BTreeMap<ServerName, ServerUse> = BTreeMap::new();
        for spec in library.settings().servers.values().filter(|spec| spec.enabled) {
            servers.insert(spec.name.clone(), ServerUse::new(spec.name.clone(), true));
        }
        for entry in &ledger.entries {
            let server =
                servers.entry(entry.server.clone()).or_insert_with(|| ServerUse::new(entry.server.clone(), false));
            // A pinned tool's start is its own, and its conversations are not more conversations of the server.
            let conversations = server.amounts.conversations;
            server.amounts = server.amounts.plus(&entry.amounts);
            server.last_used = server.last_used.max(entry.last_used);
            match &entry.tool {
                None => server.first_seen = Some(entry.first_seen),
                Some(tool) => {
                    server.amounts.conversations = conversations;
                    if entry.amounts != Amounts::default() {
                        let (name, amounts) = (tool.clone(), entry.amounts);
                        server.tools.push(ToolUse { name, amounts, last_used: entry.last_used });
                    }
                }
            }
        }
        servers.retain(|_, server| server.takes_part || server.amounts != Amounts::default());
        for server in servers.values_mut() {
            let counted = footprint.and_then(|all| all.servers.iter().find(|one| one.server == server.name));
            let count = || catalog.servers.get(&server.name).map(|entry| economy::direct_tokens(entry));
            server.direct_tokens = counted.map(|one| one.direct_tokens).or_else(count).map(|tokens| tokens as u64);
        }
        Ok(Self { days, now, ledger, servers: servers.into_values().collect() })
    }

    /// Whether no conversation was counted in these days.
    pub(super) const fn is_empty(&self) -> bool {
        self.ledger.conversations == 0
    }

    /// Servers that take part, were never called in these days, and had the chance: they took part from their beginning, or
    /// since counting began. The dearest first.
    pub(super) fn unused(&self) -> Vec<&ServerUse> {
        let begin = self.begin();
        let had_the_chance = |server: &&ServerUse| server.first_seen.is_some_and(|seen| seen <= begin);
        let uncalled = self.servers.iter().filter(|server| server.takes_part && server.amounts.calls == 0);
        let mut unused: Vec<&ServerUse> =
            uncalled.filter(|server| server.amounts.conversations > 0).filter(had_the_chance).collect();
        unused.sort_by_key(|server| (std::cmp::Reverse(server.direct()), server.name.clone()));
        unused
    }

    /// Whether counting began after the days asked for.
    pub(super) fn is_short(&self) -> bool {
        self.ledger.since.is_some_and(|since| since > self.first_day())
    }

    /// Whether counting began so lately that a server without a call says nothing.
    pub(super) fn is_too_early(&self) -> bool {
        self.is_short() && self.ledger.since.is_some_and(|since| days_between(since, self.now) + 1 < TELLING_DAYS)
    }

    /// The days that were really counted, in words: `the last 30 days`, `the 6 days since counting began`.
    pub(super) fn span(&self) -> String {
        match self.ledger.since.filter(|_| self.is_short()) {
            Some(since) => match days_between(since, self.now) + 1 {
                1 => "today, the first day counted".into(),
                days => format!("in the {days} days since counting began"),
            },
            None if self.days == 1 => "today".into(),
            None => format!("in the last {} days", self.days),
        }
    }

    /// What heads the column of tokens that were read.
    pub(super) fn read_header(&self) -> String {
        if self.days == 1 { "read today".into() } else { format!("read in {} days", self.days) }
    }

    /// How many conversations were counted, in words.
    pub(super) fn conversations(&self) -> String {
        match self.ledger.conversations {
            1 => "1 conversation".into(),
            number => format!("{} conversations", grouped(number)),
        }
    }

    /// What all conversations would have begun with, had each loaded its servers directly.
    pub(super) fn direct(&self) -> u64 {
        self.servers.iter().map(ServerUse::direct).sum()
    }

    /// What was read instead: starts, searches, describes. Results are the same either way, but for what the budget kept out.
    pub(super) fn read_instead(&self) -> u64 {
        self.ledger.start_tokens + self.ledger.search_tokens + self.describe_tokens()
    }

    /// o200k_base tokens of all descriptions.
    pub(super) fn describe_tokens(&self) -> u64 {
        self.servers.iter().map(|server| server.amounts.describe_tokens).sum()
    }

    /// o200k_base tokens of all results that reached a model.
    pub(super) fn result_tokens(&self) -> u64 {
        self.servers.iter().map(|server| server.amounts.result_tokens).sum()
    }

    /// o200k_base tokens of results that were kept out of the context.
    pub(super) fn kept_out_tokens(&self) -> u64 {
        self.servers.iter().map(|server| server.amounts.kept_out_tokens()).sum()
    }

    /// Tools that were called and are not pinned, as candidates for a pin.
    pub(super) fn pin_candidates(&self, broker: &Broker) -> Vec<PinCandidate> {
        let catalog = broker.library().catalog();
        let pinned: HashMap<&ToolId, ()> = broker.pins().shown.iter().map(|pin| (&pin.id, ())).collect();
        let mut candidates = Vec::new();
        for server in &self.servers {
            for used in server.tools.iter().filter(|used| used.amounts.used_in > 0) {
                let id = ToolId::new(server.name.clone(), used.name.clone());
                let Some(tool) = catalog.tool(&id).filter(|_| !pinned.contains_key(&id)) else { continue };
                let tokens = pins::advertised([tool.as_ref()]).iter().map(pins::pin_tokens).sum::<usize>();
                candidates.push(PinCandidate {
                    id,
                    definition_tokens: tokens as u64,
                    conversations: server.amounts.conversations,
                    used_in: used.amounts.used_in,
                    led_tokens: used.amounts.led_tokens,
                });
            }
        }
        candidates
    }

    /// `3 days ago`, `today`, `never`.
    pub(super) fn ago(&self, at: Option<SystemTime>) -> String {
        match at.map(|at| days_between(at, self.now)) {
            None => "never".into(),
            Some(0) => "today".into(),
            Some(1) => "yesterday".into(),
            Some(days) => format!("{days} days ago"),
        }
    }

    fn first_day(&self) -> SystemTime {
        let days = self.days.saturating_sub(1);
        start_of_day(self.now).checked_sub(DAY * days).unwrap_or(UNIX_EPOCH)
    }

    /// Start of the days that were both asked for and counted.
    fn begin(&self) -> SystemTime {
        self.ledger.since.map_or_else(|| self.first_day(), |since| since.max(self.first_day()))
    }
}

impl ServerUse {
    fn new(name: ServerName, takes_part: bool) -> Self {
        Self {
            name,
            takes_part,
            direct_tokens: None,
            amounts: Amounts::default(),
            first_seen: None,
            last_used: None,
            tools: Vec::new(),
        }
    }

    /// What it would have cost to load it directly in each of its conversations.
    pub(super) fn direct(&self) -> u64 {
        self.direct_tokens.unwrap_or_default().saturating_mul(self.amounts.conversations)
    }

    /// What was read of it through toolcrib, results apart.
    pub(super) fn read_instead(&self) -> u64 {
        self.amounts.start_tokens + self.amounts.search_tokens + self.amounts.describe_tokens
    }
}

impl From<&Amounts> for AmountsJson {
    fn from(amounts: &Amounts) -> Self {
        Self {
            conversations: amounts.conversations,
            start_tokens: amounts.start_tokens,
            searches: amounts.searches,
            search_tokens: amounts.search_tokens,
            describes: amounts.describes,
            describe_tokens: amounts.describe_tokens,
            calls: amounts.calls,
            errors: amounts.errors,
            used_in_conversations: amounts.used_in,
            result_tokens: amounts.result_tokens,
            kept_out_tokens: amounts.kept_out_tokens(),
        }
    }
}

/// Seconds since 1970, as programs take times.
pub(super) fn unix_seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// `287934` as `287,934`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Days from one to the other, as calendars in UTC count them: yesterday evening is one day ago.
fn days_between(from: SystemTime, to: SystemTime) -> u64 {
    (unix_seconds(to) / DAY.as_secs()).saturating_sub(unix_seconds(from) / DAY.as_secs())
}

fn start_of_day(at: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix_seconds(at) / DAY.as_secs() * DAY.as_secs())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Noon of a day of November 2026.
    fn noon(day: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_793_534_400) + DAY * u32::try_from(day).unwrap()
    }

    pub(in crate::cli) fn used(name: &str, direct: u64, calls: u64, first_seen: u64) -> ServerUse {
        let amounts = Amounts {
            conversations: 10,
            start_tokens: 120,
            search_tokens: calls * 60,
            calls,
            sent_tokens: calls * 900,
            result_tokens: calls * 500,
            ..Amounts::default()
        };
        ServerUse {
            direct_tokens: Some(direct),
            amounts,
            first_seen: Some(start_of_day(noon(first_seen))),
            last_used: (calls > 0).then(|| noon(19)),
            ..ServerUse::new(name.parse().unwrap(), true)
        }
    }

    pub(in crate::cli) fn measured(days: u32, since: u64, servers: Vec<ServerUse>) -> Measured {
        let ledger = Ledger {
            conversations: 10,
            start_tokens: 4_900,
            searches: 14,
            search_tokens: 3_100,
            since: Some(start_of_day(noon(since))),
            ..Ledger::default()
        };
        Measured { days, now: noon(20), ledger, servers }
    }

    #[test]
    fn a_server_is_unused_only_where_it_had_the_chance() {
        let servers =
            || vec![used("busy", 9, 3, 1), used("idle", 800, 0, 1), used("big", 9_000, 0, 1), used("new", 1, 0, 15)];
        let names =
            |measured: &Measured| measured.unused().iter().map(|server| server.name.to_string()).collect::<Vec<_>>();
        let whole = measured(10, 1, servers());
        assert_eq!((names(&whole), whole.span()), (vec!["big".into(), "idle".into()], "in the last 10 days".into()));
        let short = measured(30, 1, servers());
        assert_eq!((names(&short).len(), short.span()), (2, "in the 20 days since counting began".into()));
        assert_eq!((names(&measured(6, 1, servers())).len(), names(&measured(5, 1, servers())).len()), (3, 3));
        assert_eq!(measured(30, 20, servers()).span(), "today, the first day counted");
        assert_eq!([1, 14, 15].map(|since| measured(30, since, servers()).is_too_early()), [false, false, true]);
        assert!(!measured(2, 1, servers()).is_too_early(), "two days were asked for");
    }

    #[test]
    fn what_conversations_cost_adds_up() {
        let measured = measured(30, 1, vec![used("busy", 1_000, 3, 1), used("idle", 800, 0, 1)]);
        assert_eq!((measured.direct(), measured.read_instead(), measured.kept_out_tokens()), (18_000, 8_000, 1_200));
        assert_eq!(
            [None, Some(noon(20)), Some(noon(19)), Some(noon(11))].map(|at| measured.ago(at)),
            ["never", "today", "yesterday", "9 days ago"]
        );
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 287_934].map(grouped), ["0", "999", "1,000", "287,934"]);
    }
}
