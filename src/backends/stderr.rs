//! The last words of a child: its standard error in a bounded ring, known secrets blanked out.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Most bytes kept.
const KEPT_BYTES: usize = 64 * 1024;

/// Longest line kept, in bytes.
const LINE_BYTES: usize = 1_000;

/// A bounded ring of lines.
#[derive(Debug)]
pub(super) struct Tail {
    lines: Mutex<Lines>,
    secrets: Vec<SecretString>,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<String>,
    bytes: usize,
}

impl Tail {
    /// An empty ring that blanks out these values.
    pub(super) fn new(secrets: Vec<SecretString>) -> Arc<Self> {
        Arc::new(Self { lines: Mutex::new(Lines::default()), secrets })
    }

    /// The lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).kept.iter().cloned().collect()
    }

    /// Keeps a line.
    pub(super) fn keep(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let mut text: String = text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        // Whole values are blanked before the line is cut, so that no half of one stays.
        for secret in &self.secrets {
            text = text.replace(secret.expose_secret(), "***");
        }
        text.truncate(text.floor_char_boundary(LINE_BYTES));
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.bytes += text.len();
        lines.kept.push_back(text);
        while lines.bytes > KEPT_BYTES {
            let Some(oldest) = lines.kept.pop_front() else { break };
            lines.bytes -= oldest.len();
        }
    }

    /// Reads a stream to its end. Never stops reading: a child whose standard error is full hangs.
    pub(super) async fn drain(self: Arc<Self>, mut stream: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 8 * 1024];
        let mut line: Vec<u8> = Vec::new();
        while let Ok(read) = stream.read(&mut buffer).await {
            if read == 0 {
                break;
            }
            for &byte in &buffer[..read] {
                if byte == b'\n' {
                    self.keep(&line);
                    line.clear();
                } else if line.len() < LINE_BYTES * 4 {
                    line.push(byte);
                }
            }
        }
        if !line.is_empty() {
            self.keep(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn secrets_are_blanked_and_a_flood_is_bounded() {
        let tail = Tail::new(vec![SecretString::from("hunter2hunter2")]);
        let mut text = "noise\n".repeat(50_000);
        text.push_str("login with hunter2hunter2 failed\n\u{1b}[31mred\u{1b}[0m");
        Arc::clone(&tail).drain(text.as_bytes()).await;
        let lines = tail.lines();
        assert!(lines.iter().map(String::len).sum::<usize>() <= KEPT_BYTES);
        assert_eq!(lines[lines.len() - 2..], ["login with *** failed", "[31mred[0m"]);
    }
}
