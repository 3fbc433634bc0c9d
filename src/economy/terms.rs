//! What a server's tools are about, read from their names: `create_pull_request` and `list_pull_requests` speak of pull requests.
//!
//! Knows names only: it repeats no description, so nothing a server writes there can reach a model by this way.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::LazyLock,
};

/// Words that say what is done, not to what. They go from the front of a name, or from its end where nothing went from the front.
static VERBS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "accept abort acknowledge activate add aggregate allow analyze answer append apply approve archive ask assign associate \
    attach authenticate ban begin block bookmark browse build bulk calculate call cancel capture change check checkout clear click clone \
    close collect commit compare complete compute configure confirm connect convert copy count create deactivate debug decline delete \
    deploy describe detach detect diff disable disassociate disconnect discover dismiss download draft drag drop duplicate edit emulate \
    enable end enrich ensure enumerate estimate evaluate exec execute expand explain explore export extract fetch fill filter find \
    finish fork format forward generate get give grant group guide handle hide hover identify import init initialize insert inspect \
    install invite invoke issue join kick kill launch leave link list load lock log lookup make manage mark measure merge migrate modify \
    monitor move mute navigate open optimize orchestrate parse patch pause perform pin ping place play poll post preview press process \
    promote provision publish pull purge push put query queue read reboot rebuild recommend record redeploy refresh regenerate register \
    reject release reload remove rename render reopen reorder replace reply reply request requery reschedule reset resize resolve \
    restart restore resume retrieve retry return revert review revoke rollback rotate run save scale scan schedule scrape scroll search \
    select send set setup share show shutdown sign simulate skip snooze sort split star start stop store stream submit subscribe suggest \
    summarize suspend swap switch sync tag take tap terminate test toggle track transfer transform transition translate trigger try \
    type unarchive unassign unban unblock uninstall unlink unlock unmute unpin unpublish unshare unstar unsubscribe update upgrade upload \
    upsert use validate verify view visualize vote wait watch write zip reader updater \
    unwatch reindex rerank learn respond look containerize elicit"
        .split_whitespace()
        .collect()
});

/// Words that join or qualify and say nothing alone.
static SMALL: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a all and any api as at batch by current custom default details detail details en existing first for from get has id ids \
    info information into is item items last latest multiple my name names new of on one only or per raw recent single specific status \
    that the this to tool tools url using v via with without your result results data list by mcp server services service value values many \
    summary history type types or more"
        .split_whitespace()
        .collect()
});

/// Prepositions: what follows says where, not what.
const BORDERS: [&str; 15] =
    ["by", "for", "from", "in", "into", "of", "on", "to", "via", "with", "without", "as", "at", "using", "per"];

/// Words in the middle of a name that can only be what is done: `stories-add-task` speaks of stories.
const SURE_VERBS: [&str; 10] =
    ["add", "create", "delete", "get", "list", "remove", "set", "update", "upload", "upsert"];

/// What one server is about, best first, each two words or fewer where that says it. Never more than `most`.
#[must_use]
pub fn telling_terms(corpus: &Corpus, server: &str, tool_names: &[&str], most: usize) -> Vec<String> {
    let counted = count_phrases(server, tool_names);
    let mut ranked: Vec<(&String, &Phrase, f64)> =
        counted.iter().map(|(key, phrase)| (key, phrase, phrase.weight() * corpus.rarity(key))).collect();
    ranked.sort_by(|one, other| other.2.total_cmp(&one.2).then_with(|| one.0.cmp(other.0)));
    let mut chosen: Vec<(&String, String)> = Vec::new();
    for (key, phrase, _) in ranked {
        if chosen.len() == most {
            break;
        }
        let is_covered = chosen.iter().any(|(known, _)| shares_head(known, key));
        if !is_covered {
            chosen.push((key, phrase.shown(key)));
        }
    }
    chosen.into_iter().map(|(_, shown)| shown).collect()
}

/// In how many servers each phrase occurs.
#[derive(Debug, Default)]
pub struct Corpus {
    servers: usize,
    with_phrase: BTreeMap<String, usize>,
}

