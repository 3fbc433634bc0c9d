//! Many servers: their names on one line, some with a word beside them, those that start alike together.

use std::collections::HashSet;

use super::{
    Budget, SummaryInput,
    purpose::{LEVELS, Level, Purpose},
};
use crate::economy::estimate::{estimate, is_product};

/// Names that start alike are written once from this many on: `aws-{ecs iam s3}`.
const GROUP_FROM: usize = 3;

/// A folded group is opened into so many at most: more would say much of one and nothing of the others.
const MOST_OPENED: usize = 16;

/// The word beside a name.
const NOTE: Level = Level { terms: 1, chars: 20, ..LEVELS[LEVELS.len() - 1] };

/// With less room than this no note fits.
const LEAST_NOTE_TOKENS: usize = 3;

/// After so many notes in a row that do not fit the rest is not tried: each costs a look at a server's tools.
const MOST_MISSES: usize = 4;

/// What all names cost in tokens, those that start alike together.
pub(super) fn least_tokens(servers: &[&SummaryInput<'_>]) -> usize {
    parts(servers).iter().map(|part| part.cost().tokens).sum()
}

/// Names within a budget. With too many of them the largest groups become a beginning and a number, then all that begin
/// alike do; what is left of the budget opens the largest again, or puts words beside names.
pub(super) fn listed(servers: &[&SummaryInput<'_>], budget: Budget) -> String {
    let mut parts = parts(servers);
    let mut named = servers.len();
    if !budget.covers(total(&parts)) {
        let folded = Budget {
            tokens: budget.tokens.saturating_sub(ENDING.tokens),
            chars: budget.chars.saturating_sub(ENDING.chars),
        };
        fold(&mut parts, folded);
        if !folded.covers(total(&parts)) {
            parts = stems(servers);
            named = cut(&mut parts, folded);
        }
        unfold(&mut parts, servers, folded);
    }
    let ending = ending(&parts, servers.len() - named);
    let written = |parts: &[Part<'_>]| parts.iter().map(Part::text).collect::<Vec<_>>().join(" ") + &ending;
    let text = written(&parts);
    add_notes(&mut parts, servers, budget, Cost { tokens: estimate(&text), chars: text.chars().count() });
    written(&parts).trim_start().to_owned()
}

/// What is kept free for the words below the names.
const ENDING: Cost = Cost { tokens: 36, chars: 150 };

/// What a reader must know of names that are not there.
fn ending(parts: &[Part<'_>], left_out: usize) -> String {
    let folded = parts.iter().find(|part| part.folded).map(|part| part.prefix);
    let listing = folded.map(|prefix| format!("an empty query with server \"{prefix}*\" lists them"));
    match (listing, left_out) {
        (None, 0) => String::new(),
        (None, more) => format!("\nand {more} more; search finds them all"),
        (Some(listing), 0) => format!("\n* stands for several: {listing}"),
        (Some(listing), more) => format!("\nand {more} more; search finds them all. * stands for several: {listing}"),
    }
}

/// What a text costs.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    tokens: usize,
    chars: usize,
}

/// Servers written as one.
#[derive(Debug)]
struct Part<'a> {
    /// With its border, like `aws-`; empty for a single name.
    prefix: &'a str,
    members: Vec<Member<'a>>,
    folded: bool,
}

#[derive(Debug)]
struct Member<'a> {
    /// Place among the servers.
    at: usize,
    /// The name without the prefix.
    name: &'a str,
    note: String,
}

impl Part<'_> {
    fn text(&self) -> String {
        if self.folded {
            return format!("{}* ({})", self.prefix, self.members.len());
        }
        let member = |member: &Member<'_>| {
            if member.note.is_empty() { member.name.to_owned() } else { format!("{} ({})", member.name, member.note) }
        };
        let members = self.members.iter().map(member).collect::<Vec<_>>().join(" ");
        if self.prefix.is_empty() { members } else { format!("{}{{{members}}}", self.prefix) }
    }

    /// With the space before it.
    fn cost(&self) -> Cost {
        let text = self.text();
        Cost { tokens: estimate(&format!(" {text}")), chars: text.chars().count() + 1 }
    }
}

impl Budget {
    fn covers(self, cost: Cost) -> bool {
        cost.tokens <= self.tokens && cost.chars <= self.chars
    }
}

