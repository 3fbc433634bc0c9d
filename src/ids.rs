//! Names of servers and tools, parsed once and carried as types.
//!
//! Owns the one rule that every room relies on: a tool is `server/tool`, and the first `/` is the border.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Longest server name, in bytes. 32 keeps `mcp__toolcrib__…`-style client prefixes far below every client's limit of 60.
const MAX_SERVER_NAME_BYTES: usize = 32;

/// Longest tool name taken from a backend, in bytes. The specification allows 128; real servers stay at 63 or below.
const MAX_TOOL_NAME_BYTES: usize = 256;

/// The name of toolcrib's own server, which no other can have.
pub const BUILT_IN_SERVER: &str = "crib";

/// The operator's name for a server: `[a-z0-9][a-z0-9_-]{0,31}`. Never what a backend calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

/// A tool's name exactly as its backend gave it. May hold anything but control characters, `/` included.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolName(String);

/// A tool's full name, shown and accepted everywhere as `server/tool`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolId {
    /// The server that has the tool.
    pub server: ServerName,
    /// The tool's name on that server.
    pub tool: ToolName,
}

/// Why a text is no server name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseServerNameError {
    /// The text is empty.
    #[error("a server name cannot be empty")]
    Empty,
    /// The text is longer than 32 bytes.
    #[error("server name `{text}` has {} bytes; at most {MAX_SERVER_NAME_BYTES} are allowed", text.len())]
    TooLong {
        /// What was given.
        text: String,
    },
    /// The text holds a character outside `[a-z0-9_-]`, or starts with `_` or `-`.
    #[error(
        "server name `{text}` cannot have {character:?} at byte {at}; use a-z, 0-9, `-` and `_`, starting with a letter or digit"
    )]
    Character {
        /// What was given.
        text: String,
        /// The first character that is not allowed.
        character: char,
        /// Its byte offset.
        at: usize,
    },
}

/// Why a text is no tool name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseToolNameError {
    /// The text is empty.
    #[error("a tool name cannot be empty")]
    Empty,
    /// The text is longer than 256 bytes.
    #[error("the tool name has {bytes} bytes; at most {MAX_TOOL_NAME_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The text holds a control character, which no client could show safely.
    #[error("a tool name cannot hold a control character (byte {at})")]
    Control {
        /// Its byte offset.
        at: usize,
    },
}

/// Why a text is no `server/tool`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseToolIdError {
    /// There is no `/`, so the server is not named.
    #[error("`{text}` names no server; write `server/tool`")]
    NoServer {
        /// What was given.
        text: String,
    },
    /// The part before the first `/` is no server name.
    #[error(transparent)]
    Server(#[from] ParseServerNameError),
    /// The part after the first `/` is no tool name.
    #[error(transparent)]
    Tool(#[from] ParseToolNameError),
}

impl ServerName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ToolName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ToolId {
    /// Joins a server and one of its tools.
    #[must_use]
    pub const fn new(server: ServerName, tool: ToolName) -> Self {
        Self { server, tool }
    }
}

impl FromStr for ServerName {
    type Err = ParseServerNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseServerNameError::Empty);
        }
        if text.len() > MAX_SERVER_NAME_BYTES {
            return Err(ParseServerNameError::TooLong { text: text.into() });
        }
        let allowed =
            |at: usize, c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && matches!(c, '_' | '-'));
        match text.char_indices().find(|&(at, c)| !allowed(at, c)) {
            Some((at, character)) => Err(ParseServerNameError::Character { text: text.into(), character, at }),
            None => Ok(Self(text.into())),
        }
    }
}

impl FromStr for ToolName {
    type Err = ParseToolNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseToolNameError::Empty);
        }
        if text.len() > MAX_TOOL_NAME_BYTES {
            return Err(ParseToolNameError::TooLong { bytes: text.len() });
        }
        match text.char_indices().find(|(_, c)| c.is_control()) {
            Some((at, _)) => Err(ParseToolNameError::Control { at }),
            None => Ok(Self(text.into())),
        }
    }
}

impl FromStr for ToolId {
    type Err = ParseToolIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A server name cannot hold `/`, so the first one is the border, whatever the tool is called.
        let (server, tool) = text.split_once('/').ok_or_else(|| ParseToolIdError::NoServer { text: text.into() })?;
        Ok(Self { server: server.parse()?, tool: tool.parse()? })
    }
}

macro_rules! string_conversions {
    ($type:ty, $error:ty) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.to_string()
            }
        }
    };
}

string_conversions!(ServerName, ParseServerNameError);
string_conversions!(ToolName, ParseToolNameError);
string_conversions!(ToolId, ParseToolIdError);

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.server, self.tool)
    }
}

impl Borrow<str> for ServerName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ToolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_slash_is_the_border_whatever_the_tool_is_called() {
        let id: ToolId = "git_hub/repos/search".parse().unwrap();
        assert_eq!((id.server.as_str(), id.tool.as_str()), ("git_hub", "repos/search"));
    }

    #[test]
    fn a_name_without_a_server_says_what_to_write() {
        let error = "create_issue".parse::<ToolId>().unwrap_err();
        assert_eq!(error.to_string(), "`create_issue` names no server; write `server/tool`");
    }

    #[test]
    fn server_names_refuse_what_clients_could_not_show() {
        for bad in ["", "-x", "_x", "Git", "a/b", "a b", "ä", &"x".repeat(33)] {
            assert!(bad.parse::<ServerName>().is_err(), "{bad:?}");
        }
        for good in ["a", "0", "github", "aws-iam_2", &"x".repeat(32)] {
            assert!(good.parse::<ServerName>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn tool_names_refuse_control_characters_only() {
        assert!("API-post-page v2.1 (beta)".parse::<ToolName>().is_ok());
        assert!("a\u{1b}[31m".parse::<ToolName>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_back_to_the_same_id(server in "[a-z0-9][a-z0-9_-]{0,31}", tool in "[^\\p{Cc}]{1,60}") {
            let id: ToolId = format!("{server}/{tool}").parse().unwrap();
            prop_assert_eq!(id.to_string().parse::<ToolId>().unwrap(), id);
        }
    }
}
