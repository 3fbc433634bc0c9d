//! What is shown of long results of the usual kinds, each with its count of tokens, so that a change of one token shows.

use std::fmt::Write;

use super::*;
use crate::economy::samples::object;

/// A small budget, so that the snapshots can be read. The rules are the same for any.
const BUDGET: usize = 320;

/// Pseudo-random numbers that are the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.roll(words.len())]
    }
}

const THINGS: [&str; 8] = ["kiln", "glaze", "wheel", "clay", "shelf", "tile", "mould", "burner"];
const DEEDS: [&str; 6] = ["mend", "order", "weigh", "fire", "paint", "count"];

fn shown(kind: &str, text: &str) {
    let result = object(json!({ "content": [{ "type": "text", "text": text }] }));
    let Fitted { mut result, cut } = fit(&result, &Limits::asked(BUDGET, Copies::KeepText));
    let cut = cut.unwrap();
    say_cut(&mut result, &cut, Some("a1b2c3"));
    let text = texts(&result).collect::<Vec<_>>().join("\n");
    let tokens = tokens::count(&text);
    assert!(tokens <= BUDGET, "{kind}: {tokens}");
    insta::assert_snapshot!(kind, format!("{text}\n-- {tokens} tokens of {}", cut.total_tokens));
}

#[test]
fn a_browser_page_shows_its_start_and_its_regions() {
    let mut dice = Dice(1);
    let mut page =
        String::from("- Page URL: http://localhost:8080/shop\n- Page Title: Pottery supplies\n- Page Snapshot:\n");
    page.push_str("  - banner [ref=e1]:\n    - link \"Home\" [ref=e2]\n    - searchbox \"Search the shop\" [ref=e3]\n");
    for part in 0..9 {
        let _ = writeln!(page, "  - region \"{} supplies\" [ref=p{part}]:", THINGS[part % THINGS.len()]);
        for item in 0..40 {
            let price = 5 + dice.roll(90);
            let _ = writeln!(page, "    - listitem [ref=p{part}i{item}]:");
            let _ = writeln!(page, "      - link \"{} no. {item}\" [ref=p{part}l{item}]", dice.pick(&THINGS));
            let _ = writeln!(page, "      - text: {price} crowns");
            let _ = writeln!(page, "      - button \"Add to basket\" [ref=p{part}b{item}]");
        }
    }
    shown("browser_page", &page);
}

#[test]
fn a_directory_tree_shows_its_shape() {
    let file = |name: String| json!({ "name": name, "type": "file" });
    let folder = |name: &str, children: Vec<Value>| json!({ "name": name, "type": "directory", "children": children });
    let leaves = |at: usize| (0..30).map(|n| file(format!("part-{at}-{n}.md"))).collect::<Vec<_>>();
    let tree: Vec<Value> = THINGS
        .iter()
        .enumerate()
        .map(|(at, name)| {
            folder(name, vec![folder("notes", leaves(at)), folder("plans", leaves(at + 10)), file("README.md".into())])
        })
        .collect();
    shown("directory_tree", &serde_json::to_string_pretty(&tree).unwrap());
}

#[test]
fn a_git_log_shows_its_newest_and_oldest_commits() {
    let mut dice = Dice(2);
    let mut log = String::new();
    for at in (1..=600).rev() {
        let _ = write!(
            log,
            "commit {:07x}{:06x}\nAuthor: Ada Miller <ada@pottery.example>\nDate: 2026-0{}-{:02}\n\n    {} the {} ({at})\n\n",
            dice.roll(1 << 28),
            dice.roll(1 << 24),
            1 + dice.roll(9),
            1 + dice.roll(28),
            dice.pick(&DEEDS),
            dice.pick(&THINGS),
        );
    }
    shown("git_log", &log);
}

#[test]
fn sql_rows_show_their_columns_and_first_rows() {
    let mut dice = Dice(3);
    let rows: Vec<Value> = (1..=2000)
        .map(|id| json!({ "id": id, "item": dice.pick(&THINGS), "pieces": dice.roll(500), "shelf": format!("{}-{}", dice.pick(&["A", "B", "C"]), dice.roll(40)), "price": dice.roll(9000) }))
        .collect();
    shown("sql_rows", &json!({ "rowCount": rows.len(), "rows": rows }).to_string());
}

#[test]
fn a_long_text_shows_its_start_and_its_parts() {
    let mut dice = Dice(4);
    let mut text = String::from("# The workshop's handbook\n\nFor those who begin, and for those who forgot.\n");
    for part in 1..=14 {
        let _ = write!(text, "\n## {part}. How to {} the {}\n\n", dice.pick(&DEEDS), dice.pick(&THINGS));
        for _ in 0..25 {
            let (deed, thing) = (dice.pick(&DEEDS), dice.pick(&THINGS));
            let _ =
                writeln!(text, "Before you {deed} anything, look after the {thing} and wait until it has cooled down.");
        }
    }
    shown("long_text", &text);
}

#[test]
fn nested_json_shows_its_shape_and_counts() {
    let mut dice = Dice(5);
    let order = |id: usize, dice: &mut Dice| {
        let lines: Vec<Value> = (0..12).map(|n| json!({ "line": n, "item": dice.pick(&THINGS), "options": { "colour": "blue", "sizes": [1, 2, 3, 4, 5] } })).collect();
        json!({ "id": id, "customer": { "name": "Ada Miller", "address": { "street": "Kiln Lane 4", "town": "Graz" } }, "lines": lines, "note": "deliver in the morning, and ring twice" })
    };
    let orders: Vec<Value> = (0..150).map(|id| order(id, &mut dice)).collect();
    shown(
        "nested_json",
        &json!({ "page": 1, "pages": 9, "orders": orders, "totals": { "open": 41, "sent": 109 } }).to_string(),
    );
}
