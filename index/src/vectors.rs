//! The directions of all tools, in memory and in a file beside the postings, in the order of the tools' numbers.
//!
//! Each is kept with a hash of the text it was made from, so that a new index takes over what did not change and embeds
//! the rest only. Knows no query; what a text means is the model's business.

use std::{
    collections::HashMap,
    fs, io,
    path::Path,
    thread::{self, available_parallelism},
};

use sha2::{Digest, Sha256};

use crate::{
    ToolDocument,
    model::{self, DIMENSIONS, Model, Packed, Probe, ToolText},
};

/// Its name within a generation.
pub(crate) const FILE: &str = "vectors.bin";

/// Bytes of the hash of a text that are kept: enough that no two of a billion texts share one.
const HASH_BYTES: usize = 16;

/// Bytes of the scale that the numbers of a direction are multiplied with.
const SCALE_BYTES: usize = 4;

/// From so many tools on, several threads compare them: below, starting the threads takes longer than it saves.
const MANY: usize = 50_000;

/// Most threads that compare.
const MAX_THREADS: usize = 4;

/// Identifies a text of a tool, and the model.
type TextHash = [u8; HASH_BYTES];

/// One direction for each tool.
#[derive(Debug, Default)]
pub(crate) struct Vectors {
    hashes: Vec<TextHash>,
    scales: Vec<f32>,
    values: Vec<[i8; DIMENSIONS]>,
}

impl Vectors {
    /// Of documents in the order of their tools' numbers. Takes over what `old` has of the same text.
    pub(crate) fn of(documents: &[&ToolDocument], old: &Self) -> Self {
        let Some(model) = Model::get() else { return Self::default() };
        let known: HashMap<&TextHash, usize> = old.hashes.iter().zip(0..).collect();
        let mut vectors = Self::default();
        for document in documents {
            let text = ToolText::of(document);
            let hash = hash(&text);
            let packed = match known.get(&hash) {
                Some(&at) => Packed { scale: old.scales[at], values: old.values[at] },
                None => model.tool_direction(&text).pack(),
            };
            vectors.hashes.push(hash);
            vectors.scales.push(packed.scale);
            vectors.values.push(packed.values);
        }
        vectors
    }

    /// How near every tool comes to a query.
    pub(crate) fn cosines(&self, query: &Probe) -> Vec<f32> {
        let threads =
            if self.len() < MANY { 1 } else { available_parallelism().map_or(1, usize::from).min(MAX_THREADS) };
        if threads == 1 {
            return query.cosines(&self.values, &self.scales);
        }
        let part = self.len().div_ceil(threads);
        let parts = self.values.chunks(part).zip(self.scales.chunks(part));
        thread::scope(|scope| {
            let started: Vec<_> = parts.map(|(values, scales)| scope.spawn(|| query.cosines(values, scales))).collect();
            started.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }

    /// How near two tools come to each other.
    pub(crate) fn nearness(&self, one: usize, other: usize) -> f32 {
        let pair =
            self.values.get(one).zip(self.values.get(other)).zip(self.scales.get(one).zip(self.scales.get(other)));
        pair.map_or(0.0, |((one, other), (scale, other_scale))| model::product(one, other) as f32 * scale * other_scale)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Writes them into a generation: all hashes, then all scales, then all numbers.
    pub(crate) fn write(&self, home: &Path) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(self.len() * (HASH_BYTES + SCALE_BYTES + DIMENSIONS));
        bytes.extend(self.hashes.iter().flatten());
        bytes.extend(self.scales.iter().flat_map(|scale| scale.to_le_bytes()));
        bytes.extend(self.values.iter().flatten().map(|&value| value as u8));
        fs::write(home.join(FILE), bytes)
    }

    /// Reads what [`Vectors::write`] wrote.
    pub(crate) fn read(home: &Path) -> io::Result<Self> {
        let bytes = fs::read(home.join(FILE))?;
        let tools = bytes.len() / (HASH_BYTES + SCALE_BYTES + DIMENSIONS);
        let (hashes, rest) = bytes.split_at_checked(tools * HASH_BYTES).ok_or_else(wrong_length)?;
        let (scales, values) = rest.split_at_checked(tools * SCALE_BYTES).ok_or_else(wrong_length)?;
        if values.len() != tools * DIMENSIONS {
            return Err(wrong_length());
        }
        let (hashes, _) = hashes.as_chunks();
        let (scales, _) = scales.as_chunks();
        let (values, _) = values.as_chunks();
        Ok(Self {
            hashes: hashes.to_vec(),
            scales: scales.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            values: values.iter().map(|values: &[u8; DIMENSIONS]| values.map(|value| value as i8)).collect(),
        })
    }
}

fn wrong_length() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the vectors are not those of the tools")
}

fn hash(text: &ToolText) -> TextHash {
    let hasher = Sha256::new().chain_update(model::VERSION).chain_update(&text.tool).chain_update([0]);
    let digest: [u8; 32] = hasher.chain_update(&text.server).finalize().into();
    let mut hash = [0; HASH_BYTES];
    hash.copy_from_slice(&digest[..HASH_BYTES]);
    hash
}