fn total(parts: &[Part<'_>]) -> Cost {
    parts.iter().map(Part::cost).fold(Cost::default(), Cost::and)
}

impl Cost {
    const fn and(self, other: Self) -> Self {
        Self { tokens: self.tokens + other.tokens, chars: self.chars + other.chars }
    }

    const fn without(self, other: Self) -> Self {
        Self { tokens: self.tokens - other.tokens, chars: self.chars - other.chars }
    }
}

/// `aws-{ecs iam s3} github slack`: names hold no space, so a comma would be a token for nothing.
fn parts<'a>(servers: &[&SummaryInput<'a>]) -> Vec<Part<'a>> {
    grouped(servers, 0, |server| {
        let name = server.name.as_str();
        name.find(['-', '_']).map(|at| &name[..=at])
    })
}

/// Neighbours of the same family together, where they are enough. `first` is the place of the first of these servers.
fn grouped<'a>(
    servers: &[&SummaryInput<'a>],
    first: usize,
    family: impl Fn(&SummaryInput<'a>) -> Option<&'a str>,
) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let mut rest = servers;
    let mut at = first;
    while let Some((server, _)) = rest.split_first() {
        let prefix = family(server);
        let alike = rest.iter().take_while(|server| prefix.is_some() && family(server) == prefix).count();
        let (count, prefix) = match prefix {
            Some(prefix) if alike >= GROUP_FROM => (alike, prefix),
            _ => (1, ""),
        };
        let (these, others) = rest.split_at(count);
        let member = |(place, server): (usize, &&SummaryInput<'a>)| Member {
            at: at + place,
            name: &server.name.as_str()[prefix.len()..],
            note: String::new(),
        };
        parts.push(Part { prefix, members: these.iter().enumerate().map(member).collect(), folded: false });
        at += count;
        rest = others;
    }
    parts
}

/// Folds groups, those that save the most first, until the text fits or no group is left.
fn fold(parts: &mut [Part<'_>], budget: Budget) {
    let mut used = total(parts);
    let mut groups: Vec<usize> = (0..parts.len()).filter(|&at| !parts[at].prefix.is_empty()).collect();
    groups.sort_by_key(|&at| std::cmp::Reverse(parts[at].cost().tokens));
    for at in groups {
        if budget.covers(used) {
            break;
        }
        let before = parts[at].cost();
        parts[at].folded = true;
        used = used.and(parts[at].cost()).without(before);
    }
}

/// Servers whose names begin with the same letters, folded: `harbor1-mail` and `harbor2-mail` are of `harbor*`.
fn stems<'a>(servers: &[&SummaryInput<'a>]) -> Vec<Part<'a>> {
    let stem = |name: &'a str| &name[..name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len())];
    grouped(servers, 0, |server| Some(stem(server.name.as_str())).filter(|stem| !stem.is_empty()))
        .into_iter()
        .map(|part| Part { folded: !part.prefix.is_empty(), ..part })
        .collect()
}

/// Opens folded groups to the next border in their names, largest first, while that fits.
fn unfold<'a>(parts: &mut Vec<Part<'a>>, servers: &[&SummaryInput<'a>], budget: Budget) {
    let mut used = total(parts);
    let mut largest: Vec<usize> = parts.iter().filter(|part| part.folded).map(|part| part.members.len()).collect();
    largest.sort_unstable_by(|one, other| other.cmp(one));
    // A bound on the work: each round opens one group.
    for size in largest {
        let Some(at) = parts.iter().position(|part| part.folded && part.members.len() == size) else { continue };
        let Some(first) = parts[at].members.first().map(|member| member.at) else { continue };
        let (start, members) = (parts[at].prefix.len(), &servers[first..first + size]);
        let opened: Vec<Part<'a>> = grouped(members, first, |server| {
            let name = server.name.as_str();
            let rest = name.get(start..)?;
            rest.find(['-', '_']).map(|border| &name[..=start + border])
        })
        .into_iter()
        .map(|part| Part { folded: !part.prefix.is_empty(), ..part })
        .collect();
        let with = used.without(parts[at].cost()).and(total(&opened));
        if opened.len() <= MOST_OPENED && budget.covers(with) {
            used = with;
            parts.splice(at..=at, opened);
        }
    }
}

