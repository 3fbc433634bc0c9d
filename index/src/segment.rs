//! Reads a written index: postings, lengths, keys and ids, by the number of a tool.
//!
//! Owns every access to tantivy when searching. Knows no query and no score; the weights of field lengths, which depend
//! on nothing else, are computed once when it is opened.

use std::sync::Arc;

use tantivy::{
    DocId, SegmentReader, TantivyDocument, TantivyError, Term,
    columnar::ColumnValues,
    index::InvertedIndexReader,
    postings::BlockSegmentPostings,
    query::FuzzyTermQuery,
    schema::{IndexRecordOption, Value},
    store::StoreReader,
};

use crate::{
    document::Part,
    layout::{Key, Layout},
    postings::{Postings, PostingsCache},
};

/// How many blocks of stored ids are kept ready; a block holds several hundred.
const STORE_CACHE_BLOCKS: usize = 16;

/// BM25's correction for long fields.
const B: f32 = 0.75;

/// An index opened for searching.
pub(crate) struct Segment {
    layout: Layout,
    tools: u32,
    store: StoreReader,
    any: Arc<InvertedIndexReader>,
    parts: [Arc<InvertedIndexReader>; Part::ALL.len()],
    keys: [Arc<InvertedIndexReader>; 4],
    /// By field and tool: what one occurrence counts, given the length of the field there.
    occurrence_weights: [Vec<f32>; Part::ALL.len()],
    /// By tool: the summed rarity of the stems of its name.
    name_rarities: Vec<f32>,
    postings: PostingsCache,
}

impl Segment {
    /// Takes an index that `Layout::write` has written.
    pub(crate) fn open(index: &tantivy::Index) -> tantivy::Result<Self> {
        let layout = Layout::new();
        if index.schema() != layout.schema {
            return Err(TantivyError::SchemaError("the fields are not those of this version".into()));
        }
        let segments = index.searchable_segments()?;
        let [segment] = segments.as_slice() else {
            return Err(TantivyError::InternalError(format!("{} segments instead of one", segments.len())));
        };
        let reader = SegmentReader::open(segment)?;
        let part = |part| reader.inverted_index(layout.part(part));
        let [name, title, server, description, argument_names, enum_values, argument_texts, server_description] =
            Part::ALL.map(part);
        let key = |key| reader.inverted_index(layout.key(key));
        let mut opened = Self {
            tools: reader.max_doc(),
            store: reader.get_store_reader(STORE_CACHE_BLOCKS)?,
            any: reader.inverted_index(layout.any)?,
            parts: [
                name?,
                title?,
                server?,
                description?,
                argument_names?,
                enum_values?,
                argument_texts?,
                server_description?,
            ],
            keys: [key(Key::Server)?, key(Key::FullName)?, key(Key::Name)?, key(Key::CompoundName)?],
            occurrence_weights: Default::default(),
            name_rarities: Vec::new(),
            postings: PostingsCache::new(),
            layout,
        };
        for part in Part::ALL {
            opened.occurrence_weights[part as usize] = occurrence_weights(&reader, part)?;
        }
        opened.name_rarities = opened.sum_name_rarities()?;
        Ok(opened)
    }

    /// How many tools there are. Their numbers run from 0 in the order of their ids.
    pub(crate) const fn tools(&self) -> u32 {
        self.tools
    }

    /// How many tools have the stem in any field.
    pub(crate) fn tools_with(&self, stem: &str) -> tantivy::Result<u32> {
        Ok(self.any.doc_freq(&Term::from_field_text(self.layout.any, stem))?)
    }

    /// What a stem earns the tools that have it.
    pub(crate) fn postings(&self, stem: &str) -> tantivy::Result<Arc<Postings>> {
        self.postings.get(self, stem)
    }

    /// Calls back with every tool that has the stem in this field, and the weight of its occurrences there.
    pub(crate) fn each_with(&self, part: Part, stem: &str, mut found: impl FnMut(DocId, f32)) -> tantivy::Result<()> {
        let term = Term::from_field_text(self.layout.part(part), stem);
        let postings = self.parts[part as usize].read_block_postings(&term, IndexRecordOption::WithFreqs)?;
        let weights = &self.occurrence_weights[part as usize];
        each_block(postings, |postings| {
            for (&tool, &count) in postings.docs().iter().zip(postings.freqs()) {
                found(tool, weights[tool as usize] * count as f32);
            }
        });
        Ok(())
    }

