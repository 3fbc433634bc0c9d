use serde_json::json;

use super::*;
use crate::economy::samples;

/// Name, description, and the parameters that must be given with theirs.
type Written<'w> = (&'w str, &'w str, &'w [(&'w str, &'w str)]);

/// A server with these tools.
fn server(tools: &[Written<'_>]) -> ServerEntry {
    let mut server = samples::server_of("s", &[]);
    for (name, description, required) in tools {
        let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
        let properties: serde_json::Map<String, Value> = required
            .iter()
            .map(|(name, text)| ((*name).to_owned(), json!({ "type": "string", "description": text })))
            .collect();
        let schema = json!({ "type": "object", "properties": properties, "required": names });
        server.tools.push(Arc::new(samples::tool(&format!("s/{name}"), description, schema)));
    }
    server
}

/// What the first tool needs.
fn needs(server: &ServerEntry) -> Vec<String> {
    let table = Neighbours::default();
    table.needs(&server.tools[0], server).iter().map(|id| id.tool.as_str().to_owned()).collect()
}

fn said(description: &str) -> Vec<String> {
    needs(&server(&[
        ("move_card", description, &[("list_id", ""), ("board_id", "")]),
        ("find_lists", "", &[]),
        ("get_board", "", &[]),
        ("search", "", &[]),
    ]))
}

fn of_parameter(text: &str) -> Vec<String> {
    needs(&server(&[("move_card", "", &[("list_id", text)]), ("find_lists", "", &[]), ("get_board", "", &[])]))
}

#[test]
fn a_tool_that_a_description_puts_first_is_needed() {
    for text in [
        "Moves a card. Call find_lists first.",
        "You MUST first call `find_lists` to get the list.",
        "**IMPORTANT**: Use the find_lists tool first to determine the target!",
        "First use find_lists(board='x') to see what there is.",
        "Always call find_lists before using this tool.",
        "Use this after running \"find_lists\" to move what it found.",
        "Prerequisite: call 'find_lists' first if you have not already done so.",
        "Requires a list id (from find_lists).",
        "Requires find_lists to have been called first; logs in otherwise.",
        "The list must have been created with find_lists first.",
        "Call find_lists first, and look at least once.",
        "Releases a list previously reserved with find_lists.",
        "Pass the `listId` returned by find_lists.",
        "Args:\n    list_id: the list, from find_lists()\n    top: put it first",
        "Use find_lists to find the list ID.",
        "Get the list id via find_lists.",
        "NEVER move a card without calling find_lists first.",
        "Moves a card.\n\nPrerequisites:\n  1. Use the find_lists tool to get OwnerId and ListId.\n\nUsage:\n 1. Use get_board to look.",
    ] {
        assert_eq!(said(text), ["find_lists"], "{text}");
    }
    assert_eq!(said("Requires list_id (from find_lists) and board_id (from get_board)."), ["find_lists", "get_board"]);
    assert_eq!(said("Call find_lists or get_board first."), ["find_lists"]);
    assert_eq!(said("Use the search tool first."), ["search"]);
}

#[test]
fn alternatives_advice_and_special_cases_are_no_needs() {
    for text in [
        "Use find_lists instead to see them all.",
        "Unlike find_lists, this moves a card first.",
        "Use before find_lists to save a call.",
        "After moving, call find_lists to see the result.",
        "Do NOT call find_lists first.",
        "You can use find_lists to get an overview.",
        "Consider find_lists first.",
        "Call find_lists first if the card was archived.",
        "For archived cards, call find_lists before using this tool.",
        "To move it back, use find_lists first.",
        "Use find_lists first to verify the card.",
        "Everything else (use find_lists first).",
        "Returns the id for find_lists.",
        "Use find_lists to find the owner ID for mentions.",
        "Works without calling find_lists. Call find_lists first.",
        "Search first, then find lists first.",
        "Use search first.",
        "Call move_card first.",
        "Call drop_card first.",
    ] {
        assert_eq!(said(text), [""; 0], "{text}");
    }
}

#[test]
fn a_parameter_that_must_be_given_and_comes_from_a_tool_needs_it() {
    for text in [
        "List ID from find_lists",
        "The id returned by the find_lists tool.",
        "Can be obtained from the `find_lists` tool",
        "Use find_lists to see which lists there are.",
        "If not known, use find_lists to fetch it.",
        "🔗 REQUIRED: id from find_lists tool. Call find_lists first if you don't have this.",
    ] {
        assert_eq!(of_parameter(text), ["find_lists"], "{text}");
    }
    for text in [
        "A name, or an id from find_lists",
        "The id from find_lists or the exact name of the list",
        "Must match the id used in find_lists",
        "Passed on to find_lists",
        "If the user names an archive, use find_lists to fetch it",
    ] {
        assert_eq!(of_parameter(text), [""; 0], "{text}");
    }
}

#[test]
fn parameters_that_may_be_left_out_need_nothing() {
    let schema = json!({ "type": "object", "properties": { "list_id": { "type": "string", "description": "from find_lists" } } });
    let mut server = server(&[("find_lists", "", &[])]);
    server.tools.insert(0, Arc::new(samples::tool("s/move_card", "", schema)));
    assert_eq!(needs(&server), [""; 0]);
}

#[test]
fn a_tool_that_all_others_need_is_needed_by_all_others() {
    let gate = "MANDATORY FIRST STEP: This tool MUST be called before any other card tools.";
    let cards = server(&[("move_card", "Moves.", &[]), ("open_session", gate, &[]), ("drop_card", "Drops.", &[])]);
    let table = Neighbours::default();
    let needs: Vec<usize> = cards.tools.iter().map(|tool| table.needs(tool, &cards).len()).collect();
    assert_eq!(needs, [1, 0, 1]);
    let soft = server(&[("move_card", "Moves.", &[]), ("open_session", "Best called before any other tools.", &[])]);
    assert_eq!(Neighbours::default().needs(&soft.tools[0], &soft), []);
}

#[test]
fn an_earlier_tool_may_say_itself_that_it_comes_before() {
    let announced = |text: &str| needs(&server(&[("submit_card", "Submits.", &[]), ("read_inputs", text, &[])]));
    assert_eq!(announced("Call this before submit_card."), ["read_inputs"]);
    assert_eq!(announced("You MUST call this function before `submit_card` to obtain the inputs."), ["read_inputs"]);
    assert_eq!(announced("Call this before submit_card when the card is locked."), [""; 0]);
    assert_eq!(announced("Useful before submit_card."), [""; 0]);
}

#[test]
fn titles_in_quotation_marks_are_names() {
    let mut server = server(&[("query_docs", "You must call 'Resolve Library' tool first.", &[])]);
    let definition = json!({ "name": "resolve", "title": "Resolve Library", "inputSchema": { "type": "object" } });
    server.tools.push(Arc::new(ToolEntry::new("s/resolve".parse().unwrap(), &samples::object(definition))));
    assert_eq!(needs(&server), ["resolve"]);
}

#[test]
fn tools_that_need_each_other_need_nothing() {
    let server = server(&[
        ("read_card", "Call find_card first.", &[]),
        ("find_card", "Call open_card first.", &[]),
        ("open_card", "Call read_card first. Call log_in first.", &[]),
        ("log_in", "", &[]),
    ]);
    let table = Neighbours::default();
    let needs: Vec<usize> = server.tools.iter().map(|tool| table.needs(tool, &server).len()).collect();
    assert_eq!(needs, [0, 0, 1, 0]);
}

#[test]
fn no_more_than_two_are_named_and_a_description_says_them_behind_its_name() {
    let server = server(&[
        ("move_card", "Call get_a first. Call get_b first. Call get_c first.", &[]),
        ("get_a", "", &[]),
        ("get_b", "", &[]),
        ("get_c", "", &[]),
    ]);
    assert_eq!(needs(&server), ["get_a", "get_b"]);
    let ids = Neighbours::default().needs(&server.tools[0], &server);
    assert_eq!(described("s/move_card\nMoves.".into(), &ids), "s/move_card [needs s/get_a, s/get_b]\nMoves.");
    assert_eq!(described("s/get_a".into(), &[]), "s/get_a");
    assert_eq!(
        described("s/get_a [read-only]\n\nid: string".into(), &ids[1..]),
        "s/get_a [read-only, needs s/get_b]\n\nid: string"
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "(\\PC|find_lists|get_board| first|`|\\(|call | or |\n){0,60}") {
        said(&text);
        of_parameter(&text);
    }
}
