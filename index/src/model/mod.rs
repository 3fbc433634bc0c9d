//! The static embedding model: what a text means as a direction, so that texts in other words come near each other.
//!
//! Owns the model that is built in with the feature `model` and what of a tool it reads. A vector is the sum of its tokens' vectors, made in advance:
//! some microseconds a query, no network, no run-time. Where the model comes from is told in `model/README.md`.

#[cfg(feature = "model")]
mod embedded;
mod vector;
#[cfg_attr(not(feature = "model"), expect(dead_code, reason = "there is no vocabulary to read"))]
mod wordpiece;

#[cfg(feature = "model")]
pub(crate) use embedded::VERSION;

/// There is no model, so no vectors are made.
#[cfg(not(feature = "model"))]
pub(crate) const VERSION: &str = "none";

pub(crate) use vector::{DIMENSIONS, Direction, Packed, Probe, product};
use wordpiece::{TokenId, Vocabulary};

use crate::{ToolDocument, analyzer, document::head};

/// How many slots a token has among the neighbours, and the bytes of one.
const NEIGHBOURS_OF_ONE: usize = 8;
const NEIGHBOUR_BYTES: usize = 3;

/// How much of a description is read, in characters: the model was made with that much.
const MAX_DESCRIPTION_CHARS: usize = 800;

/// How much of a server's description is read, in characters.
const MAX_SERVER_DESCRIPTION_CHARS: usize = 400;

/// How far a tool's direction is bent towards its server's. Chosen on the dev sets, see README.
const SERVER_SHARE: f32 = 0.15;

/// A vocabulary with its vectors.
pub(crate) struct Model {
    vocabulary: Vocabulary,
    /// A row of bytes for each token, after one another.
    rows: &'static [u8],
    /// What the bytes of a row are worth: a little-endian `f32` for each token.
    scales: &'static [u8],
    /// For each token that is a word by itself, the words nearest in meaning: slots of a little-endian `u16`, the token, and
    /// a byte, the cosine in 255ths; 0 in an empty slot.
    neighbours: &'static [u8],
}

impl Model {
    /// The model, where this build has one. Read when first used.
    pub(crate) fn get() -> Option<&'static Self> {
        #[cfg(feature = "model")]
        return Some(&embedded::MODEL);
        #[cfg(not(feature = "model"))]
        None
    }

    /// Where a text points. Tokens count as often as they occur; their vectors are longer the more they tell.
    pub(crate) fn direction(&self, text: &str) -> Direction {
        let mut sum = [0.0; DIMENSIONS];
        for token in self.vocabulary.tokens(text) {
            let (row, scale) = self.row(token);
            for (sum, &value) in sum.iter_mut().zip(row) {
                *sum += f32::from(value as i8) * scale;
            }
        }
        Direction::of(sum)
    }

    /// A token's bytes and their worth; of a token without a row, none.
    fn row(&self, token: TokenId) -> (&'static [u8], f32) {
        let at = token as usize;
        let row = self.rows.get(at * DIMENSIONS..(at + 1) * DIMENSIONS).unwrap_or_default();
        let scale = self.scales.get(at * 4..at * 4 + 4).and_then(|bytes| bytes.try_into().ok());
        (row, scale.map_or(0.0, f32::from_le_bytes))
    }

    /// Where a tool points: where its own text does, and a little where its server does.
    pub(crate) fn tool_direction(&self, text: &ToolText) -> Direction {
        self.direction(&text.tool).towards(&self.direction(&text.server), SERVER_SHARE)
    }

    /// Whether the model knows a word in lower case. Such a word is hardly a slip of another.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.vocabulary.token(word).is_some()
    }

    /// The words nearest in meaning to one in lower case, nearest first, no two with one stem.
    pub(crate) fn neighbours(&self, word: &str) -> impl Iterator<Item = Neighbour> {
        let at = self.vocabulary.token(word).map_or(usize::MAX, |token| token as usize);
        let start = at.saturating_mul(NEIGHBOURS_OF_ONE * NEIGHBOUR_BYTES);
        let slots = self.neighbours.get(start..).unwrap_or_default().as_chunks().0.iter().take(NEIGHBOURS_OF_ONE);
        slots.map_while(|&[low, high, nearness]: &[u8; NEIGHBOUR_BYTES]| {
            let word = self.vocabulary.word(u16::from_le_bytes([low, high]).into())?;
            (nearness > 0).then(|| Neighbour { word, nearness: f32::from(nearness) / 255.0 })
        })
    }
}

/// A word near another in meaning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    pub word: &'static str,
    /// The cosine of the two, 0 to 1.
    pub nearness: f32,
}

/// What of a tool is read for its direction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ToolText {
    /// The words of its name and server, and the beginning of its description.
    pub tool: String,
    /// What its server is.
    pub server: String,
}

impl ToolText {
    pub(crate) fn of(document: &ToolDocument) -> Self {
        let spaced = |identifier: &str| analyzer::words(identifier).join(" ");
        let (name, server) = (spaced(&document.name), spaced(&document.server));
        let description = head(&document.description, MAX_DESCRIPTION_CHARS);
        let of_server = head(&document.server_description, MAX_SERVER_DESCRIPTION_CHARS);
        Self { tool: format!("{name} {server}. {description}"), server: format!("{server}. {of_server}") }
    }
}
