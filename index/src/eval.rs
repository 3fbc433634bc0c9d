//! Measures of a ranking against labelled queries, as retrieval work defines them.
//!
//! A query has needs; each is a set of interchangeable tools, and any one of them meets it. A tool that stands in several
//! sets meets one need at a time. Knows nothing of how a ranking came about, and no clock.

use std::collections::HashMap;

use serde::Serialize;

/// How much of a ranking counts for the reciprocal rank.
pub const RANKED: usize = 100;

/// The measures of one query, or their means over several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Share of the needs met by the first hit.
    pub recall_1: f64,
    /// Share of the needs met within the first 3.
    pub recall_3: f64,
    /// Share of the needs met within the first 5.
    pub recall_5: f64,
    /// Share of the needs met within the first 10.
    pub recall_10: f64,
    /// Discounted gain within the first 5, by that of a perfect list.
    pub ndcg_5: f64,
    /// Discounted gain within the first 10, by that of a perfect list.
    pub ndcg_10: f64,
    /// 1 / rank of the first hit that stands in any set.
    pub mrr: f64,
    /// Whether every need is met within the first 5.
    pub completeness_5: f64,
    /// Whether every need is met within the first 10.
    pub completeness_10: f64,
}

impl Metrics {
    /// The measures by name, in the order they are shown.
    #[must_use]
    pub const fn columns(&self) -> [(&'static str, f64); 9] {
        [
            ("R@1", self.recall_1),
            ("R@3", self.recall_3),
            ("R@5", self.recall_5),
            ("R@10", self.recall_10),
            ("nDCG@5", self.ndcg_5),
            ("nDCG@10", self.ndcg_10),
            ("MRR", self.mrr),
            ("C@5", self.completeness_5),
            ("C@10", self.completeness_10),
        ]
    }

    /// Measures a ranking, best first, against the needs of its query. `None` where there are none.
    #[must_use]
    pub fn of(ranked: &[impl AsRef<str>], groups: &[Vec<String>]) -> Option<Self> {
        if groups.is_empty() {
            return None;
        }
        let needs = groups.len();
        let ranked: Vec<&str> = ranked.iter().take(RANKED).map(AsRef::as_ref).collect();
        let gains = gains(&ranked, groups);
        let met = |within: usize| gains.iter().take(within).filter(|&&gain| gain).count();
        let recall = |within| met(within) as f64 / needs as f64;
        let complete = |within| if met(within) == needs { 1.0 } else { 0.0 };
        let ndcg = |within: usize| {
            let gained = gains.iter().take(within).enumerate().filter(|&(_, &gain)| gain).map(|(at, _)| discount(at));
            gained.sum::<f64>() / (0..needs.min(within)).map(discount).sum::<f64>()
        };
        let first = ranked.iter().position(|tool| groups.iter().flatten().any(|wanted| wanted == tool));
        Some(Self {
            recall_1: recall(1),
            recall_3: recall(3),
            recall_5: recall(5),
            recall_10: recall(10),
            ndcg_5: ndcg(5),
            ndcg_10: ndcg(10),
            mrr: first.map_or(0.0, |at| 1.0 / (at + 1) as f64),
            completeness_5: complete(5),
            completeness_10: complete(10),
        })
    }

    /// The means over several queries; `None` of none.
    #[must_use]
    pub fn mean(all: &[Self]) -> Option<Self> {
        let mean = |read: fn(&Self) -> f64| all.iter().map(read).sum::<f64>() / all.len() as f64;
        (!all.is_empty()).then(|| Self {
            recall_1: mean(|m| m.recall_1),
            recall_3: mean(|m| m.recall_3),
            recall_5: mean(|m| m.recall_5),
            recall_10: mean(|m| m.recall_10),
            ndcg_5: mean(|m| m.ndcg_5),
            ndcg_10: mean(|m| m.ndcg_10),
            mrr: mean(|m| m.mrr),
            completeness_5: mean(|m| m.completeness_5),
            completeness_10: mean(|m| m.completeness_10),
        })
    }
}

fn discount(at: usize) -> f64 {
    1.0 / ((at + 2) as f64).log2()
}

/// For each rank, whether its tool meets a need that the tools before it leave open, however they are matched to needs.
fn gains(ranked: &[&str], groups: &[Vec<String>]) -> Vec<bool> {
    let mut needs_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (need, group) in groups.iter().enumerate() {
        group.iter().for_each(|tool| needs_of.entry(tool).or_default().push(need));
    }
    let options: Vec<&[usize]> =
        ranked.iter().map(|tool| needs_of.get(tool).map(Vec::as_slice).unwrap_or_default()).collect();
    let mut met_by: Vec<Option<usize>> = vec![None; groups.len()];
    (0..ranked.len()).map(|rank| place(rank, &options, &mut met_by, &mut vec![false; groups.len()])).collect()
}

/// Finds a need for the tool at a rank, moving others to further needs of theirs where that helps.
fn place(rank: usize, options: &[&[usize]], met_by: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for &need in options[rank] {
        if std::mem::replace(&mut tried[need], true) {
            continue;
        }
        let free = match met_by[need] {
            None => true,
            Some(other) => place(other, options, met_by, tried),
        };
        if free {
            met_by[need] = Some(rank);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<Vec<String>> {
        text.split(' ').map(|group| group.split('|').map(str::to_owned).collect()).collect()
    }

    fn measure(ranked: &str, needs: &str) -> Metrics {
        Metrics::of(&ranked.split(' ').collect::<Vec<_>>(), &groups(needs)).unwrap()
    }

    #[test]
    fn a_query_without_needs_has_no_measures() {
        assert_eq!(Metrics::of(&["a"], &[]), None);
        assert_eq!(Metrics::mean(&[]), None);
    }

    #[test]
    fn one_need_met_at_the_third_rank() {
        let metrics = measure("x y a z", "a");
        assert_eq!((metrics.recall_1, metrics.recall_3, metrics.completeness_5), (0.0, 1.0, 1.0));
        assert!((metrics.ndcg_10 - 0.5).abs() < 1e-12, "1 / log2(4)");
        assert!((metrics.mrr - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn equals_of_a_set_meet_its_need_once() {
        let metrics = measure("a b x c", "a|b c");
        assert_eq!((metrics.recall_1, metrics.recall_3, metrics.recall_5), (0.5, 0.5, 1.0));
        let ideal = 1.0 + 1.0 / 3f64.log2();
        assert!((metrics.ndcg_5 - (1.0 + 1.0 / 5f64.log2()) / ideal).abs() < 1e-12);
    }

    #[test]
    fn a_tool_in_several_sets_meets_the_need_that_leaves_room_for_others() {
        // `a` could take either need; `b` has one only.
        let metrics = measure("a b", "b|a a");
        assert_eq!((metrics.recall_1, metrics.recall_3), (0.5, 1.0));
        // One tool alone never meets two needs at a time.
        assert_eq!(measure("a x", "a|b a|c").recall_10, 0.5);
    }

    #[test]
    fn an_unmet_need_leaves_the_query_incomplete() {
        let metrics = measure("a x", "a b");
        assert_eq!((metrics.recall_10, metrics.completeness_10, metrics.mrr), (0.5, 0.0, 1.0));
    }

    #[test]
    fn more_needs_than_ranks_can_still_be_perfect_in_gain() {
        let metrics = measure("a b c d e", "a b c d e f");
        assert_eq!((metrics.ndcg_5, metrics.completeness_5), (1.0, 0.0));
    }

    #[test]
    fn what_stands_behind_the_first_hundred_does_not_count() {
        let mut ranked: Vec<String> = (0..RANKED).map(|n| n.to_string()).collect();
        ranked.push("a".into());
        assert_eq!(Metrics::of(&ranked, &groups("a")), Some(Metrics::default()));
    }

    #[test]
    fn means_are_taken_measure_by_measure() {
        let mean = Metrics::mean(&[measure("a", "a"), measure("x", "a")]).unwrap();
        assert_eq!((mean.recall_1, mean.ndcg_10, mean.mrr), (0.5, 0.5, 0.5));
    }
}
