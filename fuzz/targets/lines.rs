//! Lines and the messages on them: the same however the stream is cut, none longer than may be, and each message written as it
//! was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use toolcrib::jsonrpc::{self, LineReader, Message};
use toolcrib_fuzz::{Chunks, Cuts, Input, now};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (most, cuts) = (input.number() % 5_000, Cuts::of(&mut input));
    let stream = input.0;
    let whole = lines(vec![stream], most);
    assert_eq!(whole, lines(cuts.chunks(stream), most), "the same lines however they are cut");
    for line in whole.0 {
        match serde_json::from_slice(&line) {
            Ok(Value::Array(batch)) => batch.into_iter().for_each(message),
            Ok(value) => message(value),
            Err(_) => {}
        }
    }
});

/// All lines, and whether the last one was too long.
fn lines(chunks: Vec<&[u8]>, most: usize) -> (Vec<Vec<u8>>, bool) {
    let mut reader = LineReader::new(Chunks::new(chunks), most);
    let mut lines = Vec::new();
    loop {
        match now(reader.next()) {
            Ok(Some(line)) => {
                assert!(line.len() <= most && !line.contains(&b'\n'));
                lines.push(line.to_vec());
            }
            Ok(None) => return (lines, false),
            Err(_) => return (lines, true),
        }
    }
}

fn message(value: Value) {
    let written = match Message::read(value) {
        Ok(message) => {
            let written = write(message.clone());
            let again = serde_json::from_str(&written).expect("what is written is JSON");
            assert_eq!(Message::read(again).as_ref(), Ok(&message), "{written}");
            written
        }
        Err(refusal) => jsonrpc::answer(refusal.0.as_ref(), Err(refusal.1)).to_string(),
    };
    assert!(!written.contains('\n'), "a message is one line: {written}");
}

fn write(message: Message) -> String {
    let value = match message {
        Message::Request(request) => jsonrpc::request(&request.id, &request.method, request.params),
        Message::Notification(notification) => jsonrpc::notification(&notification.method, notification.params),
        Message::Response(response) => jsonrpc::answer(Some(&response.id), response.outcome),
    };
    value.to_string()
}
