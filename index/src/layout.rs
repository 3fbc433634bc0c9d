//! How tools lie in tantivy: which fields there are, and how a tool is written into them.
//!
//! One document per tool, in the order of their ids, in one segment: a document's number is its place in that order.
//! Knows no scores. A change here raises `generation::FORMAT`.

use std::collections::BTreeSet;

use tantivy::{
    Directory, TantivyDocument,
    index::IndexBuilder,
    schema::{FAST, Field, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions},
};

use crate::{
    ToolDocument, analyzer,
    document::{Fields, Part},
    exact,
};

/// What tantivy sizes its first tables by, in bytes; they grow as needed.
const WRITER_MEMORY_BYTES: usize = 15_000_000;

/// Longest server name kept whole for the filter, in bytes: tantivy drops a term of more than 64 KiB.
const MAX_KEY_BYTES: usize = 1_024;

/// A field that is looked up whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// The server, as it is.
    Server,
    /// The key of the full name, with and without what the id puts between server and name.
    FullName,
    /// The key of the bare name.
    Name,
    /// The key of a bare name that has several words.
    CompoundName,
}

/// The fields of the tantivy schema.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub schema: Schema,
    /// Every stem of a tool, whatever its field: the dictionary of the catalog and the document frequencies of BM25F.
    pub any: Field,
    /// The caller's id.
    pub id: Field,
    parts: [Field; Part::ALL.len()],
    lengths: [Field; Part::ALL.len()],
    keys: [Field; 4],
}

impl Layout {
    pub(crate) fn new() -> Self {
        let mut schema = Schema::builder();
        // Lengths are kept exactly, in columns: tantivy's own field norms round them.
        let indexed = |tokenizer, option| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_fieldnorms(false);
            TextOptions::default().set_indexing_options(indexing.set_index_option(option))
        };
        // Our analyzer has run already, and no stem has a space.
        let counted = indexed("whitespace", IndexRecordOption::WithFreqs);
        let listed = indexed("whitespace", IndexRecordOption::Basic);
        let whole = indexed("raw", IndexRecordOption::Basic);
        Self {
            any: schema.add_text_field("any", listed),
            id: schema.add_text_field("id", STORED),
            parts: Part::ALL.map(|part| schema.add_text_field(part.label(), counted.clone())),
            lengths: Part::ALL.map(|part| schema.add_u64_field(&Self::length_column(part), FAST)),
            keys: ["key_server", "key_full_name", "key_name", "key_compound_name"]
                .map(|name| schema.add_text_field(name, whole.clone())),
            schema: schema.build(),
        }
    }

    pub(crate) fn length_column(part: Part) -> String {
        format!("length_{}", part.label())
    }

    pub(crate) const fn part(&self, part: Part) -> Field {
        self.parts[part as usize]
    }

    pub(crate) const fn key(&self, key: Key) -> Field {
        self.keys[key as usize]
    }

    /// Writes an index of documents into an empty directory, in their order. No two have one id.
    pub(crate) fn write(
        &self,
        directory: impl Into<Box<dyn Directory>>,
        documents: &[&ToolDocument],
    ) -> tantivy::Result<tantivy::Index> {
        let builder = IndexBuilder::new().schema(self.schema.clone());
        let mut writer = builder.single_segment_index_writer(directory, WRITER_MEMORY_BYTES)?;
        for document in documents {
            writer.add_document(self.row(document))?;
        }
        writer.finalize()
    }

    fn row(&self, document: &ToolDocument) -> TantivyDocument {
        let fields = Fields::of(document);
        let mut row = TantivyDocument::default();
        row.add_text(self.id, &document.id);
        let mut all = BTreeSet::new();
        for part in Part::ALL {
            let stems = fields.of_part(part);
            all.extend(stems.iter().map(String::as_str));
            row.add_u64(self.lengths[part as usize], stems.len() as u64);
            row.add_text(self.part(part), stems.join(" "));
        }
        row.add_text(self.any, Vec::from_iter(all).join(" "));
        if document.server.len() <= MAX_KEY_BYTES {
            row.add_text(self.key(Key::Server), &document.server);
        }
        let name = exact::key(&document.name);
        let full_names = BTreeSet::from([exact::key(&document.id), exact::key(&document.server) + &name]);
        for full_name in full_names {
            row.add_text(self.key(Key::FullName), full_name);
        }
        if analyzer::words(&document.name).len() > 1 {
            row.add_text(self.key(Key::CompoundName), &name);
        }
        row.add_text(self.key(Key::Name), name);
        row
    }
}
