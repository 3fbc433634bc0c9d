//! The text of a search reply: a line per hit, the best ones in full, the whole within its budget of tokens.

use std::collections::HashSet;

use self::line::{Line, Share};
use super::{clean, fold, neighbours, tokens};
use crate::{catalog::ToolEntry, ids::ToolId};

mod line;

/// Above this share of the budget, in hundredths, the lower hits are trimmed. In front of 149 real servers the mean reply of all
/// searches has 247 tokens with it (`just tasks`).
const COMFORTABLE: usize = 42;

/// Best hits that keep their sentence in a long reply. Those below are told by name and parameters.
const SURE_SENTENCES: usize = 2;

/// Fewest tokens of a line: server, slash, name, parentheses, line break.
const LEAST_LINE_TOKENS: usize = 5;

/// Longest trouble shown, in characters.
const MAX_TROUBLE_CHARS: usize = 100;

/// One hit, best first.
#[derive(Debug, Clone)]
pub struct Hit<'a> {
    /// The tool.
    pub tool: &'a ToolEntry,
    /// That its server fails, and why.
    pub trouble: Option<String>,
    /// Tools that must be called before it.
    pub needs: Vec<ToolId>,
    /// Tools that are the same, and take no lines of their own.
    pub same: Vec<ToolId>,
    /// What its server is for, where another hit has the same name. Shown if there is room for it on all such hits.
    pub purpose: Option<String>,
}

impl<'a> Hit<'a> {
    /// A hit of which nothing more is to be said.
    #[must_use]
    pub const fn of(tool: &'a ToolEntry) -> Self {
        Self { tool, trouble: None, needs: Vec::new(), same: Vec::new(), purpose: None }
    }
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

/// Renders a reply of at most `budget_tokens`. The last hits shrink first: sentence, then signature, then all but the name; what
/// even then does not fit is counted. Only a budget too small for one name is not kept.
#[must_use]
pub fn render(reply: &SearchReply<'_>, budget_tokens: usize) -> String {
    let mut lines = Lines::new(reply, budget_tokens);
    if lines.shrink() { join(reply, &lines.texts(), 0) } else { drop_last(reply, &lines, budget_tokens) }
}

/// Whether the lines of so many hits can fit at all. Of very many none need be made to know that they do not.
#[must_use]
pub const fn may_fit(hits: usize, budget_tokens: usize) -> bool {
    hits.saturating_mul(LEAST_LINE_TOKENS) <= budget_tokens
}

/// As [`render`], unless not even the names of all hits fit.
#[must_use]
pub fn render_whole(reply: &SearchReply<'_>, budget_tokens: usize) -> Option<String> {
    let mut lines = Lines::new(reply, budget_tokens);
    lines.shrink().then(|| join(reply, &lines.texts(), 0))
}

/// The lines of the hits, and how much of each is shown.
struct Lines<'r> {
    lines: Vec<Line<'r>>,
    shares: Vec<Share>,
    frame: usize,
    budget: usize,
}

impl<'r> Lines<'r> {
    fn new(reply: &'r SearchReply<'r>, budget: usize) -> Self {
        let frame = [&reply.heading, &reply.footing].into_iter().flatten().map(|text| tokens::count(text) + 1).sum();
        let hits = reply.hits.iter().zip(notes(&reply.hits)).enumerate();
        let lines: Vec<Line<'_>> = hits.map(|(at, (hit, note))| Line::new(at, hit, note)).collect();
        Self { shares: vec![Share::Full; lines.len()], lines, frame, budget }
    }

    /// Makes the lines fit, if they can. Level by level, so that no hit loses its parameters while a worse one keeps its sentence.
    /// The best hit gives way last.
    fn shrink(&mut self) -> bool {
        for level in [Share::Full, Share::Trimmed, Share::NoSentence, Share::ShortSignature] {
            for at in (0..self.lines.len()).rev() {
                let is_kept = at == 0 && level > Share::Trimmed && self.lines.len() > 1;
                if let Some(less) = level.less().filter(|_| !self.has_room_for(level, at) && !is_kept) {
                    self.shares[at] = less;
                }
            }
        }
        if !self.fit() {
            return false;
        }
        self.refill();
        self.tell_apart();
        true
    }

