//! Messages one to a line. A line beyond any sense is an error instead of memory.

use tokio::io::{self, AsyncBufReadExt, AsyncRead, BufReader};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// Why there is no further line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The stream failed.
    #[error("the stream failed")]
    Io(#[from] io::Error),
    /// A line is longer than any message may be.
    #[error("a line is longer than {most} bytes")]
    TooLong {
        /// The limit.
        most: usize,
    },
}

/// Reads lines of a stream.
#[derive(Debug)]
pub struct LineReader<R> {
    stream: BufReader<R>,
    line: Vec<u8>,
    most: usize,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// A reader of lines of at most this many bytes.
    #[must_use]
    pub fn new(stream: R, most: usize) -> Self {
        Self { stream: BufReader::with_capacity(CHUNK, stream), line: Vec::new(), most }
    }

    /// The next line, without white space around it and without a mark of its byte order; `None` at the end of the stream. What
    /// stands before the end without a line break counts as a line.
    ///
    /// Dropping the future loses what was read of the line.
    ///
    /// # Errors
    /// Where the stream fails or the line is too long; nothing can be read after that.
    pub async fn next(&mut self) -> Result<Option<&[u8]>, LineError> {
        self.line.clear();
        loop {
            let available = self.stream.fill_buf().await?;
            if available.is_empty() {
                if self.line.is_empty() {
                    return Ok(None);
                }
                break;
            }
            let (part, done) = match available.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (available.len(), false),
            };
            self.line.extend_from_slice(&available[..part]);
            self.stream.consume(part);
            if self.line.len() > self.most {
                return Err(LineError::TooLong { most: self.most });
            }
            if done {
                break;
            }
        }
        Ok(Some(self.line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.line).trim_ascii()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &str, most: usize) -> (Vec<String>, Option<LineError>) {
        let mut reader = LineReader::new(text.as_bytes(), most);
        let mut lines = Vec::new();
        loop {
            match reader.next().await {
                Ok(Some(line)) => lines.push(String::from_utf8(line.to_vec()).unwrap()),
                Ok(None) => return (lines, None),
                Err(error) => return (lines, Some(error)),
            }
        }
    }

    #[tokio::test]
    async fn lines_come_trimmed_and_the_last_needs_no_break() {
        let (read, error) = lines("\u{feff}{}\r\n\n  [1]  \nlast", 100).await;
        assert_eq!(read, ["{}", "", "[1]", "last"]);
        assert!(error.is_none());
    }

    #[tokio::test]
    async fn a_line_without_end_is_an_error_and_no_memory() {
        let (read, error) = lines(&format!("short\n{}", "x".repeat(1000)), 100).await;
        assert_eq!(read, ["short"]);
        assert!(matches!(error, Some(LineError::TooLong { most: 100 })), "{error:?}");
    }
}
