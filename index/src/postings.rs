//! What each stem earns the tools that have it: the part of BM25F that no query changes, worked out once and kept.
//!
//! A stem's occurrences are summed over the fields *before* they are damped: that is what BM25F is about. Working it out
//! takes a look into each field's dictionary; hence the lists asked for most recently stay, up to a bound.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use tantivy::DocId;

use crate::{
    document::Part,
    segment::{Segment, rarity},
};

/// BM25's damping of repeated terms.
const K1: f32 = 1.2;

/// Most entries kept over all lists, whatever the number of tools: 24 MB. Every list of some 10,000 real tools fits.
const MAX_ENTRIES: usize = 2_000_000;

/// Most entries kept for each tool, where that is more: the lists of the most frequent stems of a very large catalog.
const MAX_ENTRIES_OF_TOOL: usize = 10;

/// Most lists kept, those of stems that no tool has included.
const MAX_LISTS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

/// One tool that has the stem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Earning {
    pub tool: DocId,
    /// Damped occurrences times rarity.
    pub earned: f32,
    /// The stem's share of the rarity of the tool's name; 0 where the name lacks it.
    pub name_share: f32,
}

/// The tools that have a stem, in their order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Postings {
    /// How much the stem tells.
    pub rarity: f32,
    pub earnings: Vec<Earning>,
}

/// The lists of a segment.
#[derive(Debug)]
pub(crate) struct PostingsCache(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    lists: LruCache<String, Arc<Postings>>,
    entries: usize,
}

impl Postings {
    fn read(segment: &Segment, stem: &str) -> tantivy::Result<Self> {
        let with_stem = segment.tools_with(stem)?;
        let rarity = rarity(segment.tools(), with_stem);
        if with_stem == 0 {
            return Ok(Self { rarity, earnings: Vec::new() });
        }
        let mut occurrences: Vec<Earning> = Vec::with_capacity(with_stem as usize);
        for part in Part::ALL {
            let known = occurrences.len();
            let mut at = 0;
            segment.each_with(part, stem, |tool, weight| {
                // Both lists run in the order of the tools.
                while at < known && occurrences[at].tool < tool {
                    at += 1;
                }
                let name_share = if part == Part::Name { rarity / segment.name_rarity(tool) } else { 0.0 };
                match occurrences[..known].get_mut(at) {
                    Some(entry) if entry.tool == tool => entry.earned += weight,
                    _ => occurrences.push(Earning { tool, earned: weight, name_share }),
                }
            })?;
            if known > 0 && occurrences.len() > known {
                occurrences.sort_unstable_by_key(|entry| entry.tool);
            }
        }
        for entry in &mut occurrences {
            entry.earned = rarity * (K1 + 1.0) * entry.earned / (K1 + entry.earned);
        }
        Ok(Self { rarity, earnings: occurrences })
    }

    /// What a tool earns by the stem.
    pub(crate) fn of(&self, tool: DocId) -> Option<&Earning> {
        let at = self.earnings.binary_search_by_key(&tool, |entry| entry.tool).ok()?;
        self.earnings.get(at)
    }
}

impl PostingsCache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Kept { lists: LruCache::new(MAX_LISTS), entries: 0 }))
    }

    /// The list of a stem, from the segment that the cache belongs to.
    pub(crate) fn get(&self, segment: &Segment, stem: &str) -> tantivy::Result<Arc<Postings>> {
        if let Some(known) = self.lock().lists.get(stem) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(Postings::read(segment, stem)?);
        let mut kept = self.lock();
        kept.entries += read.earnings.len();
        if let Some((_, old)) = kept.lists.push(stem.to_owned(), Arc::clone(&read)) {
            kept.entries -= old.earnings.len();
        }
        while kept.entries > MAX_ENTRIES.max(MAX_ENTRIES_OF_TOOL * segment.tools() as usize) {
            match kept.lists.pop_lru() {
                Some((_, old)) => kept.entries -= old.earnings.len(),
                None => break,
            }
        }
        drop(kept);
        Ok(read)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
