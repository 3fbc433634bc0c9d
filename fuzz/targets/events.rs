//! Event streams: the same events however the stream is cut, none larger than may be, and what our server writes is read as it
//! was meant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use toolcrib::jsonrpc::events::{self, Event, EventReader};
use toolcrib_fuzz::{Cuts, Input};

/// A byte that is no UTF-8 becomes a character of three.
const MOST_GROWTH: usize = 3;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (most, cuts) = (input.number() % 5_000, Cuts::of(&mut input));
    let whole = read(&[input.0], most);
    assert_eq!(whole, read(&cuts.chunks(input.0), most), "the same events however they are cut");
    let mut written = String::new();
    let mut meant = Vec::new();
    for event in whole.0 {
        let Event { data: Some(data), id, retry, .. } = event else { continue };
        assert!(data.len() <= MOST_GROWTH * most);
        // Between events stands what says that the stream is alive.
        written.push_str(":\n\n");
        written.push_str(&events::event(id.as_deref(), retry, &data));
        if let Ok(message) = serde_json::from_str::<Value>(&data) {
            let json = message.to_string();
            written.push_str(&events::event(id.as_deref(), retry, &json));
            meant.push(Event { data: Some(data), id: id.clone(), retry, event: None });
            meant.push(Event { data: Some(json), id, retry, event: None });
        } else {
            meant.push(Event { data: Some(data), id, retry, event: None });
        }
    }
    assert_eq!(read(&cuts.chunks(written.as_bytes()), usize::MAX), (meant, false));
});

/// All events, and whether the last one was too large.
fn read(chunks: &[&[u8]], most: usize) -> (Vec<Event>, bool) {
    let mut reader = EventReader::new(most);
    let mut events = Vec::new();
    for chunk in chunks {
        let mut rest = *chunk;
        loop {
            match reader.read(&mut rest) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(_) => return (events, true),
            }
        }
    }
    (events, false)
}
