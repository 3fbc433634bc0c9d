//! What a tool's description says over again: openings that say nothing, lists of parameters that the contract has anyway, and
//! the input schema pasted as text.
//!
//! Nothing is lost: what a list says of a parameter beyond its schema moves to the parameter's line, and a list that cannot be
//! read to the end stays where it is.

use serde_json::Value;

use super::{
    clean,
    description::without_opening,
    schema::note::{repeats_name, same_letters},
};

/// Headings of lists of parameters, in lower case.
const HEADINGS: [&str; 7] =
    ["args", "arguments", "parameters", "params", "parameter", "input parameters", "input arguments"];

/// Words in brackets behind a parameter's name that its type says too.
const TYPE_WORDS: [&str; 16] = [
    "str", "string", "int", "integer", "float", "number", "bool", "boolean", "list", "array", "dict", "object", "any",
    "of", "none", "null",
];

/// What is known of a parameter from the schema.
#[derive(Debug, Clone, Copy)]
pub struct Known<'p> {
    /// Its name.
    pub name: &'p str,
    /// Whether it must be given.
    pub required: bool,
    /// What its own line says of it.
    pub note: &'p str,
}

/// A description without what stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sorted {
    /// What is left of it.
    pub description: String,
    /// What it said of parameters, by name: to be put on their lines.
    pub moved: Vec<(String, String)>,
}

/// Sorts a cleaned description of several lines.
#[must_use]
pub fn sort_out(description: &str, parameters: &[Known<'_>]) -> Sorted {
    let lines: Vec<&str> = description.lines().collect();
    let mut sorted = Sorted::default();
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let list = if is_heading(line) {
            List::read(&lines, at + 1, indent(line), parameters)
        } else if line.trim_start().starts_with("@param ") || line.trim_start().starts_with(":param ") {
            List::read(&lines, at, indent(line), parameters)
        } else {
            None
        };
        let Some(list) = list else {
            kept.push(line);
            at += 1;
            continue;
        };
        if !list.left.is_empty() {
            kept.push(line);
            kept.extend(&list.left);
        }
        for (parameter, text) in list.entries {
            if let Some(text) = news(&parameter, &text) {
                sorted.moved.push((parameter.name.to_owned(), text));
            }
        }
        at = list.end;
    }
    sorted.description = clean::text(&kept.join("\n"));
    sorted
}

/// A description without an opening that says nothing, without the input schema pasted into it, and without the indentation
/// that the source code of its server gave it.
#[must_use]
pub fn plain(description: &str, schema: &Value) -> String {
    let text = dedented(description);
    let text = without_pasted_schema(&text, schema).unwrap_or(text);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    match without_opening(first) {
        Some(opened) if rest.is_empty() => opened,
        Some(opened) => format!("{opened}\n{rest}"),
        None => text,
    }
}

