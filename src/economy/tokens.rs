//! Counting tokens: exactly in o200k_base, or nearly and at once where the start may not wait for its table.
//!
//! Loading the table of 200,000 entries takes long, so it is loaded on first use and never on the way to the first
//! answer (156 ms in a development build, measured): [`super::estimate`] needs none. [`warm_up`] loads it in the background once the server has answered.

use tiktoken_rs::o200k_base_singleton;

/// Longest text given to the tokenizer at once, in bytes. Its regular expression can fail on endless runs of one kind of
/// character and its merging is quadratic in them, so longer texts are counted in pieces, cut where a token ends anyway.
const PIECE_BYTES: usize = 4096;

/// Most bytes that one o200k_base token stands for (128 spaces).
const LONGEST_TOKEN_BYTES: usize = 128;

/// Tokens of a text in o200k_base. Special tokens in it count as plain text.
#[must_use]
pub fn count(text: &str) -> usize {
    pieces(text).map(|piece| o200k_base_singleton().count_ordinary(piece)).sum()
}

/// Whether a text has at most `budget` tokens. Stops counting as soon as it knows.
#[must_use]
pub fn fits(text: &str, budget: usize) -> bool {
    // A token is at least one byte, so a short text needs no count, and at most 128, so neither does a very long one.
    if text.len() <= budget {
        return true;
    }
    if text.len() / LONGEST_TOKEN_BYTES > budget {
        return false;
    }
    let mut left = budget;
    for piece in pieces(text) {
        match left.checked_sub(o200k_base_singleton().count_ordinary(piece)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

/// The longest start of a text that has at most `budget` tokens, and how many it has. Cut between characters.
#[must_use]
pub fn prefix(text: &str, budget: usize) -> (&str, usize) {
    let mut used = 0;
    let mut end = 0;
    for piece in pieces(text) {
        let tokens = o200k_base_singleton().count_ordinary(piece);
        if used + tokens > budget {
            let part = prefix_of_piece(piece, budget - used);
            return (&text[..end + part.len()], used + o200k_base_singleton().count_ordinary(part));
        }
        used += tokens;
        end += piece.len();
    }
    (text, used)
}

/// Tokens of a long text, from a sample: exact up to 256 KiB, beyond that from pieces spread evenly over it.
#[must_use]
pub fn count_roughly(text: &str) -> usize {
    const EXACT_BYTES: usize = 64 * PIECE_BYTES;
    const SAMPLE_BYTES: usize = 16 * PIECE_BYTES;
    if text.len() <= EXACT_BYTES {
        return count(text);
    }
    let stride = text.len().div_ceil(SAMPLE_BYTES);
    let (bytes, tokens) = pieces(text).step_by(stride).fold((0, 0), |(bytes, tokens), piece| {
        (bytes + piece.len(), tokens + o200k_base_singleton().count_ordinary(piece))
    });
    // In 128 bits, because text length times tokens may pass 64.
    usize::try_from(text.len() as u128 * tokens as u128 / bytes.max(1) as u128).unwrap_or(usize::MAX)
}

/// Loads the table unless it is loaded. Blocks for as long as that takes; meant for a thread beside the first answers.
pub fn warm_up() {
    o200k_base_singleton();
}

fn prefix_of_piece(piece: &str, budget: usize) -> &str {
    // Not monotonic in theory (merging across the cut), so the search keeps the longest prefix it has seen fit.
    let (mut fit, mut too_long) = (0, piece.len());
    while too_long - fit > 1 {
        let middle = floor_char_boundary(piece, fit + (too_long - fit) / 2);
        if middle <= fit {
            break;
        }
        if o200k_base_singleton().count_ordinary(&piece[..middle]) <= budget {
            fit = middle;
        } else {
            too_long = middle;
        }
    }
    &piece[..fit]
}

/// A text in pieces of at most [`PIECE_BYTES`], cut before a space between letters or at a line end where there is one.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, tail) = rest.split_at(piece_end(rest));
        rest = tail;
        Some(piece)
    })
}

fn piece_end(text: &str) -> usize {
    if text.len() <= PIECE_BYTES {
        return text.len();
    }
    let hard = floor_char_boundary(text, PIECE_BYTES);
    let bytes = text.as_bytes();
    // At these places a token ends whatever stands around: ` word` takes its space along, and `\n` does not take a letter.
    let clean = |at: &usize| {
        let (before, here, after) = (bytes[at - 1], bytes[*at], bytes[at + 1]);
        (here == b' ' && before.is_ascii_alphanumeric() && after.is_ascii_alphabetic())
            || (before == b'\n' && here.is_ascii_alphanumeric())
    };
    (PIECE_BYTES / 2..hard).rev().find(clean).unwrap_or(hard)
}

/// The largest character border at or before `at`.
pub(super) fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_in_o200k_base() {
        assert_eq!(count("hello world"), 2);
        assert_eq!(count(""), 0);
        assert_eq!(count("<|endoftext|>"), 7);
    }

    #[test]
    fn a_long_text_costs_in_pieces_what_it_costs_whole() {
        let text = "The quick brown fox jumps over the lazy dog, again.\nAnother line follows 42 times.\n".repeat(200);
        assert_eq!(count(&text), o200k_base_singleton().count_ordinary(&text));
    }

    #[test]
    fn endless_runs_of_one_character_are_counted_without_failing() {
        for run in [" ", "a", "\n", "=", "é"] {
            assert!(count(&run.repeat(100_000)) > 0);
        }
    }

    #[test]
    fn fits_agrees_with_count_at_the_border() {
        let text = "list the open pull requests of this repository ".repeat(50);
        let tokens = count(&text);
        assert!(fits(&text, tokens));
        assert!(!fits(&text, tokens - 1));
    }

    #[test]
    fn a_prefix_never_costs_more_than_its_budget_and_ends_between_characters() {
        let text = "größer 東京 🚀 and a tail of plain words ".repeat(300);
        for budget in [0, 1, 7, 100, 2000] {
            let (part, tokens) = prefix(&text, budget);
            assert!(tokens <= budget && count(part) == tokens, "{budget}: {tokens}");
        }
    }

    #[test]
    fn a_rough_count_of_a_large_text_is_within_five_percent() {
        let text = (0..40_000).map(|n| format!("{{\"id\":{n},\"name\":\"item {n}\"}}\n")).collect::<String>();
        let (exact, rough) = (count(&text), count_roughly(&text));
        assert!(exact.abs_diff(rough) * 20 <= exact, "{exact} {rough}");
    }
}
