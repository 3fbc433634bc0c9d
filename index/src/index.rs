//! The index as the caller holds it: built, opened, searched.
//!
//! Owns the order of hits: tools the query names come first, then the best scored. Everything it needs is opened once;
//! a search only reads, from any thread.

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
};

use tantivy::{
    DocId,
    directory::{MmapDirectory, RamDirectory},
};

use crate::{
    Hit, IndexError, Query, ToolDocument,
    exact::{Candidate, Candidates},
    generation,
    layout::{Key, Layout},
    query::{self, Parsed},
    rank::{self, Scores},
    segment::Segment,
};

/// How often an index that was replaced while it was being opened is looked for again.
const OPEN_ATTEMPTS: usize = 3;

/// Tools, ready to be searched.
pub struct Index {
    segment: Segment,
    /// Where it lies, for messages.
    dir: PathBuf,
}

impl Index {
    /// Builds an index beside whatever is in `dir`, then puts it in its place. `key` says what the documents are, such
    /// as a hash of the catalog; [`Index::open`] wants the same one. A build that is killed leaves the old index as it was.
    ///
    /// # Errors
    /// `Busy` while another process builds there; `Io` or `Build` where the disk refuses.
    pub fn build(dir: &Path, documents: &[ToolDocument], key: &str) -> Result<Self, IndexError> {
        let home = generation::build(dir, key, |home| {
            let directory = MmapDirectory::open(home).map_err(|source| IndexError::Build { source: source.into() })?;
            Layout::new().write(directory, documents).map_err(build_error)?;
            Ok(())
        })?;
        Self::open_generation(dir, &home)
    }

    /// Opens the index in `dir`, if it is of these documents. Reads every file once, to know that it is whole.
    ///
    /// # Errors
    /// `Missing`, `Outdated` or `Damaged`, all of which [`Index::build`] cures; `Io` where the disk refuses.
    pub fn open(dir: &Path, key: &str) -> Result<Self, IndexError> {
        let mut attempt = 1;
        loop {
            let opened = generation::find(dir, key).and_then(|home| Self::open_generation(dir, &home));
            match opened {
                // Another process may have built anew, and removed what was being read.
                Err(IndexError::Damaged { .. }) if attempt < OPEN_ATTEMPTS => attempt += 1,
                result => return result,
            }
        }
    }

    /// An index that lies in memory only.
    ///
    /// # Errors
    /// `Build`, where tantivy refuses.
    pub fn in_memory(documents: &[ToolDocument]) -> Result<Self, IndexError> {
        let index = Layout::new().write(RamDirectory::create(), documents).map_err(build_error)?;
        Ok(Self { segment: Segment::open(&index).map_err(build_error)?, dir: PathBuf::from("memory") })
    }

    fn open_generation(dir: &Path, home: &Path) -> Result<Self, IndexError> {
        let open = || Segment::open(&tantivy::Index::open(MmapDirectory::open(home)?)?);
        let segment = open().map_err(|source| IndexError::Damaged { dir: dir.into(), source: source.into() })?;
        Ok(Self { segment, dir: dir.into() })
    }

    /// How many tools it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segment.tools() as usize
    }

    /// Whether it has no tool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tools that fit a query, best first: those it names, then all that have any of its terms. Ties go by id. An
    /// empty query, or one of stop words only, finds nothing.
    ///
    /// # Errors
    /// `Damaged`, where the index can no longer be read.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, IndexError> {
        self.find(query).map_err(|source| IndexError::Damaged { dir: self.dir.clone(), source: source.into() })
    }

    fn find(&self, query: &Query<'_>) -> tantivy::Result<Vec<Hit>> {
        let parsed = query::parse(query.text);
        let limit = query.limit.min(self.len());
        if limit == 0 || (parsed.terms.is_empty() && parsed.names == Candidates::default()) {
            return Ok(Vec::new());
        }
        let allowed = query.server.map(|server| self.tools_of(server)).transpose()?;
        let scores = rank::score(&self.segment, &parsed.terms, allowed.as_deref())?;
        let named = self.named(&parsed, &scores, allowed.as_deref(), limit)?;
        let others = scores.best(limit.saturating_add(named.len()));
        let known: HashSet<DocId> = named.iter().copied().collect();
        let others = others.into_iter().filter(|tool| !known.contains(tool)).map(|tool| (tool, Exact::No));
        let found = named.into_iter().map(|tool| (tool, Exact::Yes)).chain(others).take(limit);
        found.map(|(tool, exact)| self.hit(tool, exact, &parsed, &scores)).collect()
    }

    fn hit(&self, tool: DocId, exact: Exact, parsed: &Parsed, scores: &Scores) -> tantivy::Result<Hit> {
        Ok(Hit {
            id: self.segment.id(tool)?,
            score: scores.fused[tool as usize],
            exact: exact == Exact::Yes,
            matched_terms: scores.matched_terms(tool),
            query_terms: parsed.terms.len(),
            coverage: scores.coverage(tool),
        })
    }

    fn tools_of(&self, server: &str) -> tantivy::Result<Vec<bool>> {
        let mut allowed = vec![false; self.len()];
        for tool in self.segment.tools_by(Key::Server, server)? {
            allowed[tool as usize] = true;
        }
        Ok(allowed)
    }

    /// The tools the query names: by full name first, then by bare name; of several names each in turn, so that a name
    /// that many servers use does not crowd out the next one.
    fn named(
        &self,
        parsed: &Parsed,
        scores: &Scores,
        allowed: Option<&[bool]>,
        limit: usize,
    ) -> tantivy::Result<Vec<DocId>> {
        let look_up =
            |names: &[Candidate]| names.iter().map(|name| self.tools_named(name)).collect::<Result<Vec<_>, _>>();
        let mut names = look_up(&parsed.names.single)?;
        let list = look_up(&parsed.names.list)?;
        if list.iter().all(|named| !named.is_empty()) {
            names.extend(list);
        }
        let mut seen = HashSet::new();
        let mut is_new = |tool: &DocId| allowed.is_none_or(|allowed| allowed[*tool as usize]) && seen.insert(*tool);
        let mut found: Vec<DocId> = names.iter().flat_map(|named| &named.full).copied().filter(&mut is_new).collect();
        let mut turns: Vec<_> = names.into_iter().map(|named| scores.sorted(named.bare).into_iter()).collect();
        while found.len() < limit && !turns.is_empty() {
            turns.retain_mut(|turn| turn.find(&mut is_new).map(|tool| found.push(tool)).is_some());
        }
        found.truncate(limit);
        Ok(found)
    }

    fn tools_named(&self, name: &Candidate) -> tantivy::Result<Named> {
        let bare = if name.may_be_one_word { Key::Name } else { Key::CompoundName };
        Ok(Named {
            full: self.segment.tools_by(Key::FullName, &name.key)?,
            bare: self.segment.tools_by(bare, &name.key)?,
        })
    }
}

/// Whether the query names a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exact {
    Yes,
    No,
}

/// The tools of one name.
#[derive(Debug)]
struct Named {
    full: Vec<DocId>,
    bare: Vec<DocId>,
}

impl Named {
    const fn is_empty(&self) -> bool {
        self.full.is_empty() && self.bare.is_empty()
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("dir", &self.dir).field("tools", &self.len()).finish_non_exhaustive()
    }
}

fn build_error(source: tantivy::TantivyError) -> IndexError {
    IndexError::Build { source: source.into() }
}

#[cfg(test)]
mod tests;