/// Lines behind the first without the white space that all of them begin with; the first without any.
fn dedented(text: &str) -> String {
    let shared = text.lines().skip(1).filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
    let lines = text.lines().enumerate().map(|(at, line)| match at {
        0 => line.trim_start(),
        _ => line.char_indices().nth(shared).map_or("", |(start, _)| &line[start..]),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Entries of one list of parameters.
struct List<'d, 'p> {
    entries: Vec<(Known<'p>, String)>,
    /// Lines of entries that are no parameter of the schema.
    left: Vec<&'d str>,
    /// The first line behind it.
    end: usize,
}

impl<'d, 'p> List<'d, 'p> {
    /// Reads a list that begins at a line. `None` where it holds something else than entries.
    fn read(lines: &[&'d str], begin: usize, heading: usize, parameters: &[Known<'p>]) -> Option<Self> {
        let mut list = Self { entries: Vec::new(), left: Vec::new(), end: begin };
        let mut depth: Option<usize> = None;
        let mut in_parameter = false;
        for (at, line) in lines.iter().enumerate().skip(begin) {
            if line.is_empty() {
                // A blank line ends the list unless another entry follows it, as deep as those before.
                let next = lines.get(at + 1).copied().unwrap_or_default();
                let goes_on = depth.is_none_or(|depth| indent(next) == depth) && Entry::read(next).is_some();
                if goes_on {
                    continue;
                }
                break;
            }
            let deep = indent(line);
            let entry = Entry::read(line).filter(|_| depth.is_none_or(|depth| deep == depth));
            match (entry, depth) {
                (Some(entry), _) => {
                    depth = Some(deep);
                    match parameters.iter().find(|known| known.name == entry.name) {
                        Some(known) => {
                            in_parameter = true;
                            list.entries.push((*known, entry.text(*known)));
                        }
                        None => {
                            in_parameter = false;
                            // The server's own handle; no caller can give it.
                            if entry.name != "ctx" {
                                list.left.push(line);
                            }
                        }
                    }
                }
                (None, Some(depth)) if deep > depth => match list.entries.last_mut().filter(|_| in_parameter) {
                    Some((_, text)) => {
                        text.push(' ');
                        text.push_str(line.trim());
                    }
                    None => list.left.push(line),
                },
                // Back at the heading's depth, text goes on.
                (None, Some(_)) if deep <= heading && !is_bullet(line) => break,
                _ => return None,
            }
            list.end = at + 1;
        }
        depth.map(|_| list)
    }
}

/// One line `name (type, optional): text` of a list.
struct Entry<'d> {
    name: &'d str,
    /// What stands in brackets behind the name.
    aside: &'d str,
    text: &'d str,
}

impl<'d> Entry<'d> {
    fn read(line: &'d str) -> Option<Self> {
        let line = line.trim();
        let body =
            ["- ", "* ", "• ", "@param ", ":param "].iter().find_map(|mark| line.strip_prefix(mark)).unwrap_or(line);
        let body = body.trim_start().trim_start_matches(['`', '*']);
        let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '$')))?;
        let (name, rest) = body.split_at(end);
        if name.is_empty() {
            return None;
        }
        let mut rest = rest.trim_start_matches(['`', '*']).trim_start();
        let mut aside = "";
        if let Some(bracketed) = rest.strip_prefix('(') {
            let (inside, tail) = bracketed.split_once(')')?;
            aside = inside;
            rest = tail.trim_start_matches(['`', '*']).trim_start();
        }
        let separated = [":", "- ", "– ", "— "].iter().find_map(|mark| rest.strip_prefix(mark));
        let text = match separated {
            Some(text) => text.trim_start_matches(['`', '*']).trim(),
            // `@param name text` has nothing between.
            None if line.starts_with("@param ") => rest,
            None => return None,
        };
        Some(Self { name, aside, text })
    }

    /// What it says, with what is in brackets unless the parameter's type says that.
    fn text(&self, known: Known<'_>) -> String {
        let is_said = |word: &str| {
            let word = word.to_lowercase();
            word.is_empty()
                || TYPE_WORDS.contains(&word.as_str())
                || (word == "optional" && !known.required)
                || (word == "required" && known.required)
        };
        if self.aside.split(|c: char| !c.is_alphanumeric()).all(is_said) {
            self.text.to_owned()
        } else {
            format!("({}) {}", self.aside, self.text)
        }
    }
}

/// What an entry says beyond the parameter's own line.
fn news(known: &Known<'_>, text: &str) -> Option<String> {
    let text = clean::line(text);
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let is_old = text.is_empty()
        || repeats_name(&text, known.name)
        || same_letters(&text, known.note)
        || letters(known.note).contains(&letters(&text));
    (!is_old).then_some(text)
}

fn is_heading(line: &str) -> bool {
    let marked = line.trim_start().starts_with(['#', '*']) || line.trim_end().trim_end_matches('*').ends_with(':');
    let words = line.trim_matches(|c: char| matches!(c, '#' | '*' | ':' | '_') || c.is_whitespace()).to_lowercase();
    marked && HEADINGS.contains(&words.as_str())
}

