//! How long a search, an opening and a build take.
//!
//! `cargo bench -p toolcrib-index --bench search`. How they grow with the number of tools is in `scale.rs`.

mod generated;

use std::{hint::black_box, sync::LazyLock};

use divan::Bencher;
use generated::{Random, catalog};
use toolcrib_index::{Habits, Index, Query, ToolDocument};

const TOOLS: usize = 2_400;
const KEY: &str = "bench";

static CATALOG: LazyLock<Vec<ToolDocument>> = LazyLock::new(|| catalog(TOOLS));
static QUERIES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut random = Random::new(11);
    (0..200).map(|_| random.query()).collect()
});

fn main() {
    divan::main();
}

fn searches(bencher: Bencher<'_, '_>, habits: &Habits) {
    let Ok(index) = Index::in_memory(&CATALOG) else { return };
    let mut turn = QUERIES.iter().cycle();
    bencher.with_inputs(|| turn.next().map(String::as_str).unwrap_or_default()).bench_local_values(|text| {
        black_box(index.search(&Query { text, habits, ..Query::default() }).map(|hits| hits.len()))
    });
}

#[divan::bench(sample_count = 1_000)]
fn search(bencher: Bencher<'_, '_>) {
    searches(bencher, Habits::NONE);
}

#[divan::bench(sample_count = 1_000)]
fn search_with_2000_habits(bencher: Bencher<'_, '_>) {
    let mut habits = Habits::default();
    for (tool, query) in CATALOG.iter().zip(QUERIES.iter().cycle()).take(2_000) {
        habits.learn(&Habits::memorable(query), &tool.id, 1.0);
    }
    searches(bencher, &habits);
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let Ok(dir) = tempfile::tempdir() else { return };
    if Index::build(dir.path(), &CATALOG, KEY).is_ok() {
        bencher.bench_local(|| black_box(Index::open(dir.path(), KEY).map(|index| index.len())));
    }
}

/// Into an empty directory, so that every vector is made.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn build(bencher: Bencher<'_, '_>) {
    bencher
        .with_inputs(tempfile::tempdir)
        .bench_local_values(|dir| black_box(dir.map(|dir| Index::build(dir.path(), &CATALOG, KEY).map(|i| i.len()))));
}

/// Over an index of the same tools, whose vectors are taken over.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn build_again(bencher: Bencher<'_, '_>) {
    let Ok(dir) = tempfile::tempdir() else { return };
    bencher.bench_local(|| black_box(Index::build(dir.path(), &CATALOG, KEY).map(|index| index.len())));
}
