//! Chooses the list from the scores: the best first, yet so that each need of the query is met, near duplicates and the
//! tools of one server do not fill it.
//!
//! Greedy: the best is taken, then what it makes less wanted pays for it, then the best of the rest. Knows no text.

use std::collections::{HashMap, HashSet};

use tantivy::DocId;

/// The share of the best-fitting need in the score of a tool, where a query states several; the rest is the whole query,
/// which knows the context. Chosen on the dev sets, see README.
pub(crate) const NEED_WEIGHT: f32 = 0.35;

/// What a need pays for each tool already taken for it.
const MET_COST: f32 = 0.15;

/// What a tool pays for each near duplicate taken before it.
const DUPLICATE_COST: f32 = 0.1;

/// Tools this near each other are duplicates, as a cosine.
const DUPLICATE_NEARNESS: f32 = 0.93;

/// Tools of one server that pay nothing.
const FREE_OF_SERVER: usize = 4;

/// What each further tool of a server pays that the query does not name.
const FLOOD_COST: f32 = 0.03;

/// How many are taken with care, more than any reader looks at. The rest of a longer list follows by score.
const CAREFUL: usize = 20;

/// How many of the best are looked at with care. What stands further behind does not come forward. A constant, so that a
/// longer list begins with the shorter one.
const POOL: usize = 60;

/// What is known of the tools beside their scores.
pub(crate) trait Relations {
    /// The number of a tool's server.
    fn server(&self, tool: DocId) -> u32;
    /// How near two tools come to each other, as a cosine.
    fn nearness(&self, one: DocId, other: DocId) -> f32;
    /// Whether the query asks for this server, so that its tools are welcome.
    fn is_wanted(&self, server: u32) -> bool;
}

/// A tool of the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Chosen {
    pub tool: DocId,
    /// What it was chosen by; never above that of the one before it.
    pub score: f32,
    /// The need it fits best, where there are several, and what that adds.
    pub need: Option<(usize, f32)>,
    /// What it pays for others taken before it.
    pub cost: f32,
}

/// A tool that may be chosen.
struct Candidate {
    tool: DocId,
    /// Its part of the whole query.
    whole: f32,
    /// By need.
    of_need: Vec<f32>,
    cost: f32,
}

/// The list, best first. `whole` are the scores by the whole query, `needs` those by each of its parts, if there are
/// several. A tool of score minus infinity may not be found.
pub(crate) fn choose(whole: &[f32], needs: &[Vec<f32>], limit: usize, relations: &impl Relations) -> Vec<Chosen> {
    let careful = limit.min(CAREFUL);
    let mut rest = candidates(whole, needs, POOL);
    let mut taken_for = vec![0_u8; needs.len()];
    let mut of_server: HashMap<u32, usize> = HashMap::new();
    let mut chosen: Vec<Chosen> = Vec::new();
    while chosen.len() < careful && !rest.is_empty() {
        let (mut at, mut best) = (0, f32::NEG_INFINITY);
        for (number, candidate) in rest.iter().enumerate() {
            let score = candidate.score(&taken_for);
            // Ties go to the first, which has the better rank before any cost.
            if score > best {
                (at, best) = (number, score);
            }
        }
        let Candidate { tool, of_need, cost, .. } = rest.remove(at);
        let need = best_need(&of_need, &taken_for);
        chosen.push(Chosen { tool, score: best, need, cost });
        if let Some((need, _)) = need {
            taken_for[need] = taken_for[need].saturating_add(1);
        }
        let server = relations.server(tool);
        let from_server = of_server.entry(server).or_default();
        *from_server += 1;
        let floods = *from_server >= FREE_OF_SERVER && !relations.is_wanted(server);
        for candidate in &mut rest {
            if relations.nearness(tool, candidate.tool) > DUPLICATE_NEARNESS {
                candidate.cost += DUPLICATE_COST;
            }
            if floods && relations.server(candidate.tool) == server {
                candidate.cost += FLOOD_COST;
            }
        }
    }
    if limit > careful {
        let taken: HashSet<DocId> = chosen.iter().map(|chosen| chosen.tool).collect();
        let last = chosen.last().map_or(f32::INFINITY, |chosen| chosen.score);
        let mut others = ranked(whole, needs, limit);
        others.retain(|chosen| !taken.contains(&chosen.tool));
        others.truncate(limit - chosen.len());
        chosen.extend(others.into_iter().map(|other| Chosen { score: other.score.min(last), ..other }));
    }
    chosen
}

/// The best by their scores before any cost, best first, ties in the order of their numbers.
fn ranked(whole: &[f32], needs: &[Vec<f32>], most: usize) -> Vec<Chosen> {
    let score = |tool: usize| match needs.iter().map(|scores| scores[tool].max(0.0)).reduce(f32::max) {
        // What has no word of a need, where words are all there is, may still have some of another.
        Some(best) => (1.0 - NEED_WEIGHT) * whole[tool] + NEED_WEIGHT * best,
        None => whole[tool],
    };
    let order = |one: &(f32, usize), other: &(f32, usize)| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1));
    // Kept short: of a million tools nearly all are dropped by one comparison.
    let mut found: Vec<(f32, usize)> = Vec::new();
    let room = most.saturating_mul(2).max(1);
    let mut least = f32::NEG_INFINITY;
    for tool in 0..whole.len() {
        let score = score(tool);
        if score > least {
            found.push((score, tool));
            if found.len() > room {
                found.select_nth_unstable_by(most, order);
                found.truncate(most);
                // Ties with the last one kept have higher numbers and lose to it.
                least = found.iter().map(|&(score, _)| score).fold(f32::INFINITY, f32::min);
            }
        }
    }
    found.sort_unstable_by(order);
    found.truncate(most);
    let chosen = |(score, tool): (f32, usize)| Chosen { tool: tool as DocId, score, need: None, cost: 0.0 };
    found.into_iter().map(chosen).collect()
}

/// The best, with the parts of their scores.
fn candidates(whole: &[f32], needs: &[Vec<f32>], most: usize) -> Vec<Candidate> {
    let share = if needs.is_empty() { 1.0 } else { 1.0 - NEED_WEIGHT };
    let candidate = |Chosen { tool, .. }| Candidate {
        tool,
        whole: share * whole[tool as usize],
        of_need: needs.iter().map(|scores| NEED_WEIGHT * scores[tool as usize].max(0.0)).collect(),
        cost: 0.0,
    };
    ranked(whole, needs, most).into_iter().map(candidate).collect()
}

impl Candidate {
    fn score(&self, taken_for: &[u8]) -> f32 {
        self.whole + best_need(&self.of_need, taken_for).map_or(0.0, |(_, worth)| worth) - self.cost
    }
}

/// The need a tool fits best, those already met paying for it, and what it is worth then.
fn best_need(of_need: &[f32], taken_for: &[u8]) -> Option<(usize, f32)> {
    let worth = of_need.iter().zip(taken_for).map(|(score, &taken)| score - NEED_WEIGHT * MET_COST * f32::from(taken));
    worth.enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })
}