fn is_bullet(line: &str) -> bool {
    line.trim_start().starts_with(['-', '*', '•'])
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// The text without the tool's own properties in JSON, and without the fence and the heading around them.
fn without_pasted_schema(text: &str, schema: &Value) -> Option<String> {
    /// Places where JSON may begin that are tried.
    const TRIES: usize = 8;
    let properties =
        schema.get("properties").filter(|properties| properties.as_object().is_some_and(|map| !map.is_empty()))?;
    for (start, _) in text.match_indices("\n{").take(TRIES) {
        let mut values = serde_json::Deserializer::from_str(&text[start + 1..]).into_iter::<Value>();
        let Some(Ok(value)) = values.next() else { continue };
        if value.get("properties") != Some(properties) {
            continue;
        }
        let end = start + 1 + values.byte_offset();
        let before = text[..start].trim_end_matches("```json").trim_end_matches("```").trim_end();
        let (kept, last) = before.rsplit_once('\n').unwrap_or(("", before));
        let before =
            if last.trim_end().ends_with(':') && last.to_lowercase().contains("schema") { kept } else { before };
        let after = text[end..].trim_start().trim_start_matches("```").trim_start();
        return Some(clean::text(&format!("{before}\n\n{after}")));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWNER: Known<'static> = Known { name: "owner", required: true, note: "Who owns it" };
    const LIMIT: Known<'static> = Known { name: "limit", required: false, note: "" };

    fn sorted(description: &str) -> (String, Vec<String>) {
        let sorted = sort_out(description, &[OWNER, LIMIT]);
        (sorted.description, sorted.moved.into_iter().map(|(name, text)| format!("{name}: {text}")).collect())
    }

    #[test]
    fn a_list_of_parameters_goes_and_its_news_move_to_their_lines() {
        let (description, moved) = sorted(
            "Lists it.\n\nArgs:\n    owner (str): who owns it.\n    limit (int, optional): How many.\n        At most 50.\n\nReturns:\n    A list.",
        );
        assert_eq!(description, "Lists it.\n\nReturns:\n    A list.");
        assert_eq!(moved, ["limit: How many. At most 50."]);
    }

    #[test]
    fn bullets_bold_headings_and_java_doc_are_read_too() {
        for description in [
            "Lists it.\n\n**Parameters:**\n- `owner` (required): Who owns it\n- **limit** (int, default 30) - How many",
            "Lists it.\n## Params\n* owner: Who owns it\n\n* limit (default 30): How many",
            "Lists it.\n@param owner Who owns it\n@param limit (default 30) How many",
        ] {
            let (description, moved) = sorted(description);
            assert_eq!(description, "Lists it.");
            assert!(moved.len() == 1 && moved[0].contains("default 30") && moved[0].contains("How many"), "{moved:?}");
        }
    }

    #[test]
    fn what_is_no_parameter_stays_under_its_heading() {
        let (description, moved) =
            sorted("Lists it.\n\nArgs:\n  owner: Who owns it\n  token: From the session\n\nMore.");
        assert_eq!(description, "Lists it.\n\nArgs:\n  token: From the session\n\nMore.");
        assert!(moved.is_empty());
        assert_eq!(sorted("Lists it.\n\nArgs:\n  ctx: The context").0, "Lists it.");
    }

    #[test]
    fn a_list_that_cannot_be_read_stays_whole() {
        for description in [
            "Lists it.\n\nArgs:\n  owner / limit: both of them",
            "Lists it.\n\nArgs:\n  owner: Who owns it\n - or else",
            "Parameters:\nare read from the file",
        ] {
            assert_eq!(sorted(description), (description.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn the_indentation_of_source_code_goes_and_that_of_text_stays() {
        let text = "    Lists it.\n\n    Returns:\n      - names\n    And more.";
        assert_eq!(plain(text, &json!({})), "Lists it.\n\nReturns:\n  - names\nAnd more.");
    }

    #[test]
    fn openings_and_pasted_schemas_go() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let pasted = "This tool will list what is there: all.\n\nInput schema:\n```json\n{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\"}}}\n```\n\nNewest first.";
        assert_eq!(plain(pasted, &schema), "List what is there: all.\n\nNewest first.");
        assert_eq!(plain("This tool:\nlists", &schema), "This tool:\nlists");
        let example = "Lists.\n{\"properties\": {\"b\": 1}}";
        assert_eq!(plain(example, &schema), example);
    }
}
