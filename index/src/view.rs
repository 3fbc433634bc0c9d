//! All tools as one text sees them: their scores, how well one of them fits, and what it earned its score by.

use tantivy::DocId;

use crate::{
    document::Part,
    query::{QueryTerm, Reason},
    rank::{self, MEANING_WEIGHT, Probe, ProbedStem, Relation, Signals},
    segment::Segment,
    servers::Servers,
};

/// The share of the covered terms in how well a tool fits; the rest is its nearness in meaning.
const COVERAGE_IN_FIT: f32 = 0.4;

/// The tools as a text sees them.
pub(crate) struct View {
    probes: Vec<Probe>,
    /// The servers that it names, in the order of their numbers.
    pub servers: Vec<u32>,
    /// By tool, where it is known.
    meaning: Option<Vec<f32>>,
    /// Tools that texts like this one led to.
    habits: Vec<(DocId, f32)>,
    best_lexical: f32,
    /// By tool; minus infinity for what may not be found.
    pub scores: Vec<f32>,
}

impl View {
    pub(crate) fn of(
        terms: &[QueryTerm],
        segment: &Segment,
        servers: &Servers,
        meaning: Option<Vec<f32>>,
        habits: Vec<(DocId, f32)>,
        allowed: Option<&[bool]>,
    ) -> tantivy::Result<Self> {
        let probes = rank::probes(segment, terms)?;
        let named = servers.named(&probes);
        let is_named = |tool| named.binary_search(&servers.of(tool)).is_ok();
        let is_named: Option<&dyn Fn(DocId) -> bool> = if named.is_empty() { None } else { Some(&is_named) };
        let signals = Signals { meaning: meaning.as_deref(), is_named, habits: &habits, allowed };
        let scores = rank::score(segment.tools() as usize, &probes, &signals);
        let rank::Scores { fused, best_lexical } = scores;
        Ok(Self { probes, servers: named, meaning, habits, best_lexical, scores: fused })
    }

    /// Some tools, best first, ties in the order of their numbers.
    pub(crate) fn sorted(&self, mut tools: Vec<DocId>) -> Vec<DocId> {
        let score = |tool: DocId| self.scores[tool as usize];
        tools.sort_unstable_by(|&one, &other| score(other).total_cmp(&score(one)).then(one.cmp(&other)));
        tools
    }

    /// How well a tool fits, whatever else there is.
    pub(crate) fn fit(&self, tool: DocId) -> f32 {
        let coverage = rank::coverage(&self.probes, tool);
        let fit = match &self.meaning {
            Some(meaning) => (1.0 - COVERAGE_IN_FIT) * meaning[tool as usize] + COVERAGE_IN_FIT * coverage,
            None => coverage,
        };
        fit.max(self.habit(tool))
    }

    /// What a tool's score is the sum of.
    pub(crate) fn reasons(&self, tool: DocId, segment: &Segment, servers: &Servers) -> tantivy::Result<Vec<Reason>> {
        let lexical_weight = if self.meaning.is_some() { 1.0 - MEANING_WEIGHT } else { 1.0 };
        let mut reasons = Vec::new();
        let mut covered = 0.0;
        for probe in &self.probes {
            covered += probe.covered(tool);
            if let Some((stem, earned)) = probe.best(tool) {
                let parts = segment.parts_with(&stem.stem, tool)?;
                let parts = parts.into_iter().map(field_name).collect::<Vec<_>>().join(", ");
                let word = match stem.relation {
                    Relation::Same => format!("`{}`", probe.word),
                    Relation::Meaning => format!("`{}`, near `{}` in meaning", stem.stem, probe.word),
                    Relation::Spelling => format!("`{}`, taken for `{}`", probe.word, stem.stem),
                };
                let points = lexical_weight * earned / self.best_lexical;
                reasons.push(Reason { points, why: format!("word {word}: {parts}") });
            }
        }
        if covered > 0.0 {
            let share = covered.min(1.0);
            let points = lexical_weight * rank::NAME_COVERAGE_WEIGHT * share;
            reasons.push(Reason { points, why: format!("the query has {:.0} % of the name", 100.0 * share) });
        }
        if let Some(meaning) = &self.meaning {
            let cosine = meaning[tool as usize];
            let points = MEANING_WEIGHT * cosine;
            reasons.push(Reason { points, why: format!("the text is near in meaning (cosine {cosine:.2})") });
        }
        if self.servers.binary_search(&servers.of(tool)).is_ok() {
            reasons.push(Reason { points: rank::NAMED_SERVER_WEIGHT, why: "the query names its server".into() });
        }
        let habit = self.habit(tool);
        if habit > 0.0 {
            let points = rank::HABIT_WEIGHT * habit;
            reasons.push(Reason { points, why: "was called after searches like this one".into() });
        }
        Ok(reasons)
    }

    fn habit(&self, tool: DocId) -> f32 {
        self.habits.iter().find(|(other, _)| *other == tool).map_or(0.0, |&(_, strength)| strength)
    }
}

impl Probe {
    /// The stem by which a tool earns most, and what.
    fn best(&self, tool: DocId) -> Option<(&ProbedStem, f32)> {
        let earned = self.stems.iter().filter_map(|stem| Some((stem, stem.weight * stem.postings.of(tool)?.earned)));
        earned.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// The share of a tool's name that the term covers.
    fn covered(&self, tool: DocId) -> f32 {
        let own = self.stems.iter().filter(|stem| stem.relation != Relation::Meaning);
        own.filter_map(|stem| Some(stem.weight * stem.postings.of(tool)?.name_share)).sum()
    }
}

fn field_name(part: Part) -> String {
    part.label().replace('_', " ")
}
