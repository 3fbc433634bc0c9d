//! What `eval` reports, as JSON and as a table.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use toolcrib_index::eval::Metrics;

/// What came out for one set.
#[derive(Debug, Serialize)]
pub(super) struct SetReport {
    pub set: String,
    pub tools: usize,
    pub queries: usize,
    pub labelled: usize,
    /// Means over the labelled queries; null where there are none.
    pub metrics: Option<Metrics>,
    /// The same for the queries of each tag, where there are several.
    pub tags: BTreeMap<String, TagReport>,
    /// Share of the labelled queries whose best hit is called no fit, wrongly.
    pub refused: f64,
    /// The same of queries that no tool can serve, where the set has such beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infeasible_refused: Option<f64>,
    /// What learning from half of each tool's queries does to the other half, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning: Option<LearningReport>,
    pub p50_ms: f64,
    pub p95_ms: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct TagReport {
    pub labelled: usize,
    pub metrics: Metrics,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub sets: Vec<SetReport>,
    /// The mean of the sets, each counting the same; null where none is labelled.
    pub mean: Option<Metrics>,
}

/// nDCG@10 before and after learning.
#[derive(Debug, Serialize)]
pub(super) struct LearningReport {
    /// Queries that were followed by a call.
    pub learned: usize,
    /// Other queries of the same tools: how many, before, after.
    pub like: (usize, f64, f64),
    /// Queries of tools of which nothing was learned: how many, before, after.
    pub unlike: (usize, f64, f64),
}

/// The report for people.
pub(super) fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let head = ["set", "queries"]
        .into_iter()
        .chain(Metrics::default().columns().map(|(name, _)| name))
        .chain(["refused", "p50 ms", "p95 ms"]);
    table.set_header(head);
    let row = |name: String, queries: String, metrics: Option<&Metrics>, rest: [String; 3]| {
        let unmeasured = Metrics::default().columns().map(|_| "-".to_owned());
        let measures = metrics.map_or(unmeasured, |metrics| metrics.columns().map(|(_, value)| format!("{value:.3}")));
        [name, queries].into_iter().chain(measures).chain(rest).collect::<Vec<String>>()
    };
    let nothing = || [const { String::new() }; 3];
    for set in &report.sets {
        let times = [format!("{:.3}", set.refused), format!("{:.2}", set.p50_ms), format!("{:.2}", set.p95_ms)];
        table.add_row(row(set.set.clone(), set.queries.to_string(), set.metrics.as_ref(), times));
        if let Some(share) = set.infeasible_refused {
            let rest = [format!("{share:.3}"), String::new(), String::new()];
            table.add_row(row("  infeasible".into(), String::new(), None, rest));
        }
        if let Some(LearningReport { learned, like, unlike }) = &set.learning {
            let said = |what, (count, before, after): &(usize, f64, f64)| {
                vec![
                    format!("  {what} {learned} learned"),
                    count.to_string(),
                    format!("{before:.3}"),
                    format!("{after:.3}"),
                ]
            };
            table.add_row(said("like the", like));
            table.add_row(said("unlike the", unlike));
        }
        for (tag, tagged) in &set.tags {
            let count = tagged.labelled.to_string();
            table.add_row(row(format!("  {tag}"), count, Some(&tagged.metrics), nothing()));
        }
    }
    if report.sets.len() > 1 {
        table.add_row(row("mean of sets".into(), String::new(), report.mean.as_ref(), nothing()));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
