//! The index as the caller holds it: built, opened, searched.
//!
//! Owns the order of hits: tools the query names come first, then those chosen by their scores. Everything it needs is opened once;
//! a search only reads, from any thread.

use std::{
    collections::HashSet,
    error::Error,
    fmt,
    path::{Path, PathBuf},
    thread,
};

use tantivy::{
    DocId,
    directory::{MmapDirectory, RamDirectory},
};

use crate::{
    Hit, IndexError, Query, ToolDocument,
    exact::{self, Candidate},
    generation,
    layout::{Key, Layout},
    model::Model,
    query::{self, Parsed, QueryTerm, Reason},
    segment::Segment,
    select::{self, Chosen, NEED_WEIGHT, Relations},
    servers::Servers,
    spelling,
    vectors::Vectors,
    view::View,
};

/// How often an index that was replaced while it was being opened is looked for again.
const OPEN_ATTEMPTS: usize = 3;

/// Tools, ready to be searched.
pub struct Index {
    segment: Segment,
    servers: Servers,
    vectors: Vectors,
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
        let documents = in_order(documents);
        let old = generation::current(dir).and_then(|home| Vectors::read(&home).ok()).unwrap_or_default();
        let home = generation::build(dir, key, |home| {
            let directory = MmapDirectory::open(home).map_err(|source| IndexError::Build { source: source.into() })?;
            let (written, vectors) = thread::scope(|scope| {
                let vectors = scope.spawn(|| Vectors::of(&documents, &old));
                (Layout::new().write(directory, &documents), vectors.join())
            });
            written.map_err(build_error)?;
            let vectors = vectors.map_err(|_| IndexError::Build { source: "the vectors could not be made".into() })?;
            vectors.write(home).map_err(|source| IndexError::Io { action: "write", path: home.into(), source })
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
        let documents = in_order(documents);
        let index = Layout::new().write(RamDirectory::create(), &documents).map_err(build_error)?;
        let segment = Segment::open(&index).map_err(build_error)?;
        let servers = Servers::read(&segment).map_err(build_error)?;
        Ok(Self {
            segment,
            servers,
            vectors: Vectors::of(&documents, &Vectors::default()),
            dir: PathBuf::from("memory"),
        })
    }

    fn open_generation(dir: &Path, home: &Path) -> Result<Self, IndexError> {
        let damaged = |source: Box<dyn Error + Send + Sync>| IndexError::Damaged { dir: dir.into(), source };
        let open = || Segment::open(&tantivy::Index::open(MmapDirectory::open(home)?)?);
        let segment = open().map_err(|source| damaged(source.into()))?;
        let vectors = Vectors::read(home).map_err(|source| damaged(source.into()))?;
        if Model::get().is_some() && vectors.len() != segment.tools() as usize {
            return Err(damaged("there are not as many vectors as tools".into()));
        }
        let servers = Servers::read(&segment).map_err(|source| damaged(source.into()))?;
        Ok(Self { segment, servers, vectors, dir: dir.into() })
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

    /// The tools for a query, best first: those it names, then all others, however little they fit (see [`Hit::fit`]; in a
    /// build without the model, those that have any of its terms). Ties go by id. An empty query, or one of stop words only,
    /// finds nothing.
    ///
    /// # Errors
    /// `Damaged`, where the index can no longer be read.
    pub fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, IndexError> {
        self.find(query).map_err(|source| IndexError::Damaged { dir: self.dir.clone(), source: source.into() })
    }

    fn find(&self, query: &Query<'_>) -> tantivy::Result<Vec<Hit>> {
        let parsed = query::parse(query.text);
        let limit = query.limit.min(self.len());
        if limit == 0 {
            return Ok(Vec::new());
        }
        let allowed = query.server.map(|server| self.tools_of(server)).transpose()?;
        let allowed = allowed.as_deref();
        let habits = self.habits(query)?;
        let corrections = spelling::corrections(&self.segment, &parsed.terms)?;
        let view = |text, terms: &[QueryTerm], habits| {
            let meaning = self.meaning(&spelling::correct(text, &corrections));
            View::of(terms, &self.segment, &self.servers, meaning, habits, allowed)
        };
        let whole = view(parsed.text, &parsed.terms, habits)?;
        let needs = parsed.needs.iter().map(|need| Ok(view(need.text, &need.terms, Vec::new())?.scores));
        let needs = needs.collect::<tantivy::Result<Vec<_>>>()?;
        let named = self.named(&parsed, &whole, allowed, limit)?;
        if named.is_empty() && parsed.terms.is_empty() {
            return Ok(Vec::new());
        }
        let relations = Related { index: self, wanted: &whole.servers, filtered: allowed.is_some() };
        let others = select::choose(&whole.scores, &needs, limit.saturating_add(named.len()), &relations);
        let known: HashSet<DocId> = named.iter().copied().collect();
        let others = others.into_iter().filter(|chosen| !known.contains(&chosen.tool));
        let named = named.into_iter().map(|tool| {
            Ok(Hit {
                id: self.segment.id(tool)?,
                // Where words are all there is, a named tool may have none of them.
                score: whole.scores[tool as usize].max(0.0),
                exact: true,
                fit: 1.0,
                reasons: Vec::new(),
            })
        });
        let others = others.map(|chosen| {
            Ok(Hit {
                id: self.segment.id(chosen.tool)?,
                score: chosen.score,
                exact: false,
                fit: whole.fit(chosen.tool),
                reasons: if query.explain { self.reasons(&chosen, &whole, &parsed)? } else { Vec::new() },
            })
        });
        named.chain(others).take(limit).collect()
    }

    /// What a chosen tool's score is the sum of.
    fn reasons(&self, chosen: &Chosen, whole: &View, parsed: &Parsed<'_>) -> tantivy::Result<Vec<Reason>> {
        let mut reasons = whole.reasons(chosen.tool, &self.segment, &self.servers)?;
        if let Some((need, points)) = chosen.need {
            reasons.iter_mut().for_each(|reason| reason.points *= 1.0 - NEED_WEIGHT);
            let need = parsed.needs.get(need).map_or("", |need| need.text);
            reasons.push(Reason { points, why: format!("fits the part \"{need}\"") });
        }
        if chosen.cost > 0.0 {
            reasons.push(Reason {
                points: -chosen.cost,
                why: "much like others before it, or one of many of its server".into(),
            });
        }
        Ok(reasons)
    }

    /// The tools that queries like this one led to.
    fn habits(&self, query: &Query<'_>) -> tantivy::Result<Vec<(DocId, f32)>> {
        let mut found = Vec::new();
        for (id, strength) in query.habits.of(query.text) {
            for tool in self.segment.tools_by(Key::FullName, &exact::key(id))? {
                if self.segment.id(tool)? == id {
                    found.push((tool, strength));
                }
            }
        }
        Ok(found)
    }

    /// How near each tool comes to a text in meaning; nothing where the build has no model, or the text no known word.
    fn meaning(&self, text: &str) -> Option<Vec<f32>> {
        let direction = Model::get()?.direction(text);
        (!direction.is_zero()).then(|| self.vectors.cosines(&direction.probe()))
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
        parsed: &Parsed<'_>,
        whole: &View,
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
        let mut turns: Vec<_> = names.into_iter().map(|named| whole.sorted(named.bare).into_iter()).collect();
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

/// What the choice must know of the tools.
struct Related<'a> {
    index: &'a Index,
    /// Servers that the query names.
    wanted: &'a [u32],
    /// The caller wants one server only.
    filtered: bool,
}

impl Relations for Related<'_> {
    fn server(&self, tool: DocId) -> u32 {
        self.index.servers.of(tool)
    }

    fn nearness(&self, one: DocId, other: DocId) -> f32 {
        self.index.vectors.nearness(one as usize, other as usize)
    }

    fn is_wanted(&self, server: u32) -> bool {
        self.filtered || self.wanted.binary_search(&server).is_ok()
    }
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

/// The documents in the order of their ids. Of several with one id, the first is taken.
fn in_order(documents: &[ToolDocument]) -> Vec<&ToolDocument> {
    let mut sorted: Vec<&ToolDocument> = documents.iter().collect();
    sorted.sort_by(|one, other| one.id.cmp(&other.id));
    sorted.dedup_by(|later, first| later.id == first.id);
    sorted
}

fn build_error(source: tantivy::TantivyError) -> IndexError {
    IndexError::Build { source: source.into() }
}

#[cfg(test)]
mod tests;
