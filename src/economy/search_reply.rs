//! The text of a search reply: a line per hit, the best ones in full, the whole within its budget of tokens.

use super::{clean, description, signature::MAX_SIGNATURE_BYTES, signature::signature_within, tokens};
use crate::catalog::ToolEntry;

/// Shorter signature of a hit that must give way, in bytes of its parameters.
const SHORT_SIGNATURE_BYTES: usize = 120;

/// Longest note shown, in characters.
const MAX_NOTE_CHARS: usize = 100;

/// One hit, best first.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The tool.
    pub tool: &'a ToolEntry,
    /// What the model should know of it now: that its server fails and why, what it needs first, how many are like it.
    pub notes: Vec<String>,
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub struct SearchReply<'a> {
    /// Said first, where there is something to say: nothing fits, nearest servers are these.
    pub heading: Option<String>,
    /// Hits, best first.
    pub hits: Vec<Hit<'a>>,
    /// Said last: how to see more.
    pub footing: Option<String>,
}

/// How much of a hit is shown, from all to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Full,
    NoSentence,
    ShortSignature,
    Name,
}

impl Share {
    const fn less(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::NoSentence),
            Self::NoSentence => Some(Self::ShortSignature),
            Self::ShortSignature => Some(Self::Name),
            Self::Name => None,
        }
    }
}

/// Renders a reply of at most `budget_tokens`. The last hits shrink first: sentence, then signature, then all but the name; what
/// even then does not fit is counted. Only a budget too small for one name is not kept.
#[must_use]
pub fn render(reply: &SearchReply<'_>, budget_tokens: usize) -> String {
    let frame = [&reply.heading, &reply.footing].into_iter().flatten().map(|text| tokens::count(text) + 1).sum();
    let mut lines = Lines::new(&reply.hits, frame, budget_tokens);
    // Level by level, so that no hit loses its parameters while a worse one keeps its sentence. The best hit gives way last.
    for level in [Share::Full, Share::NoSentence, Share::ShortSignature] {
        for at in (0..reply.hits.len()).rev() {
            let is_kept = at == 0 && level > Share::Full && reply.hits.len() > 1;
            if let Some(less) = level.less().filter(|_| !lines.fit() && !is_kept) {
                lines.show(at, less);
            }
        }
    }
    if !lines.fit() {
        return drop_last(reply, lines.texts, budget_tokens);
    }
    lines.refill();
    join(reply, &lines.texts, 0)
}

/// The lines of the hits and what they cost.
struct Lines<'r> {
    hits: &'r [Hit<'r>],
    shares: Vec<Share>,
    texts: Vec<String>,
    costs: Vec<usize>,
    frame: usize,
    budget: usize,
}

impl<'r> Lines<'r> {
    fn new(hits: &'r [Hit<'r>], frame: usize, budget: usize) -> Self {
        let texts: Vec<String> = hits.iter().map(|hit| line(hit, Share::Full)).collect();
        let costs = texts.iter().map(|text| cost(text)).collect();
        Self { hits, shares: vec![Share::Full; hits.len()], texts, costs, frame, budget }
    }

    fn fit(&self) -> bool {
        self.frame + self.costs.iter().sum::<usize>() <= self.budget
    }

    fn show(&mut self, at: usize, share: Share) {
        self.shares[at] = share;
        self.texts[at] = line(&self.hits[at], share);
        self.costs[at] = cost(&self.texts[at]);
    }

    /// One long line that gave way leaves room: it goes to what the best hits have lost.
    fn refill(&mut self) {
        for at in 0..self.hits.len() {
            let before = self.shares[at];
            for more in [Share::Full, Share::NoSentence, Share::ShortSignature] {
                if more >= before {
                    break;
                }
                self.show(at, more);
                if self.fit() {
                    break;
                }
                self.show(at, before);
            }
        }
    }
}

/// A line with the break behind it.
fn cost(line: &str) -> usize {
    tokens::count(line) + 1
}

/// Names alone are too much: the last go, and the reply says how many.
fn drop_last(reply: &SearchReply<'_>, mut lines: Vec<String>, budget_tokens: usize) -> String {
    let all = lines.len();
    loop {
        let text = join(reply, &lines, all - lines.len());
        if tokens::fits(&text, budget_tokens) {
            return text;
        }
        if lines.len() > 1 {
            lines.pop();
            continue;
        }
        let Some(best) = reply.hits.first() else { return text };
        let short = line(best, Share::ShortSignature);
        for candidate in [short, clean::line(&best.tool.id.to_string())] {
            if tokens::fits(&candidate, budget_tokens) {
                return candidate;
            }
        }
        return clean::line(&best.tool.id.to_string());
    }
}

fn line(hit: &Hit<'_>, share: Share) -> String {
    let mut line = match share {
        Share::Full | Share::NoSentence => signature_within(hit.tool, MAX_SIGNATURE_BYTES).text,
        Share::ShortSignature => signature_within(hit.tool, SHORT_SIGNATURE_BYTES).text,
        Share::Name => format!("{}(…)", clean::line(&hit.tool.id.to_string())),
    };
    if share == Share::Full {
        let sentence = description::sentence(hit.tool);
        if !sentence.is_empty() {
            line.push_str(" — ");
            line.push_str(&sentence);
        }
    }
    // A note decides whether a call is worth making, so it is the last to go.
    let notes: Vec<String> = hit.notes.iter().map(|note| clean::line(note)).filter(|note| !note.is_empty()).collect();
    if !notes.is_empty() {
        let notes: String = notes.join("; ").chars().take(MAX_NOTE_CHARS).collect();
        line.push_str(" [");
        line.push_str(&notes);
        line.push(']');
    }
    line
}

fn join(reply: &SearchReply<'_>, lines: &[String], dropped: usize) -> String {
    let more = (dropped > 0).then(|| format!("and {dropped} more"));
    let parts = reply.heading.iter().chain(lines).chain(&more).chain(&reply.footing);
    parts.map(String::as_str).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
