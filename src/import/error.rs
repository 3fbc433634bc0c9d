//! Why a client's file could not be read. Never quotes the file: it holds secrets.

use std::{io, path::PathBuf};

/// A client's file that could not be read. The other files are read all the same.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not there.
    #[error("there is no file {}", .path.display())]
    NotFound {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is larger than any list of servers.
    #[error("{} is larger than {} MiB", .path.display(), .limit >> 20)]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The cap, in bytes.
        limit: u64,
    },
    /// The file is no text.
    #[error("{} is not UTF-8 text (line {line})", .path.display())]
    NotUtf8 {
        /// Which file.
        path: PathBuf,
        /// The first line that is not.
        line: usize,
    },
    /// The file does not follow its own language.
    #[error("{} is not {language}: {problem}, line {line}, column {column}", .path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// JSON, TOML or YAML.
        language: &'static str,
        /// The parser's own words.
        problem: String,
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
    },
    /// The file is well written but holds something else.
    #[error("{} holds no list of servers: {problem}", .path.display())]
    Shape {
        /// Which file.
        path: PathBuf,
        /// What is wrong, without values.
        problem: &'static str,
    },
}

impl ImportError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound { .. } => "correct the path".into(),
            Self::Read { path, .. } => format!("make {} readable for this user", path.display()),
            Self::TooLarge { .. } => "copy its servers into a file of their own and name it with --file".into(),
            Self::NotUtf8 { .. } => "save the file as UTF-8".into(),
            Self::Syntax { path, line, .. } => {
                format!("correct line {line} of {}; the client cannot read it either", path.display())
            }
            Self::Shape { .. } => "name the client too, as in `toolcrib import cursor --file FILE`".into(),
        }
    }
}
