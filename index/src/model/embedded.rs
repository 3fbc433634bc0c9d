//! The files of `model/`, built into the program.

use std::sync::LazyLock;

use super::{Model, wordpiece::Vocabulary};

/// Changes with the model: vectors of another version are not compared.
pub(crate) const VERSION: &str = "toolvec-256.2";

/// One token a line; its number is the row of its vector.
static VOCABULARY: &str = include_str!("../../model/vocabulary.txt");

pub(super) static MODEL: LazyLock<Model> = LazyLock::new(|| Model {
    vocabulary: Vocabulary::new(VOCABULARY),
    rows: include_bytes!("../../model/rows.i8"),
    scales: include_bytes!("../../model/scales.f32"),
    neighbours: include_bytes!("../../model/neighbours.bin"),
});

#[cfg(test)]
mod tests {
    use super::{super::DIMENSIONS, *};

    #[test]
    fn the_version_changes_with_the_files() {
        let mut sum = crc32fast::Hasher::new();
        [VOCABULARY.as_bytes(), MODEL.rows, MODEL.scales, MODEL.neighbours].iter().for_each(|file| sum.update(file));
        let expected = ("toolvec-256.2", 0xa023_4eb9);
        assert_eq!((VERSION, sum.finalize()), expected, "a new model needs a new version, here and above");
    }

    #[test]
    fn the_files_are_of_one_model() {
        let tokens = VOCABULARY.lines().count();
        assert_eq!(MODEL.rows.len(), tokens * DIMENSIONS);
        assert_eq!(MODEL.scales.len(), tokens * 4);
        assert_eq!(MODEL.neighbours.len(), tokens * 8 * 3);
    }

    #[test]
    fn other_words_for_one_thing_point_the_same_way() {
        let nearness = |one: &str, other: &str| MODEL.direction(one).probe().cosine(&MODEL.direction(other).pack());
        for (one, same, other) in [
            ("delete a file", "remove a document", "translate a sentence"),
            ("give the customer their money back", "refund a payment", "list open pull requests"),
            ("k8s pods", "kubernetes containers", "book a table at a restaurant"),
        ] {
            assert!(nearness(one, same) > nearness(one, other) + 0.2, "{one}");
        }
    }

    #[test]
    fn neighbours_are_other_words_nearest_first() {
        let found: Vec<_> = MODEL.neighbours("delete").collect();
        assert!(found.iter().any(|near| near.word == "remove"), "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0].nearness >= pair[1].nearness));
        assert_eq!(MODEL.neighbours("xqzzy").count(), 0);
    }
}
