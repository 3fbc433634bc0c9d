//! All tools of one server in few tokens: their names only, those that start alike written together.
//!
//! `issue_{create list update}` stands for three names; what does not fit is counted where it would stand.

use super::{clean, tokens};

/// More names than this that start alike are parted once more, by their next piece. Fine parts read best; of very many tools coarse
/// ones leave more room for names. What shows the most names is taken.
const MAX_GROUPS: [usize; 3] = [40, 120, usize::MAX];

/// Fewest names that are worth a group.
const GROUP_FROM: usize = 2;

/// Names that start alike, or one name.
#[derive(Debug)]
struct Group<'n> {
    /// The place of its first name.
    at: usize,
    prefix: &'n str,
    /// What follows the prefix, in the order of the names.
    rests: Vec<&'n str>,
}

/// Names of a server's tools in at most `budget_tokens`, in the order of their first.
#[must_use]
pub fn names(server: &str, names: &[&str], budget_tokens: usize) -> String {
    let heading = format!(
        "{} tools on {}; a_{{b c}} is short for a_b, a_c. Search them with server and words.\n",
        names.len(),
        clean::line(server)
    );
    let room = budget_tokens.saturating_sub(tokens::count(&heading));
    let mut best = (0, String::new());
    for most in MAX_GROUPS {
        let found = within(&grouped(names, most), room);
        if best.1.is_empty() || found.0 > best.0 {
            best = found;
        }
        if best.0 == names.len() {
            break;
        }
    }
    heading + &best.1
}

/// The groups in at most so many tokens, and how many names that shows.
fn within(groups: &[Group<'_>], room: usize) -> (usize, String) {
    let sizes: Vec<usize> = groups.iter().map(|group| group.rests.len()).collect();
    let capped = |most: usize| -> Vec<usize> { sizes.iter().map(|&size| size.min(most)).collect() };
    let fits = |shown: &[usize]| tokens::fits(&written(groups, shown), room);
    // As many of each group as fit: what a group holds shows in its first names.
    let (mut fit, mut too_many) = (0, sizes.iter().max().map_or(1, |most| most + 1));
    while too_many - fit > 1 {
        let middle = fit + (too_many - fit) / 2;
        if fits(&capped(middle)) { fit = middle } else { too_many = middle }
    }
    let mut shown = capped(fit);
    // What is left goes to the first groups that it completes.
    for at in 0..groups.len() {
        let before = std::mem::replace(&mut shown[at], sizes[at]);
        if before < sizes[at] && !fits(&shown) {
            shown[at] = before;
        }
    }
    let mut text = written(groups, &shown);
    let mut kept = groups.len();
    while kept > 1 && !tokens::fits(&text, room) {
        kept = kept * 9 / 10;
        let left: usize = sizes[kept..].iter().sum();
        text = format!("{} and {left} more", written(&groups[..kept], &shown[..kept]));
    }
    (shown[..kept].iter().sum(), text)
}

/// So many names of each group, and the number of the others.
fn written(groups: &[Group<'_>], shown: &[usize]) -> String {
    let mut text = String::new();
    for (group, &shown) in groups.iter().zip(shown) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&clean::line(group.prefix));
        match &group.rests[..] {
            [only] => text.push_str(&clean::line(only)),
            rests => {
                text.push('{');
                text.push_str(&clean::line(&rests[..shown].join(" ")));
                if shown < rests.len() {
                    let space = if shown > 0 { " " } else { "" };
                    text.push_str(&format!("{space}+{}", rests.len() - shown));
                }
                text.push('}');
            }
        }
    }
    text
}

/// Names in groups of at most about `most`, in the order of the groups' first names.
fn grouped<'n>(names: &[&'n str], most: usize) -> Vec<Group<'n>> {
    let names: Vec<(usize, &str)> = names.iter().copied().enumerate().collect();
    let mut groups = part(names, 0, most);
    groups.sort_by_key(|group| group.at);
    groups
}

/// Parts names that share their first `from` bytes by their next piece.
fn part(names: Vec<(usize, &str)>, from: usize, most: usize) -> Vec<Group<'_>> {
    let mut parts: Vec<(&str, Vec<(usize, &str)>)> = Vec::new();
    for (at, name) in names {
        let prefix = &name[..from + piece_end(&name[from..])];
        match parts.iter_mut().find(|(known, _)| *known == prefix) {
            Some((_, members)) => members.push((at, name)),
            None => parts.push((prefix, vec![(at, name)])),
        }
    }
    let is_alone = parts.len() == 1;
    let mut groups = Vec::new();
    let mut single = Vec::new();
    for (prefix, members) in parts {
        let is_whole_name = members.iter().any(|(_, name)| name.len() == prefix.len());
        if members.len() < GROUP_FROM || is_whole_name {
            single.extend(members);
        } else if members.len() > most || is_alone {
            groups.extend(part(members, prefix.len(), most));
        } else {
            groups.push(Group::of(&members, prefix.len()));
        }
    }
    // What starts like no other stands together under what all share.
    if from > 0 && single.len() >= GROUP_FROM {
        groups.push(Group::of(&single, from));
    } else {
        groups.extend(single.into_iter().map(|name| Group::of(&[name], 0)));
    }
    groups
}

