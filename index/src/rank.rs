//! Scores every tool for a query: BM25F over the fields, near stems for misspelt words, the share of the name that is
//! covered, and the one place where signals are summed.
//!
//! Knows no tantivy and no text. Every tool gets a score, there is no pre-filter; sums run in a fixed order, so a query
//! gives the same scores each time, to the bit.

use std::cmp::Ordering;

use tantivy::DocId;

use crate::{
    document::Part,
    query::{MAX_QUERY_TERMS, QueryTerm},
    segment::Segment,
};

/// BM25's damping of repeated terms.
const K1: f32 = 1.2;

/// BM25's correction for long fields.
const B: f32 = 0.75;

/// What the covered share of a tool's name adds to a lexical score of at most 1. Chosen on the dev sets, see README.
const NAME_COVERAGE_WEIGHT: f32 = 0.2;

/// What a stem counts that stands in for a misspelt one.
const NEAR_WEIGHT: f32 = 0.7;

/// The same, where the first letter is another one. Typing errors seldom hit it, and most words that the catalog does
/// not know are no errors at all.
const NEAR_WEIGHT_OTHER_INITIAL: f32 = 0.35;

/// Most stems that stand in for one word.
const MAX_NEAR_STEMS: usize = 8;

/// Shorter words have too many neighbours that mean something else.
const MIN_NEAR_LETTERS: usize = 4;

/// What the tools earned, by tool number.
#[derive(Debug)]
pub(crate) struct Scores {
    /// The fused score; 0 for a tool that has none of the terms.
    pub fused: Vec<f32>,
    /// Which terms of the query a tool has, a bit for each.
    matched: Vec<u32>,
    /// What each term of the query weighs in its coverage.
    masses: Vec<f32>,
}

/// A term as it is looked up.
struct Probe<'a> {
    /// Its place in the query.
    at: usize,
    stem: &'a str,
    weight: f32,
    rarity: f32,
}

/// How much one occurrence counts in a field of this boost and length.
pub(crate) fn occurrence_weight(boost: f32, length: f32, average_length: f32) -> f32 {
    if average_length > 0.0 { boost / (1.0 - B + B * length / average_length) } else { 0.0 }
}

/// How much a stem tells, when so many of the tools have it.
pub(crate) fn rarity(tools: u32, with_stem: u32) -> f32 {
    let (tools, with_stem) = (tools as f32, with_stem as f32);
    ((tools - with_stem + 0.5) / (with_stem + 0.5)).ln_1p()
}

/// Scores all tools; `allowed` says which may be found.
pub(crate) fn score(segment: &Segment, terms: &[QueryTerm], allowed: Option<&[bool]>) -> tantivy::Result<Scores> {
    let tools = segment.tools() as usize;
    let mut scratch = Scratch { occurrences: vec![0.0; tools], touched: Vec::new() };
    let mut lexical = vec![0.0; tools];
    let mut covered = vec![0.0; tools];
    let mut matched = vec![0; tools];
    let mut masses = Vec::new();
    for (at, term) in terms.iter().take(MAX_QUERY_TERMS).enumerate() {
        let with_stem = segment.tools_with(&term.stem)?;
        let rarity_of_term = rarity(segment.tools(), with_stem);
        masses.push(term.weight * rarity_of_term);
        if with_stem > 0 {
            let probe = Probe { at, stem: &term.stem, weight: term.weight, rarity: rarity_of_term };
            scratch.add(segment, &probe, &mut lexical, &mut covered, &mut matched)?;
        } else if term.word.chars().count() >= MIN_NEAR_LETTERS && term.word.chars().all(char::is_alphabetic) {
            for stem in stand_ins(segment, &term.stem)? {
                let near = if same_initial(&stem, &term.stem) { NEAR_WEIGHT } else { NEAR_WEIGHT_OTHER_INITIAL };
                let rarity = rarity(segment.tools(), segment.tools_with(&stem)?);
                let probe = Probe { at, stem: &stem, weight: term.weight * near, rarity };
                scratch.add(segment, &probe, &mut lexical, &mut covered, &mut matched)?;
            }
        }
    }
    if let Some(allowed) = allowed {
        for (tool, _) in allowed.iter().enumerate().filter(|&(_, &allowed)| !allowed) {
            (lexical[tool], matched[tool]) = (0.0, 0);
        }
    }
    let fused = fuse(segment, lexical, &covered);
    Ok(Scores { fused, matched, masses })
}

