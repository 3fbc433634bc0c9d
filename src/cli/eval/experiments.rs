//! What can be asked of a set beyond its measures: typing errors, refusals, learning from use, and a floor to hold.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, bail};
use toolcrib_index::{
    Habits, Hit, Index, Query,
    eval::{Metrics, RANKED},
};

use super::{
    files::{QUERIES, QueryLine, read_lines},
    report::{LearningReport, Report},
};

/// How far below its floor a set may be: what a change that means nothing moves it by.
const SLACK: f64 = 0.005;

/// Shorter words keep their letters: an error there makes another word.
const MIN_MISSPELT_LETTERS: usize = 4;

/// One word in so many is misspelt.
const MISSPELT_ONE_IN: u64 = 5;

/// Whether the best hit is called no fit.
pub(super) fn is_refused(hits: &[Hit]) -> bool {
    !hits.first().is_some_and(Hit::fits)
}

/// The share of refused queries of the folder `NAME_infeasible` beside the set; nothing where there is none.
pub(super) fn infeasible_refused(set: &Path, index: &Index) -> anyhow::Result<Option<f64>> {
    let beside = set.with_file_name(format!("{}_infeasible", super::name_of(set))).join(QUERIES);
    if !beside.is_file() {
        return Ok(None);
    }
    let queries: Vec<QueryLine> = read_lines(&beside)?;
    let mut refused = 0;
    for line in &queries {
        refused += usize::from(is_refused(&index.search(&Query { text: &line.query, ..Query::default() })?));
    }
    Ok(Some(refused as f64 / queries.len().max(1) as f64))
}

/// Of the queries of each tool, every second one is followed by a call of the tool; the others are then searched with and
/// without what was learned.
pub(super) fn learning(index: &Index, queries: &[QueryLine]) -> anyhow::Result<LearningReport> {
    let mut by_tools: BTreeMap<&[String], Vec<&QueryLine>> = BTreeMap::new();
    for line in queries {
        if let Some(first) = line.groups.first() {
            by_tools.entry(first).or_default().push(line);
        }
    }
    let mut habits = Habits::default();
    let (mut learned, mut like, mut unlike) = (0, Vec::new(), Vec::new());
    for (tools, lines) in by_tools {
        let Some(tool) = tools.first().filter(|_| lines.len() > 1) else {
            unlike.extend(lines);
            continue;
        };
        for (number, line) in lines.into_iter().enumerate() {
            if number % 2 == 0 {
                like.push(line);
            } else {
                habits.learn(&Habits::memorable(&line.query), tool, 1.0);
                learned += 1;
            }
        }
    }
    let before_and_after = |lines: &[&QueryLine]| -> anyhow::Result<(usize, f64, f64)> {
        Ok((lines.len(), ndcg(index, lines, Habits::NONE)?, ndcg(index, lines, &habits)?))
    };
    Ok(LearningReport { learned, like: before_and_after(&like)?, unlike: before_and_after(&unlike)? })
}

fn ndcg(index: &Index, lines: &[&QueryLine], habits: &Habits) -> anyhow::Result<f64> {
    let mut measured = Vec::new();
    for line in lines {
        let hits = index.search(&Query { text: &line.query, limit: RANKED, habits, ..Query::default() })?;
        let ranked: Vec<String> = hits.into_iter().map(|hit| hit.id).collect();
        measured.extend(Metrics::of(&ranked, &line.groups));
    }
    Ok(Metrics::mean(&measured).map_or(0.0, |metrics| metrics.ndcg_10))
}

/// Fails where a measured set is below what `file` says of it.
pub(super) fn hold(file: &Path, report: &Report) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    let floors: BTreeMap<String, f64> =
        serde_json::from_str(&text).with_context(|| format!("{} is no map of sets to nDCG@10", file.display()))?;
    let mut below = Vec::new();
    for set in &report.sets {
        if let (Some(metrics), Some(floor)) = (&set.metrics, floors.get(&set.set))
            && metrics.ndcg_10 < floor - SLACK
        {
            below.push(format!("{}: nDCG@10 {:.3}, floor {floor:.3}", set.set, metrics.ndcg_10));
        }
    }
    if below.is_empty() { Ok(()) } else { bail!("the ranking got worse: {}", below.join("; ")) }
}

/// The text with one edit in about a fifth of its longer words: the same each time.
pub(super) fn misspelt(text: &str) -> String {
    let mut state = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut random = move |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let words = text.split(' ').map(|word| {
        let mut letters: Vec<char> = word.chars().collect();
        let is_word = letters.len() >= MIN_MISSPELT_LETTERS && letters.iter().all(char::is_ascii_alphabetic);
        if is_word && random(MISSPELT_ONE_IN as usize) == 0 {
            let at = random(letters.len());
            let letter = char::from(b'a' + random(26) as u8);
            match random(4) {
                0 => drop(letters.remove(at)),
                1 => letters.insert(at, letter),
                2 => letters[at] = letter,
                _ => letters.swap(at, (at + 1) % word.len()),
            }
        }
        letters.into_iter().collect::<String>()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_a_fifth_of_the_words_is_misspelt_the_same_each_time() {
        let text = "create another calendar event ".repeat(100);
        let changed = misspelt(&text);
        let different = text.split(' ').zip(changed.split(' ')).filter(|(before, after)| before != after).count();
        assert!((60..=100).contains(&different), "{different}");
        assert_eq!(misspelt(&text), changed);
        assert_eq!(misspelt("go to https://example.com/x now"), "go to https://example.com/x now");
    }
}
