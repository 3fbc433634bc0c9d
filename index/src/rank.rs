//! Scores every tool for a query: BM25F over the fields, words near in meaning or in spelling, the share of the name that
//! is covered, how near the tool's text comes in meaning; and the one place where these signals are summed.
//!
//! Knows no tantivy and no text. Every tool gets a score, there is no pre-filter; sums run in a fixed order, so a query
//! gives the same scores each time, to the bit.

use std::sync::Arc;

use tantivy::DocId;

use crate::{
    analyzer,
    model::Model,
    postings::Postings,
    query::{MAX_QUERY_TERMS, QueryTerm},
    segment::Segment,
    spelling,
};

/// What the covered share of a tool's name adds to a lexical score of at most 1. Chosen on the dev sets, see README.
pub(crate) const NAME_COVERAGE_WEIGHT: f32 = 0.2;

/// The share of nearness in meaning in the score; the rest is the lexical score. Chosen on the dev sets, see README.
pub(crate) const MEANING_WEIGHT: f32 = 0.7;

/// What the tools of a server gain that the query names. Chosen on the dev sets.
pub(crate) const NAMED_SERVER_WEIGHT: f32 = 0.08;

/// What a tool gains to which queries like this one led before. Chosen on the dev sets.
pub(crate) const HABIT_WEIGHT: f32 = 0.2;

/// What a word counts that is near in meaning to one of the query, times its nearness. Chosen on the dev sets.
const NEIGHBOUR_WEIGHT: f32 = 0.7;

/// A near word that more tools have is left out: adding it up takes long, and in a catalog so large it tells little. Smaller
/// catalogs are better off with all.
const MAX_TOOLS_OF_NEIGHBOUR: u32 = 5_000;

/// What a stem counts that stands in for a misspelt one.
const NEAR_WEIGHT: f32 = 0.7;

/// The same, where the first letter is another one. Typing errors seldom hit it, and most words that the catalog does
/// not know are no errors at all.
const NEAR_WEIGHT_OTHER_INITIAL: f32 = 0.35;

/// Most stems that stand in for one word.
const MAX_NEAR_STEMS: usize = 8;

/// A term of the query, and the stems that it was looked for by.
#[derive(Debug)]
pub(crate) struct Probe {
    pub word: String,
    /// What having the term is worth in coverage.
    mass: f32,
    pub stems: Vec<ProbedStem>,
}

/// One of the stems.
#[derive(Debug)]
pub(crate) struct ProbedStem {
    pub stem: String,
    pub relation: Relation,
    /// What it counts against the term itself, 0 to 1.
    pub share: f32,
    /// The same, times what the term counts in the query.
    pub weight: f32,
    pub postings: Arc<Postings>,
}

/// What a stem is to the term of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The term.
    Same,
    /// Near in meaning.
    Meaning,
    /// Near in spelling.
    Spelling,
}

/// How each term is looked for.
pub(crate) fn probes(segment: &Segment, terms: &[QueryTerm]) -> tantivy::Result<Vec<Probe>> {
    terms.iter().take(MAX_QUERY_TERMS).map(|term| Probe::of(segment, term)).collect()
}

/// What is known of all tools beside their words.
pub(crate) struct Signals<'a> {
    /// How near each comes to the query, where that is known.
    pub meaning: Option<&'a [f32]>,
    /// Tells whose server the query names, where it names any.
    pub is_named: Option<&'a dyn Fn(DocId) -> bool>,
    /// How strongly queries like this one led to a tool, up to 1.
    pub habits: &'a [(DocId, f32)],
    /// Which tools may be found; all, where it says nothing.
    pub allowed: Option<&'a [bool]>,
}

/// What all tools earned.
pub(crate) struct Scores {
    /// By tool. Minus infinity for what may not be found, and for what has no term where words are all there is.
    pub fused: Vec<f32>,
    /// The most that one earned by its words, which all are measured by.
    pub best_lexical: f32,
}