impl Corpus {
    /// Counts the tool names of every server.
    #[must_use]
    pub fn new<'a>(servers: impl Iterator<Item = (&'a str, Vec<&'a str>)>) -> Self {
        let mut corpus = Self::default();
        for (server, tools) in servers {
            corpus.servers += 1;
            for phrase in count_phrases(server, &tools).into_keys() {
                *corpus.with_phrase.entry(phrase).or_default() += 1;
            }
        }
        corpus
    }

    /// 1 for what every server has, more for what few have. Grows slowly: a common word can still be what a server is about.
    fn rarity(&self, phrase: &str) -> f64 {
        let with = self.with_phrase.get(phrase).copied().unwrap_or(1).max(1);
        #[expect(clippy::cast_precision_loss, reason = "counts of servers are small")]
        let share = self.servers.max(1) as f64 / with as f64;
        1.0 + share.ln() / 3.0
    }
}

/// How often a phrase occurs in a server's tool names.
#[derive(Debug, Default)]
struct Phrase {
    count: usize,
    words: usize,
    /// As it was first seen.
    raw: String,
    /// Seen in the plural, and seen in the singular.
    plural: bool,
    singular: bool,
}

impl Phrase {
    fn weight(&self) -> f64 {
        // Two words say more than one, three are long for what they add.
        let telling = match self.words {
            // Two letters are a riddle, participles want their noun.
            1 if self.raw.len() < 3 => 0.6,
            1 if self.raw.ends_with("ed") || self.raw.ends_with("ing") => 0.6,
            1 => 1.0,
            2 => 1.35,
            _ => 0.8,
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of tools are small")]
        let count = self.count as f64;
        count.sqrt() * telling
    }

    fn shown(&self, key: &str) -> String {
        match (self.plural, self.singular) {
            (true, true) => plural(key),
            (true, false) => self.raw.clone(),
            (false, _) => key.to_owned(),
        }
    }
}

fn count_phrases(server: &str, tool_names: &[&str]) -> BTreeMap<String, Phrase> {
    let mut own: BTreeSet<String> = words(server).iter().map(|word| singular(word)).collect();
    own.extend(house_mark(tool_names));
    let mut phrases: BTreeMap<String, Phrase> = BTreeMap::new();
    for name in tool_names {
        let object = object_of(name, &own);
        let keys: Vec<String> = object.iter().map(|word| singular(word)).collect();
        for length in 1..=keys.len().min(3) {
            let entry = phrases.entry(phrase_key(&object[..length], &keys[..length])).or_default();
            entry.count += 1;
            entry.words = length;
            let is_plural = object[length - 1] != keys[length - 1];
            if entry.raw.is_empty() || (is_plural && !entry.plural) {
                entry.raw = object[..length].join(" ");
            }
            // Before another word a noun stands in the singular whatever is meant.
            if is_plural {
                entry.plural = true;
            } else if length == keys.len() {
                entry.singular = true;
            }
        }
    }
    drop_fragments(&mut phrases);
    phrases
}

/// Only the last word is counted in the singular: `sales_orders` are sales orders.
fn phrase_key(raw: &[String], singulars: &[String]) -> String {
    let (Some(last), before) = (singulars.last(), &raw[..raw.len().saturating_sub(1)]) else { return String::new() };
    before.iter().chain([last]).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// A short first word of most of a server's tools is its mark (`ha_`, `bb_`), not what they are about.
fn house_mark(tool_names: &[&str]) -> Option<String> {
    let first = |name: &&str| words(name).into_iter().next().filter(|word| word.len() <= 3);
    let mark = tool_names.first().and_then(first)?;
    let marked = tool_names.iter().filter(|name| first(name).as_ref() == Some(&mark)).count();
    (tool_names.len() > 3 && marked * 10 >= tool_names.len() * 6).then(|| singular(&mark))
}

/// `pull` goes where it is nearly always the start of `pull request`.
fn drop_fragments(phrases: &mut BTreeMap<String, Phrase>) {
    let mut fragments = Vec::new();
    for (long, phrase) in phrases.iter().filter(|(_, phrase)| phrase.words > 1) {
        for (at, _) in long.match_indices(' ') {
            if phrases.get(&long[..at]).is_some_and(|short| phrase.count * 10 >= short.count * 6) {
                fragments.push(long[..at].to_owned());
            }
        }
    }
    for fragment in fragments {
        phrases.remove(&fragment);
    }
}

/// The words of a tool's name that say what it acts on.
fn object_of(name: &str, own: &BTreeSet<String>) -> Vec<String> {
    let all = words(name);
    let is_version = |word: &str| word.strip_prefix('v').unwrap_or(word).chars().all(|c| c.is_ascii_digit());
    let mut kept: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|word| word.len() > 1 && !is_version(word) && !own.contains(&singular(word)))
        .collect();
    let mut acted = false;
    while let Some(first) = kept.first() {
        // A pull request is no request that is pulled.
        let is_verb = VERBS.contains(first) && !kept.get(1).is_some_and(|next| next.starts_with("request"));
        if is_verb && !acted && kept.len() > 1 {
            acted = true;
        } else if matches!(*first, "or" | "and") {
            acted = false;
        } else if !(SMALL.contains(first) || BORDERS.contains(first)) {
            break;
        }
        kept.remove(0);
    }
    if !acted {
        while kept.len() > 1 && kept.last().is_some_and(|word| VERBS.contains(word)) {
            kept.pop();
        }
    }
    if let [only] = kept[..]
        && VERBS.contains(only)
    {
        return Vec::new();
    }
    let is_border = |word: &&str| BORDERS.contains(word) || SURE_VERBS.contains(word);
    let end = kept.iter().position(is_border).filter(|&at| at > 0).unwrap_or(kept.len());
    let mut object: Vec<String> = Vec::with_capacity(end);
    for word in kept[..end].iter().filter(|word| !SMALL.contains(*word)) {
        if object.last().is_none_or(|last| singular(last) != singular(word)) {
            object.push((*word).to_owned());
        }
    }
    object
}

/// Names of tools in words, without the server's own at their front: `perplexity_ask` is `ask`. A name of nothing else is left out.
#[must_use]
pub fn spoken(server: &str, tool_names: &[&str], most: usize) -> Vec<String> {
    let mut own: BTreeSet<String> = words(server).into_iter().collect();
    own.insert(words(server).concat());
    own.extend(house_mark(tool_names));
    let name =
        |name: &&str| words(name).into_iter().skip_while(|word| own.contains(word)).collect::<Vec<_>>().join(" ");
    tool_names.iter().map(name).filter(|name| !name.is_empty()).take(most).collect()
}

/// Words of an identifier, lower case: snake, kebab, camel, and letters against digits.
#[must_use]
pub fn words(identifier: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let characters: Vec<char> = identifier.chars().collect();
    for (at, &character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let previous = at.checked_sub(1).map(|before| characters[before]);
        let next = characters.get(at + 1);
        let starts = previous.is_some_and(|previous| {
            (character.is_uppercase()
                && (previous.is_lowercase()
                    || (previous.is_uppercase() && next.is_some_and(|next| next.is_lowercase()))))
                || (character.is_ascii_digit() && previous.is_alphabetic() && word.len() > 3)
        });
        if starts && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.extend(character.to_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn singular(word: &str) -> String {
    const SAME: [&str; 18] = [
        "status",
        "news",
        "series",
        "analysis",
        "dns",
        "aws",
        "sms",
        "https",
        "kubernetes",
        "css",
        "access",
        "address",
        "process",
        "sales",
        "atlas",
        "devops",
        "canvas",
        "alias",
    ];
    if SAME.contains(&word) || word.len() < 5 || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return word.to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "shes", "ches", "xes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

fn plural(phrase: &str) -> String {
    let after_vowel = ["ay", "ey", "oy", "uy"].iter().any(|ending| phrase.ends_with(ending));
    if let Some(stem) = phrase.strip_suffix('y').filter(|_| !after_vowel) {
        return format!("{stem}ies");
    }
    if ["s", "sh", "ch", "x"].iter().any(|ending| phrase.ends_with(ending)) {
        return format!("{phrase}es");
    }
    format!("{phrase}s")
}

/// Whether two phrases would say nearly the same beside each other.
fn shares_head(known: &str, key: &str) -> bool {
    let starts = |long: &str, short: &str| long.starts_with(short) && long.as_bytes().get(short.len()) == Some(&b' ');
    known == key
        || starts(known, key)
        || starts(key, known)
        || known.split(' ').next() == key.split(' ').next()
        || known.split(' ').next_back() == key.split(' ').next_back()
}
