use std::fmt::Write;

use proptest::prelude::*;

use super::*;

fn log() -> Whole {
    let mut text = String::new();
    for at in 1..=400 {
        let level = if at % 50 == 0 { "ERROR" } else { "info" };
        let _ = writeln!(text, "{at} {level} step {at} of the build");
    }
    Whole { text, structured: None }
}

fn json() -> Whole {
    let items: Vec<_> = (0..300).map(|at| serde_json::json!({ "id": at, "note": "plain words ".repeat(3) })).collect();
    Whole {
        text: serde_json::json!({ "items": items, "page": "line one\nline two\nline three" }).to_string(),
        structured: None,
    }
}

fn read(whole: &Whole, wanted: &Wanted, budget: usize) -> String {
    let text = read_on(whole, wanted, budget).unwrap_or_else(|error| panic!("{error}"));
    assert!(tokens::fits(&text, budget), "{} of {budget}: {text}", tokens::count(&text));
    text
}

fn lines(text: &str) -> Wanted {
    Wanted { lines: Some(text.parse().unwrap()), ..Wanted::default() }
}

#[test]
fn lines_are_read_as_far_as_the_budget_and_the_next_ones_are_named() {
    insta::assert_snapshot!(read(&log(), &lines("120-122"), 200), @r"
    120 info step 120 of the build
    121 info step 121 of the build
    122 info step 122 of the build
    [lines 120-122 of 400]
    ");
    insta::assert_snapshot!(read(&log(), &lines("300-"), 90), @r#"
    300 ERROR step 300 of the build
    301 info step 301 of the build
    302 info step 302 of the build
    303 info step 303 of the build
    [lines 300-303 of 400; next: lines "304-"]
    "#);
    insta::assert_snapshot!(read(&log(), &lines("399-1000"), 200), @r"
    399 info step 399 of the build
    400 ERROR step 400 of the build
    [lines 399-400 of 400, the end]
    ");
    insta::assert_snapshot!(read_on(&log(), &lines("401"), 200).unwrap_err(), @"line 401 is behind the end: there are 400");
}

#[test]
fn following_next_reads_every_line_once() {
    let whole = log();
    let (mut wanted, mut all) = ("1-".to_owned(), String::new());
    loop {
        let part = read(&whole, &lines(&wanted), 150);
        let (body, place) = part.rsplit_once("\n[").unwrap();
        all.push_str(body);
        all.push('\n');
        match place.split_once("next: lines \"") {
            Some((_, next)) => wanted = next.trim_end_matches("\"]").to_owned(),
            None => break,
        }
    }
    assert_eq!(all, whole.text);
}

#[test]
fn an_empty_line_before_a_long_one_is_passed() {
    let whole = Whole { text: format!("\n\n{}", "long ".repeat(300)), structured: None };
    let place = |wanted: &str| read(&whole, &lines(wanted), 80).lines().last().unwrap_or_default().to_owned();
    assert_eq!(place("1-"), r#"[lines 1-2 of 3; next: lines "3-"]"#);
    assert!(place("3-").starts_with("[part of line 3 of 3; next: bytes "), "{}", place("3-"));
}

#[test]
fn a_pattern_finds_lines_with_those_around_them() {
    let wanted = |context, lines: Option<&str>| Wanted {
        pattern: Some("ERROR.*5\\d".into()),
        context,
        lines: lines.map(|text| text.parse().unwrap()),
        ..Wanted::default()
    };
    insta::assert_snapshot!(read(&log(), &wanted(1, None), 200), @r"
    49-49 info step 49 of the build
    50:50 ERROR step 50 of the build
    51-51 info step 51 of the build
    --
    149-149 info step 149 of the build
    150:150 ERROR step 150 of the build
    151-151 info step 151 of the build
    --
    249-249 info step 249 of the build
    250:250 ERROR step 250 of the build
    251-251 info step 251 of the build
    --
    349-349 info step 349 of the build
    350:350 ERROR step 350 of the build
    351-351 info step 351 of the build
    [4 matching lines of 400]
    ");
    insta::assert_snapshot!(read(&log(), &wanted(0, Some("200-300")), 200), @r"
    250:250 ERROR step 250 of the build
    [1 matching lines of 400]
    ");
    insta::assert_snapshot!(read(&log(), &Wanted { pattern: Some("step".into()), ..Wanted::default() }, 100), @r#"
    1:1 info step 1 of the build
    2:2 info step 2 of the build
    3:3 info step 3 of the build
    4:4 info step 4 of the build
    [4 of 400 matching lines; next: the same pattern with lines "5-"]
    "#);
    insta::assert_snapshot!(read(&log(), &Wanted { pattern: Some("warn".into()), ..Wanted::default() }, 100), @"[no match in 400 lines]");
}

#[test]
fn a_path_reads_a_part_and_the_others_count_within_it() {
    let path = |path: &str| Wanted { path: Some(path.into()), ..Wanted::default() };
    insta::assert_snapshot!(read(&json(), &path("$.items[2:4].id"), 100), @"[2,3]");
    insta::assert_snapshot!(read(&json(), &path("$.items"), 120), @r#"
    [{"id":0,"note":"plain words plain words plain words "},{"id":1,"note":"plain words plain words plain words "},{"id":2,"note":"plain words plain words plain words "},…+297]
    [16991 characters; next: path "$.items[3:]"]
    "#);
    insta::assert_snapshot!(read(&json(), &Wanted { lines: Some("2".parse().unwrap()), ..path("page") }, 100), @r"
    line two
    [lines 2-2 of 3]
    ");
    insta::assert_snapshot!(read_on(&json(), &path("$.rows"), 100).unwrap_err(), @r#"`$.rows` fits nothing in the result, which is an object with "items", "page"; start the path with one of its keys, or leave it out"#);
    insta::assert_snapshot!(read_on(&log(), &path("$.rows"), 100).unwrap_err(), @"the result is no JSON, so it has no paths; read it by lines, bytes or pattern");
}

#[test]
fn structured_content_is_what_a_path_reads_first() {
    let whole = Whole { text: "2 rows".into(), structured: Some("{\"rows\":[1,2]}".into()) };
    let wanted = Wanted { path: Some("$.rows".into()), ..Wanted::default() };
    assert_eq!(read(&whole, &wanted, 100), "[1,2]");
    assert_eq!(read(&whole, &Wanted::default(), 100), "2 rows");
}

#[test]
fn json_on_one_line_is_read_by_bytes_and_searched_by_places() {
    let wanted = Wanted { bytes: Some("0-30".parse().unwrap()), ..Wanted::default() };
    insta::assert_snapshot!(read(&json(), &wanted, 100), @r#"
    {"items":[{"id":0,"note":"plain
    [bytes 0-30 of 17041; next: bytes "31-"]
    "#);
    let wanted = Wanted { pattern: Some("\"id\":2[0-9]\\b".into()), ..Wanted::default() };
    insta::assert_snapshot!(read(&json(), &wanted, 300), @r#"
    1001: rds "},{"id":18,"note":"plain words plain words plain words "},{"id":19,"note":"plain words plain words plain words "},{"id":20,"note":"plain words plain words plain words "},{"id":21,"note":"plain words plain words plain words "},{"id":22,"note":
    1248: "plain words plain words plain words "},{"id":23,"note":"plain words plain words plain words "},{"id":24,"note":"plain words plain words plain words "},{"id":25,"note":
    1416: "plain words plain words plain words "},{"id":26,"note":"plain words plain words plain words "},{"id":27,"note":"plain words plain words plain words "},{"id":28,"note":
    1584: "plain words plain words plain words "},{"id":29,"note":"plain words plain words plain words "},{"id":30,"note":"plain words plain words plain words "},{"id":31,"note":
    [4 places of a match, by byte, of 17041 bytes]
    "#);
}

#[test]
fn what_cannot_be_meant_is_said() {
    let pattern = |pattern: &str| Wanted { pattern: Some(pattern.into()), ..Wanted::default() };
    insta::assert_snapshot!(read_on(&log(), &pattern("a(b"), 100).unwrap_err(), @"the pattern is no regular expression: unclosed group");
    insta::assert_snapshot!(read_on(&log(), &pattern("(a{1000}){1000}"), 100).unwrap_err(), @"the pattern is no regular expression: it is too large");
    insta::assert_snapshot!("x-3".parse::<Span>().unwrap_err(), @"`x-3` is no range; write `120-400`, `120-` or `120`");
    assert!("9-3".parse::<Span>().is_err());
    let both = Wanted { lines: Some("1".parse().unwrap()), bytes: Some("1".parse().unwrap()), ..Wanted::default() };
    assert!(matches!(read_on(&log(), &both, 100), Err(ReadError::LinesAndBytes)));
}

proptest! {
    #[test]
    fn whatever_is_asked_keeps_the_budget(
        text in "(\\PC{0,40}\n){0,80}|\\PC{0,4000}",
        from in 0_usize..6000,
        long in 0_usize..6000,
        kind in 0_u8..5,
        pattern in "[a-z.]{1,3}",
        budget in 60_usize..400,
    ) {
        let span = Some(Span { from, to: (long % 3 > 0).then_some(from + long) });
        let wanted = match kind {
            0 => Wanted { lines: span, ..Wanted::default() },
            1 => Wanted { bytes: span, ..Wanted::default() },
            2 => Wanted { pattern: Some(pattern), context: long % 5, ..Wanted::default() },
            3 => Wanted { pattern: Some(pattern), bytes: span, context: long, ..Wanted::default() },
            _ => Wanted::default(),
        };
        if let Ok(read) = read_on(&Whole { text, structured: None }, &wanted, budget) {
            prop_assert!(tokens::fits(&read, budget), "{budget}: {read}");
        }
    }
}