/// Leaves out what does not fit; how many servers are still named. Groups stay before names, cheap names before dear ones.
fn cut(parts: &mut Vec<Part<'_>>, budget: Budget) -> usize {
    let mut order: Vec<(std::cmp::Reverse<usize>, usize, usize)> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| (std::cmp::Reverse(part.members.len()), part.cost().tokens, at))
        .collect();
    order.sort_unstable();
    let (mut used, mut kept, mut named) = (Cost::default(), vec![false; parts.len()], 0);
    for (_, _, at) in order {
        let with = used.and(parts[at].cost());
        if budget.covers(with) {
            (used, kept[at], named) = (with, true, named + parts[at].members.len());
        }
    }
    let mut kept = kept.into_iter();
    parts.retain(|_| kept.next() == Some(true));
    named
}

/// Spends what is left on words beside names, first those that a model cannot know.
fn add_notes(parts: &mut [Part<'_>], servers: &[&SummaryInput<'_>], budget: Budget, mut used: Cost) {
    let mut candidates: Vec<(usize, std::cmp::Reverse<usize>, usize, usize)> = Vec::new();
    for (part, members) in
        parts.iter().enumerate().filter(|(_, part)| !part.folded).map(|(at, part)| (at, &part.members))
    {
        for (place, member) in members.iter().enumerate() {
            let server = servers[member.at];
            let tools = server.entry.map_or(0, |entry| entry.tools.len());
            candidates.push((familiarity(server), std::cmp::Reverse(tools), part, place));
        }
    }
    candidates.sort_unstable();
    let mut said: HashSet<(&str, String)> = HashSet::new();
    let mut misses = 0;
    for (_, _, part, place) in candidates {
        let full = used.tokens + LEAST_NOTE_TOKENS > budget.tokens || used.chars + LEAST_NOTE_TOKENS > budget.chars;
        if full || misses == MOST_MISSES {
            break;
        }
        let server = servers[parts[part].members[place].at];
        let note = Purpose::of(server).words(NOTE);
        let name = server.name.as_str();
        let beginning = name.split(['-', '_']).next().unwrap_or(name);
        // Of servers that begin alike and do the same, one has to say it.
        if note.is_empty() || repeats(&note, name) || said.contains(&(beginning, note.clone())) {
            continue;
        }
        let shown = format!(" ({note})");
        let with = used.and(Cost { tokens: estimate(&shown), chars: shown.encode_utf16().count() });
        misses += 1;
        if budget.covers(with) {
            misses = 0;
            used = with;
            said.insert((beginning, note.clone()));
            parts[part].members[place].note = note;
        }
    }
}

/// How much a name says by itself: 0 where the operator thought that it needs words, 1 where no part of it is known, more else.
fn familiarity(server: &SummaryInput<'_>) -> usize {
    if server.summary.is_some() {
        return 0;
    }
    let parts = || server.name.as_str().split(['-', '_']).filter(|part| part.len() > 1);
    let known = parts().filter(|part| is_product(part)).count();
    match (known, parts().count()) {
        (0, 1) => 1,
        // Two words of English mostly say something.
        (0, _) => 2,
        _ => 3,
    }
}

/// Whether every word of a note stands in the name already.
fn repeats(note: &str, name: &str) -> bool {
    note.to_lowercase().split([' ', ',']).all(|word| name.contains(word.strip_suffix('s').unwrap_or(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ServerName;

    fn listed_names(names: &[&str], tokens: usize) -> String {
        let names: Vec<ServerName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let inputs: Vec<SummaryInput<'_>> =
            names.iter().map(|name| SummaryInput { name, summary: None, entry: None }).collect();
        listed(&inputs.iter().collect::<Vec<_>>(), Budget { tokens, chars: 10_000 })
    }

    const NAMES: [&str; 7] = ["aws-ecs", "aws-iam", "aws-s3", "azure", "google-drive", "google-maps", "x_y"];

    #[test]
    fn names_that_start_alike_are_written_once() {
        assert_eq!(listed_names(&NAMES, 1_000), "aws-{ecs iam s3} azure google-drive google-maps x_y");
    }

    #[test]
    fn a_group_too_many_becomes_its_number_and_the_text_says_how_to_list_it() {
        let names: Vec<String> = (0..40).map(|at| format!("aws-service{at}")).chain(["slack".into()]).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        insta::assert_snapshot!(listed_names(&names, 60), @r#"
        aws-* (40) slack
        * stands for several: an empty query with server "aws-*" lists them
        "#);
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let names: Vec<String> = ('a'..='z').map(|letter| format!("{letter}{letter}zone")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        insta::assert_snapshot!(listed_names(&names, 60), @r"
        aazone bbzone cczone ddzone eezone ffzone ggzone hhzone
        and 18 more; search finds them all
        ");
    }
}