/// The stems of the catalog that a misspelt one may mean, those with its first letter first.
fn stand_ins(segment: &Segment, stem: &str) -> tantivy::Result<Vec<String>> {
    let mut near = segment.stems_near(stem)?;
    near.sort_by_key(|other| !same_initial(other, stem));
    near.truncate(MAX_NEAR_STEMS);
    Ok(near)
}

fn same_initial(one: &str, other: &str) -> bool {
    one.chars().next() == other.chars().next()
}

/// Sums the signals. A further one, such as the similarity of meaning, joins here: weighted sums of signals that reach
/// from 0 to 1 did better than fusing ranks.
fn fuse(segment: &Segment, mut lexical: Vec<f32>, covered: &[f32]) -> Vec<f32> {
    let best = lexical.iter().copied().fold(0.0, f32::max);
    for ((score, covered), tool) in lexical.iter_mut().zip(covered).zip(0..) {
        // A tool without any term has no score, and thus no covered name.
        if *score > 0.0 {
            *score /= best;
            if *covered > 0.0 {
                *score += NAME_COVERAGE_WEIGHT * covered / segment.name_rarity(tool);
            }
        }
    }
    lexical
}

/// One term's occurrences over all fields, summed before they are damped: this is what BM25F is about.
struct Scratch {
    occurrences: Vec<f32>,
    touched: Vec<DocId>,
}

impl Scratch {
    fn add(
        &mut self,
        segment: &Segment,
        probe: &Probe<'_>,
        lexical: &mut [f32],
        covered: &mut [f32],
        matched: &mut [u32],
    ) -> tantivy::Result<()> {
        let Self { occurrences, touched } = self;
        for part in Part::ALL {
            segment.each_with(part, probe.stem, |tool, weight| {
                let sum = &mut occurrences[tool as usize];
                if *sum == 0.0 {
                    touched.push(tool);
                }
                *sum += weight;
                if part == Part::Name {
                    covered[tool as usize] += probe.rarity;
                }
            })?;
        }
        for tool in touched.drain(..) {
            let tool = tool as usize;
            let sum = std::mem::take(&mut occurrences[tool]);
            lexical[tool] += probe.weight * probe.rarity * (K1 + 1.0) * sum / (K1 + sum);
            matched[tool] |= 1 << probe.at;
        }
        Ok(())
    }
}

impl Scores {
    /// Some tools, best first, ties in the order of their numbers.
    pub(crate) fn sorted(&self, mut tools: Vec<DocId>) -> Vec<DocId> {
        tools.sort_unstable_by(|one, other| self.order(*one, *other));
        tools
    }

    /// The best tools that have any of the terms, best first, ties in the order of their numbers.
    pub(crate) fn best(&self, limit: usize) -> Vec<DocId> {
        let mut found: Vec<DocId> =
            (0..).zip(&self.fused).filter(|&(_, &score)| score > 0.0).map(|(tool, _)| tool).collect();
        if limit < found.len() {
            found.select_nth_unstable_by(limit, |one, other| self.order(*one, *other));
            found.truncate(limit);
        }
        self.sorted(found)
    }

    fn order(&self, one: DocId, other: DocId) -> Ordering {
        let score = |tool: DocId| self.fused[tool as usize];
        score(other).total_cmp(&score(one)).then(one.cmp(&other))
    }

    /// How many terms of the query a tool has.
    pub(crate) fn matched_terms(&self, tool: DocId) -> usize {
        self.matched[tool as usize].count_ones() as usize
    }

    /// How much of the query's weight a tool has.
    pub(crate) fn coverage(&self, tool: DocId) -> f32 {
        let has = |at: usize| self.matched[tool as usize] & (1 << at) != 0;
        let all: f32 = self.masses.iter().sum();
        let had: f32 = self.masses.iter().enumerate().filter(|&(at, _)| has(at)).map(|(_, mass)| mass).sum();
        if all > 0.0 { had / all } else { 0.0 }
    }
}
