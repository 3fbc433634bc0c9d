//! Words: what parts an identifier has, which words say nothing, how a noun is written in the singular and the plural.
//!
//! The lists are of English. A word of another language is kept as it is, which costs a worse line and nothing else.

use std::{borrow::Cow, collections::HashSet, sync::LazyLock};

/// Words that say what is done, not to what.
pub(super) static VERBS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "abort accept acknowledge act activate add aggregate allow analyze annotate answer append apply approve \
    archive ask assign associate attach authenticate ban begin block bookmark browse build bulk calculate call \
    cancel capture change check checkout clear click clone close collect commit compare complete compute \
    configure confirm connect containerize convert copy count create deactivate debug decline delete deploy \
    describe detach detect diff disable disassociate disconnect discover dismiss download draft drag drop \
    duplicate edit elicit emulate enable end enrich ensure enumerate estimate evaluate exec execute expand \
    explain explore export extract fetch fill filter find finish fork format forward gather generate get give \
    grant group guide handle hide hover identify import init initialize initiate insert inspect install invite \
    invoke issue join kick kill launch learn leave link list load lock log look lookup make manage mark measure \
    merge migrate modify monitor move mute navigate observe obtain open optimize orchestrate parse patch pause \
    perform pin ping place poll post press preview process promote provide provision publish pull purge push put \
    query queue read reason reboot rebuild recommend record redeploy refresh regenerate register reindex reject \
    release reload remove rename render reopen reorder replace reply requery request rerank reschedule reset \
    resize resolve respond restart restore resume retrieve retry return revert review revoke rollback rotate run \
    save scale scan schedule scrape scroll search select send set setup share show shutdown sign simulate skip \
    snooze sort split star start stop store stream submit subscribe suggest summarize suspend swap switch sync \
    tag take tap terminate test toggle track transfer transform transition translate trigger try type unarchive \
    unassign unban unblock uninstall unlink unlock unmute unpin unpublish unshare unstage unstar unsubscribe \
    unwatch update upgrade upload upsert use validate verify view visualize vote wait watch write zip"
        .split_whitespace()
        .collect()
});

/// Words of a name that join or qualify and say nothing alone.
pub(super) static SMALL_IN_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a all and any api as at batch by current custom data default detail details en existing first for from full \
    get has history id ids info information into is item items last latest list many mcp more multiple my name \
    names new next of on one only or per raw read reader ready recent result results server service services \
    single specific status sum summary that the this to tool tools type types updater url using v value values \
    via with without work write your"
        .split_whitespace()
        .collect()
});

/// The same in a sentence, where there are more of them.
pub(super) static SMALL_IN_PROSE: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a about access active additional advanced agents all already also an and any api are array assistants \
    associated automatically available based basic batch be between boolean both bulk can certain complete \
    comprehensive conduct contains current currently custom data default detail detailed details developers \
    directly do does each eg either entire essential etc every exact existing first following free full general \
    get given has have helpful high history how id ids including info information instance instances instead \
    into is it item items its json kind last latest level list lists llms local low main mandatory many matching \
    mcp metadata more most multiple my name names new no not number numbered official old one only option \
    optional optionally options or other our overall own parameter parameters params particular per please \
    private properly public quickly raw reader recent record records related remote request requests response \
    responses result results server service services set sets simple single some specific specified status \
    string structured successfully such summary take text that the their them then there these they this those \
    three tool tools two type types updater use used useful using value values various via was what when where \
    whether which who whole will with without yes you your"
        .split_whitespace()
        .collect()
});

/// What follows them says where, how or when, not what.
pub(super) static BORDERS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "about across after against and are as at based be before between but by containing down during for from \
    given if in including inside into is like matching near not of off on onto or out over per so such than that \
    through to under until up using via when where which while whose with within without"
        .split_whitespace()
        .collect()
});

/// Nouns that so many servers have that another says more.
pub(super) static TOO_GENERAL: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "account collection comment config configuration content database document environment event field file group \
    image info item member message name note organization page permission project property resource role setting \
    tag team template user version workspace"
        .split_whitespace()
        .collect()
});

