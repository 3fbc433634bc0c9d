use std::fmt::Write;

use super::*;

/// The head, checked against its budget.
fn shown(text: &str, budget: usize) -> Head {
    let head = head(text, budget);
    assert!(tokens::fits(&head.text, budget), "{} of {budget}: {}", tokens::count(&head.text), head.text);
    head
}

#[test]
fn plain_lines_show_their_first_and_last() {
    let log: String = (1..=900).map(|at| format!("10:{:02} worker {at} done\n", at % 60)).collect();
    let head = shown(&log, 100);
    insta::assert_snapshot!(head.text, @r"
    10:01 worker 1 done
    10:02 worker 2 done
    10:03 worker 3 done
    10:04 worker 4 done
    10:05 worker 5 done
    10:06 worker 6 done
    10:07 worker 7 done
    [lines 8-898 not shown]
    10:59 worker 899 done
    10:00 worker 900 done
    ");
    assert_eq!(head.next, Next::Line(8));
}

#[test]
fn a_table_shows_its_header_and_first_rows() {
    let table: String =
        "id,name,city\n".to_owned() + &(1..=500).map(|at| format!("{at},customer {at},Graz\n")).collect::<String>();
    let head = shown(&table, 60);
    insta::assert_snapshot!(head.text, @r"
    id,name,city
    1,customer 1,Graz
    2,customer 2,Graz
    3,customer 3,Graz
    4,customer 4,Graz
    [lines 6-501 not shown]
    ");
    assert_eq!(head.next, Next::Line(6));
}

#[test]
fn a_document_shows_its_start_and_where_each_part_begins() {
    let mut document = String::from("# Manual\n\nHow the pump works.\n");
    for part in 1..=6 {
        let _ = write!(document, "\n## Part {part}\n\n{}\n", "The valve opens when the pressure falls.\n".repeat(20));
        let _ = write!(document, "\n### Detail of {part}\n\n```\n# a comment, no heading\n```\n");
    }
    let head = shown(&document, 160);
    insta::assert_snapshot!(head.text, @r"
    # Manual

    How the pump works.

    ## Part 1

    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    The valve opens when the pressure falls.
    [lines 16-183 not shown; parts by line:]
    35: ## Part 2
    65: ## Part 3
    95: ## Part 4
    125: ## Part 5
    155: ## Part 6
    ");
}

#[test]
fn a_page_without_line_breaks_is_outlined_by_bytes() {
    let mut page = String::from("<html><head><title>Shop</title></head><body>");
    for part in 1..=8 {
        let _ = write!(
            page,
            "<h2 class=\"x\"><a href=\"#p{part}\">Part {part}</a></h2><p>{}</p>",
            "words and more ".repeat(90)
        );
    }
    let head = shown(&page, 150);
    insta::assert_snapshot!(head.text, @r##"
    <html><head><title>Shop</title></head><body><h2 class="x"><a href="#p1">Part 1</a></h2><p>words and more words and more words and more words and more words and more words and more words and more words and more words and more words and more words and more words and more words and more words and more words and more words and
    [bytes 324-11244 not shown; parts by byte:]
    1444: Part 2
    2844: Part 3
    4244: Part 4
    5644: Part 5
    7044: Part 6
    and 2 more
    "##);
    assert!(matches!(head.next, Next::Byte(_)));
}

#[test]
fn a_tree_shows_its_outer_levels() {
    let mut tree = String::from("- main:\n");
    for part in 1..=5 {
        let _ = writeln!(tree, "  - region \"Part {part}\":");
        for item in 1..=40 {
            let _ = write!(tree, "    - listitem:\n      - link \"Item {item}\" [ref=e{part}{item}]\n");
        }
    }
    let head = shown(&tree, 200);
    insta::assert_snapshot!(head.text, @r#"
    - main:
      - region "Part 1":
        - listitem:
          - link "Item 1" [ref=e11]
        - listitem:
          - link "Item 2" [ref=e12]
        - listitem:
          - link "Item 3" [ref=e13]
        - listitem:
          - link "Item 4" [ref=e14]
        - listitem:
          - link "Item 5" [ref=e15]
        - listitem:
    [lines 14-406 not shown; parts by line:]
    83: - region "Part 2":
    164: - region "Part 3":
    245: - region "Part 4":
    326: - region "Part 5":
    "#);
}

#[test]
fn a_diff_lists_its_files() {
    let diff: String = (1..=9)
        .map(|at| {
            format!(
                "diff --git a/src/part{at}.rs b/src/part{at}.rs\n@@ -1,3 +1,4 @@\n{}",
                "+let value = 1;\n".repeat(30)
            )
        })
        .collect();
    let head = shown(&diff, 400);
    assert!(head.text.ends_with("a/src/part9.rs b/src/part9.rs"), "{}", head.text);
}

#[test]
fn no_text_and_no_budget_is_too_odd() {
    let texts = [
        String::new(),
        "\n".repeat(5000),
        "x".repeat(50_000),
        "a\n".repeat(5000),
        "é|é\n".repeat(3000),
        "  - x\n y\n".repeat(900),
    ];
    for text in texts {
        for budget in [40, 41, 60, 500] {
            shown(&text, budget);
        }
    }
}

#[test]
fn headings_that_never_end_cost_what_they_are_long() {
    let text = "<h1>".repeat(300_000) + "</h1>";
    let begun = std::time::Instant::now();
    shown(&text, 200);
    // Linear it takes some hundredths of a second; looking for each end to the end of the text took minutes.
    assert!(begun.elapsed().as_secs() < 10);
}

proptest::proptest! {
    #[test]
    fn every_head_keeps_its_budget(text in "([ \t]{0,6}(- |# |<h1>|\\| |\\{\"|diff --git )?\\PC{0,30}\n){0,120}", budget in 40_usize..400) {
        let head = head(&text, budget);
        proptest::prop_assert!(tokens::fits(&head.text, budget) , "{budget}: {}", head.text);
    }
}
