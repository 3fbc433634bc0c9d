//! Text of strangers made fit to show: no control, colour, direction or invisible characters, and lines where lines are wanted.
//!
//! Everything of a backend that reaches a model or a terminal passes here. It judges characters, never meaning.

/// A text without terminal sequences and invisible characters; line breaks and tabs stay, ends of lines are trimmed and
/// more than one blank line in a row becomes one.
#[must_use]
pub fn text(raw: &str) -> String {
    let shown = visible(raw);
    let mut out = String::with_capacity(shown.len());
    let mut blank = 0;
    for line in shown.lines().map(str::trim_end) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank <= 1 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.drain(..out.len() - out.trim_start_matches('\n').len());
    out
}

/// A text on one line: as [`text`], with every run of white space made one space.
#[must_use]
pub fn line(raw: &str) -> String {
    let shown = visible(raw);
    let mut out = String::with_capacity(shown.len());
    for word in shown.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Drops what no reader sees or what moves a terminal: escape sequences whole, then each hidden character.
fn visible(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            _ if !is_hidden(character) => out.push(character),
            _ => {}
        }
    }
    out
}

/// Whether a character shows nothing of itself, or changes how others are shown.
#[must_use]
pub const fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true, // C0, C1
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' => true, // soft hyphen, joiners, Mongolian selectors
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true, // Hangul fillers
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true, // zero width, direction
        '\u{2060}'..='\u{206f}' | '\u{feff}' => true,     // word joiner, isolates, byte order mark
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => true, // variation selectors
        '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' => true, // annotations, musical controls
        '\u{e0000}'..='\u{e007f}' => true,                // tags: hidden ASCII
        _ => false,
    }
}

/// Whether a character is a picture or an ornament that costs tokens and says nothing in a sentence.
#[must_use]
pub const fn is_ornament(character: char) -> bool {
    matches!(character,
        '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2460}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '\u{20e3}')
}

fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => skip_control_sequence(rest),
        // An operating system command (title, link), or one of its relatives: ends with BEL or ESC `\`.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(character) = rest.next() {
                if character == '\u{7}' || character == '\u{9c}' {
                    break;
                }
                if character == '\u{1b}' {
                    rest.next_if_eq(&'\\');
                    break;
                }
            }
        }
        _ => {}
    }
}

fn skip_control_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(character) = rest.next_if(|c| ('\u{20}'..='\u{7e}').contains(c)) {
        if character >= '\u{40}' {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_and_hidden_characters_are_gone() {
        assert_eq!(line("a\u{1b}[31mred\u{1b}[0m b"), "ared b");
        assert_eq!(line("x\u{1b}]0;title\u{7}y\u{1b}]8;;http://e\u{1b}\\z"), "xyz");
        assert_eq!(line("zero\u{200b}width \u{202e}bidi\u{2066} tag\u{e0041}\u{e0042}\u{feff}"), "zerowidth bidi tag");
        assert_eq!(line("bell\u{7}\u{0}"), "bell");
    }

    #[test]
    fn lines_stay_lines_and_blank_ones_do_not_pile_up() {
        assert_eq!(text("\n\n  a  \r\n\n\n\n\tb\u{2028}c\n\n"), "  a\n\n\tb\nc");
    }

    #[test]
    fn ordinary_text_of_any_language_is_untouched() {
        for sample in ["Größe 東京 Привет नमस्ते", "a → b", "🚀 launch"] {
            assert_eq!(text(sample), sample);
        }
    }
}