/// Written in capitals.
pub(super) static ACRONYMS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "ai api cdn ci cli cpu crm css csv db dns ec2 ecs gpu html iam iot ip kv llm lwc pdf rss s3 sdk seo sftp \
    sip sms sql ssh ssl tls ui url vm vpc vps xml"
        .split_whitespace()
        .collect()
});

/// Words of orders to a model. No phrase with one of them is shown.
const ORDERING: [&str; 18] = [
    "ignore",
    "disregard",
    "override",
    "obey",
    "must",
    "always",
    "never",
    "forget",
    "pretend",
    "jailbreak",
    "instruction",
    "instructions",
    "prompt",
    "prompts",
    "assistant",
    "previous",
    "mandatory",
    "important",
];

/// Verbs that stand in the middle of a name only as verbs: `stories-add-task` speaks of stories and of tasks.
const SURE_VERBS: [&str; 13] =
    ["add", "create", "delete", "get", "insert", "list", "patch", "post", "put", "remove", "set", "update", "upload"];

/// Longest word shown, in letters. Longer ones are no words.
const MAX_LETTERS: usize = 18;

/// Whether a word has the shape of one that may be shown: ASCII letters and digits, a letter first, two to eighteen of them,
/// and none of an order. Two such words may be joined by a hyphen.
pub(super) fn is_plain(word: &str) -> bool {
    let plain = |part: &str| {
        (2..=MAX_LETTERS).contains(&part.len())
            && part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && !ORDERING.contains(&part)
    };
    match word.split_once('-') {
        Some((first, second)) => plain(first) && plain(second),
        None => plain(word),
    }
}

/// Whether an order to a model would need this word.
pub(super) fn is_order(word: &str) -> bool {
    ORDERING.contains(&word)
}

/// Whether a word is a verb wherever in a name it stands.
pub(super) fn is_sure_verb(word: &str) -> bool {
    SURE_VERBS.contains(&word)
}

/// The verb that a word is a form of: `retrieves` and `retrieving` are `retrieve`.
pub(super) fn verb(word: &str) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 9] = [
        ("", ""),
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("ing", ""),
        ("ing", "e"),
        ("ied", "y"),
        ("ed", ""),
        ("ed", "e"),
    ];
    ENDINGS.iter().find_map(|(ending, instead)| {
        let stem = word.strip_suffix(ending)?;
        if instead.is_empty() { VERBS.get(stem) } else { VERBS.get(format!("{stem}{instead}").as_str()) }.copied()
    })
}

/// Words of an identifier, lower case: snake, kebab, camel, and letters against digits.
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

/// A noun in the singular, as far as its ending tells.
pub(super) fn singular(word: &str) -> Cow<'_, str> {
    const SAME: [&str; 22] = [
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
        "redis",
        "vps",
        "tls",
        "rss",
    ];
    let same = !word.ends_with('s') || word.len() < 4 || SAME.contains(&word);
    if same || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return Cow::Borrowed(word);
    }
    if word == "indices" {
        return Cow::Borrowed("index");
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return Cow::Owned(format!("{stem}y"));
    }
    let cut = if ["sses", "shes", "ches", "xes"].iter().any(|ending| word.ends_with(ending)) { 2 } else { 1 };
    Cow::Borrowed(&word[..word.len() - cut])
}

/// A noun in the plural.
pub(super) fn plural(phrase: &str) -> String {
    let after_vowel = ["ay", "ey", "oy", "uy"].iter().any(|ending| phrase.ends_with(ending));
    if let Some(stem) = phrase.strip_suffix('y').filter(|_| !after_vowel) {
        return format!("{stem}ies");
    }
    if ["s", "sh", "ch", "x"].iter().any(|ending| phrase.ends_with(ending)) {
        return format!("{phrase}es");
    }
    format!("{phrase}s")
}

/// A phrase as a person would write it: `sql queries` are `SQL queries`.
pub(super) fn written(phrase: &str) -> String {
    let word = |word: &str| match word.strip_suffix('s') {
        _ if ACRONYMS.contains(word) => word.to_uppercase(),
        Some(stem) if ACRONYMS.contains(stem) => format!("{}s", stem.to_uppercase()),
        Some(_) | None => word.to_owned(),
    };
    phrase.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
