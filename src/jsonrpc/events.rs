//! Event streams (`text/event-stream`): events written, and read back wherever a stream is cut into chunks.
//!
//! Reads as the HTML standard wants it: a field that nobody knows, a line without a colon and bytes that are no UTF-8 are no reason to
//! lose the message beside them. Knows no connection: whoever has one gives the chunks.

use std::{borrow::Cow, fmt::Write};

/// The mark of its byte order that a stream may begin with.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Room for a line that is kept from one line to the next, in bytes. What a longer one took is given back.
const KEPT_ROOM: usize = 64 * 1024;

/// One event: what was said of it between two empty lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its kind.
    pub event: Option<String>,
    /// Its data; lines of it are joined by `\n`. `None` where it had none.
    pub data: Option<String>,
    /// Where it stands in the stream.
    pub id: Option<String>,
    /// How long to wait before the stream is asked for again, in milliseconds.
    pub retry: Option<u64>,
}

/// An event is larger than any message may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than {most} bytes")]
pub struct EventTooLarge {
    /// The limit.
    most: usize,
}

/// Reads the events of a stream. Holds the line and the event that are coming, and no more.
#[derive(Debug)]
pub struct EventReader {
    most: usize,
    event: Event,
    /// The line that is coming, as far as it came in earlier chunks.
    line: Vec<u8>,
    /// Bytes of all lines of the event that is coming, their breaks apart.
    bytes: usize,
    /// The last byte was a carriage return, of which a line feed is the second half.
    returned: bool,
    /// A line was read, so that a mark of the byte order is one no more.
    begun: bool,
}

impl EventReader {
    /// A reader of events whose lines have at most this many bytes together.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, event: Event::default(), line: Vec::new(), bytes: 0, returned: false, begun: false }
    }

    /// Reads up to the end of the next event, and leaves what follows it in `chunk`; `None` where the chunk is used up before. An
    /// event that the stream breaks off is none.
    ///
    /// # Errors
    /// Where an event is too large; nothing can be read after that.
    pub fn read(&mut self, chunk: &mut &[u8]) -> Result<Option<Event>, EventTooLarge> {
        while let Some(first) = chunk.first() {
            if std::mem::take(&mut self.returned) && *first == b'\n' {
                *chunk = &chunk[1..];
                continue;
            }
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = chunk.split_at(end.unwrap_or(chunk.len()));
            self.bytes += part.len();
            if self.bytes > self.most {
                return Err(EventTooLarge { most: self.most });
            }
            let Some((&end, rest)) = rest.split_first() else {
                self.line.extend_from_slice(part);
                *chunk = rest;
                break;
            };
            *chunk = rest;
            self.returned = end == b'\r';
            if let Some(event) = self.line_ended(part) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Takes a line of which the last part has come. An empty one ends the event.
    fn line_ended(&mut self, part: &[u8]) -> Option<Event> {
        let mut kept = std::mem::take(&mut self.line);
        let mut line = if kept.is_empty() {
            part
        } else {
            kept.extend_from_slice(part);
            &kept
        };
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(MARK).unwrap_or(line);
        }
        let event = if line.is_empty() {
            self.bytes = 0;
            Some(std::mem::take(&mut self.event)).filter(|event| *event != Event::default())
        } else {
            self.field(line);
            None
        };
        if kept.capacity() <= KEPT_ROOM {
            kept.clear();
            self.line = kept;
        }
        event
    }

    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = colon.map_or((line, [].as_slice()), |at| (&line[..at], &line[at + 1..]));
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value);
        match name {
            b"data" => match &mut self.event.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&text());
                }
                None => self.event.data = Some(text().into_owned()),
            },
            b"event" => self.event.event = Some(text().into_owned()),
            b"id" if !value.contains(&0) => self.event.id = Some(text().into_owned()),
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                self.event.retry = text().parse().ok().or(self.event.retry);
            }
            _ => {}
        }
    }
}