    fn fit(&self) -> bool {
        self.cost() <= self.budget
    }

    fn is_comfortable(&self) -> bool {
        self.cost() * 100 <= self.budget * COMFORTABLE
    }

    /// Whether a hit may be shown at this level: all of it, and below the best ones its sentence, only where that does not make the
    /// reply long.
    fn has_room_for(&self, level: Share, at: usize) -> bool {
        let is_extra = level <= Share::Full || (level == Share::Trimmed && at >= SURE_SENTENCES);
        if is_extra { self.is_comfortable() } else { self.fit() }
    }

    fn cost(&self) -> usize {
        let shown = self.lines.iter().zip(&self.shares);
        self.frame + shown.map(|(line, &share)| line.cost(share)).sum::<usize>()
    }

    fn texts(&self) -> Vec<String> {
        self.lines.iter().zip(&self.shares).map(|(line, &share)| line.text(share).to_owned()).collect()
    }

    /// One long line that gave way leaves room: it goes to what the best hits have lost.
    fn refill(&mut self) {
        for at in 0..self.lines.len() {
            let before = self.shares[at];
            for more in [Share::Full, Share::Trimmed, Share::NoSentence, Share::ShortSignature] {
                if more >= before {
                    break;
                }
                self.shares[at] = more;
                if self.has_room_for(more, at) {
                    break;
                }
                self.shares[at] = before;
            }
        }
    }

    /// Says what the servers of hits with one name are for: on all of them or on none.
    fn tell_apart(&mut self) {
        let tied: Vec<usize> = (0..self.lines.len()).filter(|&at| self.lines[at].has_purpose()).collect();
        if tied.iter().any(|&at| self.shares[at] != Share::Full) {
            return;
        }
        tied.iter().for_each(|&at| self.shares[at] = Share::WithPurpose);
        if !self.fit() {
            tied.iter().for_each(|&at| self.shares[at] = Share::Full);
        }
    }
}

/// Names alone are too much: the last go, and the reply says how many.
fn drop_last(reply: &SearchReply<'_>, lines: &Lines<'_>, budget_tokens: usize) -> String {
    let mut texts = lines.texts();
    let all = texts.len();
    loop {
        let text = join(reply, &texts, all - texts.len());
        if tokens::fits(&text, budget_tokens) {
            return text;
        }
        if texts.len() > 1 {
            texts.pop();
            continue;
        }
        let Some(best) = lines.lines.first() else { return text };
        let signature = Line::new(0, best.hit, String::new());
        let short = [best.text(Share::ShortSignature), signature.text(Share::ShortSignature)];
        let fitting = short.into_iter().find(|line| tokens::fits(line, budget_tokens));
        return fitting.map_or_else(|| clean::line(&best.hit.tool.id.to_string()), ToOwned::to_owned);
    }
}

/// What is said behind each hit, in brackets. A needed tool that was named above is named without its server.
fn notes(hits: &[Hit<'_>]) -> Vec<String> {
    let mut written: HashSet<&ToolId> = HashSet::new();
    let note = |hit: &Hit<'_>, written: &HashSet<&ToolId>| {
        let trouble =
            hit.trouble.as_ref().map(|text| clean::line(text).chars().take(MAX_TROUBLE_CHARS).collect::<String>());
        let needs = neighbours::note(&hit.needs, |id| written.contains(id));
        let parts: Vec<String> = [trouble, needs, fold::note(&hit.tool.id, &hit.same)].into_iter().flatten().collect();
        if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join("; ")) }
    };
    let mut notes = Vec::with_capacity(hits.len());
    for hit in hits {
        written.insert(&hit.tool.id);
        notes.push(note(hit, &written));
        written.extend(&hit.needs);
    }
    notes
}

fn join(reply: &SearchReply<'_>, lines: &[String], dropped: usize) -> String {
    let more = (dropped > 0).then(|| format!("and {dropped} more"));
    let parts = reply.heading.iter().chain(lines).chain(&more).chain(&reply.footing);
    parts.map(String::as_str).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
