//! The line of one hit, from all that can be said of it to its name. Each form is made and counted once.

use std::cell::OnceCell;

use super::Hit;
use crate::economy::{
    clean, description,
    signature::{Signature, signature, signature_within},
    tokens,
};

/// Shorter signature of a hit that must give way, in bytes of its parameters.
const SHORT_SIGNATURE_BYTES: usize = 120;

/// Longest signature of a trimmed hit from the third on, in bytes with its name.
const TRIMMED_SIGNATURE_BYTES: usize = 240;

/// How much of a hit is shown, from all to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// Also what its server is for.
    WithPurpose,
    /// Signature and sentence.
    Full,
    /// A signature that leaves something out, or is long, is short.
    Trimmed,
    /// As `Trimmed`, without the sentence.
    NoSentence,
    /// A short signature alone.
    ShortSignature,
    /// The name alone.
    Name,
}

impl Share {
    const ALL: usize = Self::Name as usize + 1;

    /// The next less, if there is one.
    pub const fn less(self) -> Option<Self> {
        match self {
            Self::WithPurpose => Some(Self::Full),
            Self::Full => Some(Self::Trimmed),
            Self::Trimmed => Some(Self::NoSentence),
            Self::NoSentence => Some(Self::ShortSignature),
            Self::ShortSignature => Some(Self::Name),
            Self::Name => None,
        }
    }
}

/// The line of a hit.
pub struct Line<'r> {
    /// The hit.
    pub hit: &'r Hit<'r>,
    /// Its place in the list, the best at 0.
    at: usize,
    /// What stands behind it whatever is shown: it decides whether a call is worth making.
    note: String,
    signature: OnceCell<Signature>,
    short: OnceCell<String>,
    sentence: OnceCell<String>,
    forms: [OnceCell<(String, usize)>; Share::ALL],
}

impl<'r> Line<'r> {
    /// The line of the hit at this place.
    pub fn new(at: usize, hit: &'r Hit<'r>, note: String) -> Self {
        let forms = std::array::from_fn(|_| OnceCell::new());
        Self { hit, at, note, signature: OnceCell::new(), short: OnceCell::new(), sentence: OnceCell::new(), forms }
    }

    /// The line as far as this share shows it.
    pub fn text(&self, share: Share) -> &str {
        &self.form(share).0
    }

    /// Its tokens, with the break behind it.
    pub fn cost(&self, share: Share) -> usize {
        self.form(share).1
    }

    /// Whether there is something to say of its server.
    pub const fn has_purpose(&self) -> bool {
        self.hit.purpose.is_some()
    }

    fn form(&self, share: Share) -> &(String, usize) {
        // Nothing to trim: the line is made and counted already.
        let share = if share == Share::Trimmed && self.keeps_signature() { Share::Full } else { share };
        self.forms[share as usize].get_or_init(|| {
            let text = self.written(share);
            let cost = tokens::count(&text) + 1;
            (text, cost)
        })
    }

    fn written(&self, share: Share) -> String {
        let mut line = match share {
            Share::WithPurpose | Share::Full => self.signature().text.clone(),
            Share::Trimmed | Share::NoSentence => self.trimmed().to_owned(),
            Share::ShortSignature => self.short().to_owned(),
            Share::Name => format!("{}(…)", clean::line(&self.hit.tool.id.to_string())),
        };
        let sentence = if share <= Share::Trimmed { self.sentence() } else { "" };
        if !sentence.is_empty() {
            line.push_str(" — ");
            line.push_str(sentence);
        }
        if let Some(purpose) = self.hit.purpose.as_ref().filter(|_| share == Share::WithPurpose) {
            line.push_str(" {");
            line.push_str(&clean::line(purpose));
            line.push('}');
        }
        line.push_str(&self.note);
        line
    }

    /// The best hit is most often the one that is called, and keeps its signature. Of the others a signature that leaves something
    /// out is as good short: before a call that needs more, the tool must be described anyway.
    fn keeps_signature(&self) -> bool {
        let whole = self.signature();
        self.at == 0 || whole.complete && (self.at == 1 || whole.text.len() <= TRIMMED_SIGNATURE_BYTES)
    }

    fn trimmed(&self) -> &str {
        if self.keeps_signature() { &self.signature().text } else { self.short() }
    }

    fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| signature(self.hit.tool))
    }

    fn short(&self) -> &str {
        self.short.get_or_init(|| signature_within(self.hit.tool, SHORT_SIGNATURE_BYTES).text)
    }

    fn sentence(&self) -> &str {
        self.sentence.get_or_init(|| description::sentence(self.hit.tool))
    }
}