/// An event as it is sent. Line breaks of any kind in the data come back as `\n`; there are none in JSON that was written by us. An
/// `id` must have none.
#[must_use]
pub fn event(id: Option<&str>, retry_millis: Option<u64>, data: &str) -> String {
    let mut out = String::with_capacity(data.len() + 64);
    // Writing to a String cannot fail.
    if let Some(id) = id {
        let _ = writeln!(out, "id: {id}");
    }
    if let Some(millis) = retry_millis {
        let _ = writeln!(out, "retry: {millis}");
    }
    let data =
        if data.contains('\r') { Cow::from(data.replace("\r\n", "\n").replace('\r', "\n")) } else { data.into() };
    for line in data.split('\n') {
        let _ = if line.is_empty() { writeln!(out, "data:") } else { writeln!(out, "data: {line}") };
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// All events of a stream that comes in these chunks, and whether one was too large.
    fn read<'c>(chunks: impl IntoIterator<Item = &'c [u8]>, most: usize) -> (Vec<Event>, bool) {
        let mut reader = EventReader::new(most);
        let mut events = Vec::new();
        for mut chunk in chunks {
            loop {
                match reader.read(&mut chunk) {
                    Ok(Some(event)) => events.push(event),
                    Ok(None) => break,
                    Err(_) => return (events, true),
                }
            }
            assert!(chunk.is_empty() && reader.line.len() <= most);
        }
        (events, false)
    }

    fn events(text: &str) -> Vec<Event> {
        read([text.as_bytes()], 1_000).0
    }

    fn data(text: &str) -> Event {
        Event { data: Some(text.into()), ..Event::default() }
    }

    #[test]
    fn events_are_read_as_the_standard_has_them() {
        assert_eq!(events("data: a\ndata\ndata:  b\n\n"), [data("a\n\n b")]);
        assert_eq!(events("\u{feff}data: a\r\n\r\ndata: b\r\rdata: c\n\n"), [data("a"), data("b"), data("c")]);
        let all = Event { event: Some("x".into()), id: Some("7".into()), retry: Some(20), ..data("a") };
        assert_eq!(events("event: x\nid: 7\nretry: 20\ndata: a\n\n\n\n"), [all]);
        let place = Event { id: Some("7".into()), ..Event::default() };
        assert_eq!(events("id: 6\nid: 7\n\n"), [place], "a place without data is one, and the last one counts");
        assert_eq!(events(":\n\n: alive\n\ndata: cut off\n"), []);
    }

    #[test]
    fn what_nobody_knows_loses_no_message() {
        for odd in ["what: ever", "what", "retry: soon", "retry: -1", "retry: 99999999999999999999", "id: a\0b", ":"] {
            assert_eq!(events(&format!("{odd}\ndata: a\n\n")), [data("a")], "{odd:?}");
        }
        assert_eq!(read([b"data: a\xff\n\ndata: b\n\n".as_slice()], 100).0, [data("a\u{fffd}"), data("b")]);
    }

    #[test]
    fn an_event_without_end_is_an_error_and_no_memory() {
        let endless = b"data: and so on\n".repeat(100);
        assert_eq!(read([b"data: a\n\n", endless.as_slice()], 1_000), (vec![data("a")], true));
        let lively = b":\n\ndata: a\r\n\r\n".repeat(1_000);
        assert_eq!(read([lively.as_slice()], 10).0.len(), 1_000, "a stream may be long");
    }

    #[test]
    fn the_room_of_a_long_line_is_given_back() {
        let mut reader = EventReader::new(1 << 20);
        let long = "x".repeat(1 << 19);
        for mut part in ["data: ", &long, "\n", ":"].map(str::as_bytes) {
            assert_eq!(reader.read(&mut part), Ok(None));
        }
        assert!(reader.line.capacity() <= KEPT_ROOM, "{}", reader.line.capacity());
    }

    const PIECES: [&str; 12] =
        ["data", "data: ", "data:{}", "id:", "event: x", "retry: 5", ":", "\n", "\r", "\r\n", "\u{feff}", "é"];

    /// Pieces of streams, so that what is put together of them means something.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![prop::sample::select(&PIECES[..]).prop_map(|text| text.as_bytes().to_vec()), vec(any::<u8>(), 0..4)]
    }

    proptest! {
        #[test]
        fn events_are_the_same_however_a_stream_is_cut(
            pieces in vec(piece(), 0..40),
            most in 0_usize..60,
            size in 1_usize..9,
        ) {
            let whole = pieces.concat();
            prop_assert_eq!(read([whole.as_slice()], most), read(whole.chunks(size), most));
        }

        #[test]
        fn what_is_written_is_read_back(
            id in prop::option::of("[0-9a-z-]{1,9}"),
            retry in prop::option::of(any::<u64>()),
            text in "[a-zé:\n\r ]{0,40}",
        ) {
            let written = event(id.as_deref(), retry, &text);
            let told = text.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(events(&written), [Event { id, retry, ..data(&told) }]);
        }
    }
}