/// Scores all tools. The one place where signals are summed: weighted sums of signals that reach from 0 to 1 did better
/// than fusing ranks.
pub(crate) fn score(tools: usize, probes: &[Probe], signals: &Signals<'_>) -> Scores {
    let mut sums = Sums::new(tools);
    probes.iter().for_each(|probe| sums.add(probe));
    let Sums { mut lexical, covered, .. } = sums;
    let excluded = || signals.allowed.into_iter().flatten().enumerate().filter(|&(_, &allowed)| !allowed);
    excluded().for_each(|(tool, _)| lexical[tool] = 0.0);
    let best_lexical = lexical.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let lexical = lexical.into_iter().zip(covered).map(|(score, covered)| lexical_score(score, covered, best_lexical));
    let mut fused: Vec<f32> = match signals.meaning {
        Some(meaning) => lexical
            .zip(meaning)
            .map(|(lexical, meaning)| (1.0 - MEANING_WEIGHT) * lexical + MEANING_WEIGHT * meaning)
            .collect(),
        None => lexical.map(|lexical| if lexical > 0.0 { lexical } else { f32::NEG_INFINITY }).collect(),
    };
    if let Some(is_named) = signals.is_named {
        for (_, score) in (0..).zip(&mut fused).filter(|&(tool, _)| is_named(tool)) {
            *score += NAMED_SERVER_WEIGHT;
        }
    }
    for &(tool, strength) in signals.habits {
        let score = &mut fused[tool as usize];
        *score = score.max(0.0) + HABIT_WEIGHT * strength;
    }
    excluded().for_each(|(tool, _)| fused[tool] = f32::NEG_INFINITY);
    Scores { fused, best_lexical }
}

/// What words earn a tool: 1 for the tool that earned most, and something for a covered name. A tool without any term has
/// no covered name either.
fn lexical_score(earned: f32, covered: f32, best: f32) -> f32 {
    if earned > 0.0 { earned / best + NAME_COVERAGE_WEIGHT * covered.min(1.0) } else { 0.0 }
}

impl Probe {
    fn of(segment: &Segment, term: &QueryTerm) -> tantivy::Result<Self> {
        let own = segment.postings(&term.stem)?;
        let mass = term.weight * own.rarity;
        let is_known = !own.earnings.is_empty();
        let mut stems = Vec::new();
        let mut add = |stem: String, relation, share: f32, postings: Arc<Postings>| {
            if !postings.earnings.is_empty() {
                stems.push(ProbedStem { stem, relation, share, weight: term.weight * share, postings });
            }
        };
        add(term.stem.clone(), Relation::Same, 1.0, own);
        let model = Model::get();
        for neighbour in model.into_iter().flat_map(|model| model.neighbours(&term.word)) {
            let stem = analyzer::stem(neighbour.word);
            // Asked before the list is read.
            if segment.tools() > MAX_TOOLS_OF_NEIGHBOUR && segment.tools_with(&stem)? > MAX_TOOLS_OF_NEIGHBOUR {
                continue;
            }
            let postings = segment.postings(&stem)?;
            add(stem, Relation::Meaning, NEIGHBOUR_WEIGHT * neighbour.nearness, postings);
        }
        if !is_known && spelling::may_be_a_slip(term) {
            for stem in stand_ins(segment, &term.stem)? {
                let share = if same_initial(&stem, &term.stem) { NEAR_WEIGHT } else { NEAR_WEIGHT_OTHER_INITIAL };
                let postings = segment.postings(&stem)?;
                add(stem, Relation::Spelling, share, postings);
            }
        }
        Ok(Self { word: term.word.clone(), mass, stems })
    }
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

/// What the tools earn by their words, summed term by term.
struct Sums {
    lexical: Vec<f32>,
    covered: Vec<f32>,
    /// What they earn by the term at hand: the most that any of its stems gives, so that a tool which says one thing in
    /// three ways does not earn it three times.
    of_term: Vec<f32>,
    touched: Vec<DocId>,
}

impl Sums {
    fn new(tools: usize) -> Self {
        Self { lexical: vec![0.0; tools], covered: vec![0.0; tools], of_term: vec![0.0; tools], touched: Vec::new() }
    }

    fn add(&mut self, probe: &Probe) {
        let Self { lexical, covered, of_term, touched } = self;
        for ProbedStem { relation, weight, postings, .. } in &probe.stems {
            for earning in &postings.earnings {
                let tool = earning.tool as usize;
                let best = &mut of_term[tool];
                if *best == 0.0 {
                    touched.push(earning.tool);
                }
                *best = best.max(weight * earning.earned);
                // A name is covered by its own words only.
                if *relation != Relation::Meaning {
                    covered[tool] += weight * earning.name_share;
                }
            }
        }
        for tool in touched.drain(..) {
            lexical[tool as usize] += std::mem::take(&mut of_term[tool as usize]);
        }
    }
}

/// How much of what the query asks for a tool has, by its words or by words near them.
pub(crate) fn coverage(probes: &[Probe], tool: DocId) -> f32 {
    let all: f32 = probes.iter().map(|probe| probe.mass).sum();
    let had: f32 = probes.iter().map(|probe| probe.mass * probe.had_by(tool)).sum();
    if all > 0.0 { had / all } else { 0.0 }
}

impl Probe {
    /// The largest share with which a tool has any of the stems.
    fn had_by(&self, tool: DocId) -> f32 {
        self.stems.iter().filter(|stem| stem.postings.of(tool).is_some()).map(|stem| stem.share).fold(0.0, f32::max)
    }
}