impl<'n> Group<'n> {
    /// These names under at least the bytes that they are known to share.
    fn of(members: &[(usize, &'n str)], mut shared: usize) -> Self {
        let (at, first) = members.first().copied().unwrap_or_default();
        let all_share =
            |end: usize| members.iter().all(|(_, name)| name.len() > end && name.starts_with(&first[..end]));
        while members.len() > 1 {
            let end = shared + piece_end(&first[shared..]);
            if !all_share(end) {
                break;
            }
            shared = end;
        }
        let rests = members.iter().map(|(_, name)| &name[shared..]).collect();
        Self { at, prefix: &first[..shared], rests }
    }
}

/// Where the first piece of a name ends: behind its separators, or before the next hump.
fn piece_end(name: &str) -> usize {
    let bytes = name.as_bytes();
    for at in 1..bytes.len() {
        let (before, here) = (bytes[at - 1], bytes[at]);
        let after_separator = matches!(before, b'_' | b'-' | b'.') && !matches!(here, b'_' | b'-' | b'.');
        let hump = before.is_ascii_lowercase() && here.is_ascii_uppercase();
        if after_separator || hump {
            return at;
        }
    }
    name.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_start_alike_are_written_together() {
        let all = [
            "issue_create",
            "issue_list",
            "whoami",
            "getPage",
            "getUser",
            "issue_close",
            "log-in",
            "log-out",
            "log",
            "APIKey",
            "getAll",
        ];
        insta::assert_snapshot!(names("desk", &all, 500), @r#"
        11 tools on desk; a_{b c} is short for a_b, a_c. Search them with server and words.
        issue_{create list close} whoami get{Page User All} log-{in out} log APIKey
        "#);
    }

    #[test]
    fn what_all_names_begin_with_does_not_hide_what_they_do() {
        let all: Vec<String> = ["Create", "List", "Delete"]
            .iter()
            .flat_map(|verb| ["Call", "Queue", "Message"].map(|noun| format!("PhoneApi2010--{verb}{noun}")))
            .chain(["PhoneApi2010--Ping".to_owned()])
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        insta::assert_snapshot!(names("phone", &all, 500), @r#"
        10 tools on phone; a_{b c} is short for a_b, a_c. Search them with server and words.
        PhoneApi2010--Create{Call Queue Message} PhoneApi2010--List{Call Queue Message} PhoneApi2010--Delete{Call Queue Message} PhoneApi2010--Ping
        "#);
    }

    #[test]
    fn where_not_all_fit_each_group_shows_its_first_names_and_counts_the_others() {
        let all: Vec<String> = ["hosting", "mail", "billing"]
            .iter()
            .zip([60, 30, 3])
            .flat_map(|(group, many)| (0..many).map(move |at| format!("{group}_operation_{at}")))
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        insta::assert_snapshot!(names("host", &all, 120), @r#"
        93 tools on host; a_{b c} is short for a_b, a_c. Search them with server and words.
        hosting_operation_{0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 +42} mail_operation_{0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 +12} billing_operation_{0 1 2}
        "#);
    }

    proptest! {
        #[test]
        fn a_listing_keeps_its_budget_and_counts_every_name(
            all in proptest::collection::hash_set("[a-c]{1,3}([_-][a-z]{1,6}|[A-Z][a-z]{1,4}){0,3}", 1..150),
            budget in 60_usize..400,
        ) {
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            let text = names("s", &all, budget);
            prop_assert!(tokens::fits(&text, budget), "{} tokens of {budget}: {text}", tokens::count(&text));
            prop_assert_eq!(counted(&text), all.len(), "{}", text);
        }
    }

    /// The names that a listing shows or counts.
    fn counted(text: &str) -> usize {
        let (_, listed) = text.split_once('\n').unwrap();
        let (listed, left) = listed.split_once(" and ").unwrap_or((listed, "0 more"));
        let left: usize = left.split(' ').next().unwrap().parse().unwrap();
        let word = |word: &str| {
            let word = word.rsplit('{').next().unwrap().trim_end_matches('}');
            word.strip_prefix('+').map_or(1, |more| more.parse().unwrap())
        };
        left + listed.split(' ').filter(|word| !word.is_empty()).map(word).sum::<usize>()
    }
}
