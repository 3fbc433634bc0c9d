//! The token that clients show: made here, shown once, kept as its SHA-256 alone.

use std::{
    fmt, fs,
    hint::black_box,
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// Shortest token that an operator may set, in characters.
pub const MIN_CHARS: usize = 16;

/// How much chance is in a token of ours, in bytes.
const RANDOM_BYTES: usize = 32;

/// Begins every token of ours, so that it is recognised where it was leaked.
const PREFIX: &str = "tcb_";

/// Name of the file in the data folder.
const FILE: &str = "http-token.sha256";

/// What a client must show, as a digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    digest: [u8; 32],
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The operator's own is too short.
    #[error("the token in the environment has fewer than {MIN_CHARS} characters")]
    TooShort,
    /// The operator's own cannot be sent in a header.
    #[error("the token in the environment has other characters than visible ASCII")]
    NotVisible,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoChance,
    /// The file of its digest cannot be read or written.
    #[error("failed to keep the token's digest in {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file of its digest holds something else.
    #[error("{} holds no digest; `--new-token` makes a token and writes it anew", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl Token {
    /// A token that the operator chose.
    ///
    /// # Errors
    /// Where it is too short, or cannot be sent in a header.
    pub fn chosen(text: &str) -> Result<Self, TokenError> {
        if text.len() < MIN_CHARS {
            return Err(TokenError::TooShort);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::NotVisible);
        }
        Ok(Self::of(text))
    }

    /// The token of this data folder; where there is none yet, or `anew`, one is made. Its text comes back then, and never again.
    ///
    /// # Errors
    /// Where its digest cannot be read or written.
    pub fn kept(data_dir: &Path, anew: bool) -> Result<(Self, Option<String>), TokenError> {
        let path = data_dir.join(FILE);
        let failed = |source| TokenError::File { path: path.clone(), source };
        if !anew {
            match fs::read_to_string(&path) {
                Ok(text) => return Ok((Self::read(&text).ok_or(TokenError::Damaged { path })?, None)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let text = random_text(PREFIX).ok_or(TokenError::NoChance)?;
        let token = Self::of(&text);
        fs::create_dir_all(data_dir).map_err(failed)?;
        token.write(data_dir, &path).map_err(failed)?;
        Ok((token, Some(text)))
    }

    /// Whether this is the token. Takes as long for any other of its length.
    #[must_use]
    pub fn is(&self, shown: &[u8]) -> bool {
        let shown: [u8; 32] = Sha256::digest(shown).into();
        let differing = self.digest.iter().zip(shown).fold(0, |differing, (ours, theirs)| differing | (ours ^ theirs));
        black_box(differing) == 0
    }

    fn of(text: &str) -> Self {
        Self { digest: Sha256::digest(text).into() }
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut digest = [0; 32];
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self { digest })
    }

    /// For the user alone (a temporary file is made so), and whole or not at all.
    fn write(&self, data_dir: &Path, path: &Path) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(FILE).tempfile_in(data_dir)?;
        let hex: String = self.digest.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(file, "{hex}")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// 256 bits of chance as visible ASCII; `None` where the system has none.
pub(super) fn random_text(prefix: &str) -> Option<String> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_once_and_known_from_then_on() {
        let dir = tempfile::tempdir().unwrap();
        let (made, shown) = Token::kept(dir.path(), false).unwrap();
        let shown = shown.unwrap();
        assert!(shown.starts_with("tcb_") && shown.len() == 47, "{shown}");
        assert!(made.is(shown.as_bytes()));
        let (kept, again) = Token::kept(dir.path(), false).unwrap();
        assert_eq!((kept.clone(), again), (made, None));
        let file = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!file.contains(&shown[4..]), "only the digest is kept");
        let (_, new) = Token::kept(dir.path(), true).unwrap();
        let (kept_now, _) = Token::kept(dir.path(), false).unwrap();
        assert!(kept_now.is(new.unwrap().as_bytes()) && !kept_now.is(shown.as_bytes()) && kept != kept_now);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_its_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Token::kept(dir.path(), false).unwrap();
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_told_of_and_made_anew_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        for text in ["", "x", "é".repeat(32).as_str(), "zz".repeat(32).as_str()] {
            fs::write(dir.path().join(FILE), text).unwrap();
            assert!(matches!(Token::kept(dir.path(), false), Err(TokenError::Damaged { .. })), "{text}");
        }
        assert!(Token::kept(dir.path(), true).unwrap().1.is_some());
    }

    #[test]
    fn a_chosen_token_must_be_long_and_fit_a_header() {
        assert!(matches!(Token::chosen("short"), Err(TokenError::TooShort)));
        assert!(matches!(Token::chosen("with a space inside"), Err(TokenError::NotVisible)));
        let token = Token::chosen("0123456789abcdef").unwrap();
        assert!(token.is(b"0123456789abcdef") && !token.is(b"0123456789abcdeF") && !token.is(b""));
        assert_eq!(format!("{token:?}"), "Token { .. }");
    }
}