    /// The fields in which a tool has the stem, by what they count.
    pub(crate) fn parts_with(&self, stem: &str, tool: DocId) -> tantivy::Result<Vec<Part>> {
        let mut found = Vec::new();
        for part in Part::ALL {
            self.each_with(part, stem, |other, weight| {
                if other == tool {
                    found.push((part, weight));
                }
            })?;
        }
        found.sort_by(|one, other| other.1.total_cmp(&one.1));
        Ok(found.into_iter().map(|(part, _)| part).collect())
    }

    /// The tools that have exactly this key, in their order.
    pub(crate) fn tools_by(&self, key: Key, value: &str) -> tantivy::Result<Vec<DocId>> {
        let term = Term::from_field_text(self.layout.key(key), value);
        let mut found = Vec::new();
        let postings = self.keys[key as usize].read_block_postings(&term, IndexRecordOption::Basic)?;
        each_block(postings, |postings| found.extend_from_slice(postings.docs()));
        Ok(found)
    }

    /// Calls back with every server and its tools, by name.
    pub(crate) fn each_server(&self, mut found: impl FnMut(&str, &[DocId])) -> tantivy::Result<()> {
        let servers = &self.keys[Key::Server as usize];
        let mut stream = servers.terms().stream()?;
        while stream.advance() {
            let mut tools = Vec::new();
            let postings = servers.read_block_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            each_block(Some(postings), |postings| tools.extend_from_slice(postings.docs()));
            found(&String::from_utf8_lossy(stream.key()), &tools);
        }
        Ok(())
    }

    /// Stems of the catalog that are one edit away, in their order; two letters that changed places are one edit.
    pub(crate) fn stems_near(&self, stem: &str) -> tantivy::Result<Vec<String>> {
        let term = Term::from_field_text(self.layout.any, stem);
        let automaton = FuzzyTermQuery::new(term, 1, true).automaton()?;
        let mut stream = self.any.terms().search(automaton).into_stream()?;
        let mut found = Vec::new();
        while stream.advance() {
            found.push(String::from_utf8_lossy(stream.key()).into_owned());
        }
        Ok(found)
    }

    /// The summed rarity of the stems of a tool's name.
    pub(crate) fn name_rarity(&self, tool: DocId) -> f32 {
        self.name_rarities[tool as usize]
    }

    /// The caller's id of a tool.
    pub(crate) fn id(&self, tool: DocId) -> tantivy::Result<String> {
        let row: TantivyDocument = self.store.get(tool)?;
        let id = row.get_first(self.layout.id).and_then(|id| id.as_str().map(str::to_owned));
        id.ok_or_else(|| TantivyError::InternalError(format!("tool {tool} has no id")))
    }

    fn sum_name_rarities(&self) -> tantivy::Result<Vec<f32>> {
        let mut sums = vec![0.0; self.tools as usize];
        let names = &self.parts[Part::Name as usize];
        let mut stream = names.terms().stream()?;
        while stream.advance() {
            let with = self.tools_with(&String::from_utf8_lossy(stream.key()))?;
            let rarity = rarity(self.tools, with);
            let postings = names.read_block_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            each_block(Some(postings), |postings| {
                postings.docs().iter().for_each(|&tool| sums[tool as usize] += rarity);
            });
        }
        Ok(sums)
    }
}

/// How much one occurrence counts in a field of this boost and length.
fn occurrence_weight(boost: f32, length: f32, average_length: f32) -> f32 {
    if average_length > 0.0 { boost / (1.0 - B + B * length / average_length) } else { 0.0 }
}

/// How much a stem tells, when so many of the tools have it.
pub(crate) fn rarity(tools: u32, with_stem: u32) -> f32 {
    let (tools, with_stem) = (tools as f32, with_stem as f32);
    ((tools - with_stem + 0.5) / (with_stem + 0.5)).ln_1p()
}

fn each_block(postings: Option<BlockSegmentPostings>, mut block: impl FnMut(&BlockSegmentPostings)) {
    let Some(mut postings) = postings else { return };
    while postings.block_len() > 0 {
        block(&postings);
        postings.advance();
    }
}

fn occurrence_weights(reader: &SegmentReader, part: Part) -> tantivy::Result<Vec<f32>> {
    let column = reader.fast_fields().u64(&Layout::length_column(part))?.first_or_default_col(0);
    let mut lengths = vec![0; reader.max_doc() as usize];
    column.get_range(0, &mut lengths);
    let average = lengths.iter().sum::<u64>() as f32 / lengths.len().max(1) as f32;
    Ok(lengths.into_iter().map(|length| occurrence_weight(part.boost(), length as f32, average)).collect())
}
