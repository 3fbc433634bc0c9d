//! What the targets share: how an input is taken apart, and how one stream comes in different chunks.

use std::{
    cmp::min,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, ReadBuf};

/// Takes numbers from the start of an input; what is left is the material. An input that is used up gives zeros.
#[derive(Debug, Clone, Copy)]
pub struct Input<'i>(pub &'i [u8]);

impl<'i> Input<'i> {
    /// The next byte.
    pub fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        (*first).into()
    }

    /// The next two bytes as one number.
    pub fn number(&mut self) -> usize {
        self.byte() << 8 | self.byte()
    }

    /// What is left up to the next line break, which goes too.
    pub fn line(&mut self) -> &'i [u8] {
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        line
    }
}

/// How a stream is cut: the sizes of its chunks, over and over.
#[derive(Debug, Clone, Copy)]
pub struct Cuts([usize; 3]);

impl Cuts {
    /// Cuts of an input, mostly small ones.
    pub fn of(input: &mut Input<'_>) -> Self {
        Self([(); 3].map(|()| input.byte() % 32 + 1))
    }

    /// The chunks of a stream.
    pub fn chunks(self, stream: &[u8]) -> Vec<&[u8]> {
        let (mut chunks, mut rest, mut sizes) = (Vec::new(), stream, self.0.into_iter().cycle());
        while let (false, Some(size)) = (rest.is_empty(), sizes.next()) {
            let (chunk, after) = rest.split_at(min(size, rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }
}

/// A stream that gives a chunk at a time.
#[derive(Debug)]
pub struct Chunks<'s>(pub Vec<&'s [u8]>);

impl<'s> Chunks<'s> {
    /// These chunks, the first one first.
    pub fn new(mut chunks: Vec<&'s [u8]>) -> Self {
        chunks.reverse();
        Self(chunks)
    }
}

impl AsyncRead for Chunks<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(chunk) = self.0.pop() {
            let (now, later) = chunk.split_at(min(chunk.len(), into.remaining()));
            into.put_slice(now);
            if !later.is_empty() {
                self.0.push(later);
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What a future gives that never waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a stream that never waits was waited for"),
    }
}
