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
        // What one long line took is not held for as long as the stream lasts.
        self.line.shrink_to(CHUNK);
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
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use futures::FutureExt;
    use proptest::{collection::vec, prelude::*};
    use tokio::io::ReadBuf;

    use super::*;

    /// Gives at most so many bytes at once.
    struct Slow<'s>(&'s [u8], usize);

    impl AsyncRead for Slow<'_> {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let (now, later) = self.0.split_at(self.0.len().min(self.1));
            into.put_slice(now);
            self.0 = later;
            Poll::Ready(Ok(()))
        }
    }

    fn read(stream: &[u8], at_once: usize, most: usize) -> (Vec<Vec<u8>>, Option<LineError>) {
        let mut reader = LineReader::new(Slow(stream, at_once), most);
        let mut lines = Vec::new();
        loop {
            match reader.next().now_or_never() {
                Some(Ok(Some(line))) => lines.push(line.to_vec()),
                Some(Ok(None)) => return (lines, None),
                Some(Err(error)) => return (lines, Some(error)),
                None => panic!("a stream that never waits was waited for"),
            }
        }
    }

    #[test]
    fn lines_come_trimmed_and_the_last_needs_no_break() {
        let (read, error) = read("\u{feff}{}\r\n\n  [1]  \nlast".as_bytes(), 100, 100);
        assert_eq!(read, [b"{}".as_slice(), b"", b"[1]", b"last"]);
        assert!(error.is_none());
    }

    #[test]
    fn a_line_without_end_is_an_error_and_no_memory() {
        let (read, error) = read(format!("short\n{}", "x".repeat(1000)).as_bytes(), 1000, 100);
        assert_eq!(read, [b"short"]);
        assert!(matches!(error, Some(LineError::TooLong { most: 100 })), "{error:?}");
    }

    #[test]
    fn the_room_of_a_long_line_is_given_back() {
        let text = format!("{}\nshort\n", "x".repeat(3 * CHUNK));
        let mut reader = LineReader::new(text.as_bytes(), 4 * CHUNK);
        for length in [3 * CHUNK, 5] {
            assert_eq!(reader.next().now_or_never().unwrap().unwrap().unwrap().len(), length);
        }
        assert!(reader.line.capacity() <= CHUNK, "{}", reader.line.capacity());
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_a_stream_is_cut(
            parts in vec("[a \u{feff}\r\n]{0,9}|\\PC{0,9}", 0..9),
            at_once in 1_usize..9,
            most in 0_usize..40,
        ) {
            let whole = parts.concat();
            let (lines, error) = read(whole.as_bytes(), usize::MAX, most);
            let (again, as_well) = read(whole.as_bytes(), at_once, most);
            prop_assert_eq!(&lines, &again);
            prop_assert_eq!(error.is_some(), as_well.is_some());
            prop_assert!(lines.iter().all(|line| line.len() <= most));
        }
    }
}
