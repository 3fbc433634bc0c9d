//! Streams by themselves: order, resumption, and what gives way.

use futures::FutureExt;
use serde_json::json;

use super::*;

fn room(messages: usize, bytes: usize) -> (Room, Arc<Kept>) {
    let kept = Arc::<Kept>::default();
    let limits = Limits { stream_messages: messages, stream_bytes: bytes, ..Limits::default() };
    (Room::new(&limits, &kept), kept)
}

fn note(text: &str) -> Value {
    json!({"method": text})
}

async fn rest(reader: &mut Reader) -> Vec<String> {
    let mut read = Vec::new();
    while let Some(Some(event)) = reader.next().now_or_never() {
        read.push(format!("{} {}", event.number, event.json));
    }
    read
}

#[tokio::test]
async fn what_was_sent_is_read_in_order_and_ends_with_the_answer() {
    let stream = Stream::answering(1, 1, room(10, 1000).0);
    assert!(stream.send(note("a")).await);
    let mut reader = stream.read(None);
    stream.answered(Some(&json!({"id": 1})));
    assert!(!stream.send(note("late")).await, "nothing comes after the answer");
    assert_eq!(rest(&mut reader).await, [r#"1 {"method":"a"}"#, r#"2 {"id":1}"#]);
    assert!(reader.next().await.is_none() && stream.is_finished());
}

#[tokio::test]
async fn a_stream_is_resumed_after_the_event_that_came_last() {
    let stream = Stream::answering(1, 1, room(10, 1000).0);
    for text in ["a", "b", "c"] {
        stream.send(note(text)).await;
    }
    let mut first = stream.read(None);
    first.next().await;
    first.next().await;
    let mut second = stream.read(Some(1));
    assert!(first.next().await.is_none(), "the one who read before reads no more");
    drop(first);
    assert!(stream.is_read(), "its end is not the end of the second");
    assert_eq!(rest(&mut second).await, [r#"2 {"method":"b"}"#, r#"3 {"method":"c"}"#]);
    drop(second);
    assert!(!stream.is_read());
}

#[tokio::test]
async fn a_slow_reader_holds_up_who_has_more_to_say() {
    let stream = Stream::answering(1, 1, room(2, 1000).0);
    let mut reader = stream.read(None);
    assert!(stream.send(note("a")).await && stream.send(note("b")).await);
    let more = stream.send(note("c"));
    let mut more = std::pin::pin!(more);
    assert!(more.as_mut().now_or_never().is_none());
    reader.next().await;
    assert_eq!(more.now_or_never(), Some(true));
}

#[tokio::test]
async fn where_nobody_reads_old_news_gives_way_and_questions_do_not() {
    let stream = Stream::answering(1, 1, room(2, 1000).0);
    assert!(stream.send(json!({"id": 1, "method": "ask"})).await);
    for text in ["a", "b", "c"] {
        assert!(stream.send(note(text)).await, "{text}");
    }
    assert!(stream.send(json!({"id": 2, "method": "ask"})).await);
    assert!(!stream.send(note("d")).await, "there is nothing left to lose");
    stream.answered(Some(&json!({"id": 9})));
    let read = rest(&mut stream.read(None)).await;
    assert_eq!(read, [r#"1 {"id":1,"method":"ask"}"#, r#"5 {"id":2,"method":"ask"}"#, r#"6 {"id":9}"#]);
}

#[tokio::test]
async fn what_is_kept_is_counted_and_given_back() {
    let (room, kept) = room(10, 40);
    let stream = Stream::unasked(0, room);
    for _ in 0..20 {
        assert!(stream.send(note("news")).await);
        assert!(kept.0.load(Ordering::Relaxed) <= 40, "{}", kept.0.load(Ordering::Relaxed));
    }
    assert!(stream.send(note(&"long ".repeat(100))).await, "one that is longer goes alone");
    drop(stream);
    assert_eq!(kept.0.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_writer_that_waits_is_told_when_the_stream_ends() {
    let stream = Stream::unasked(0, room(1, 1000).0);
    let reader = stream.read(None);
    assert!(stream.send(note("a")).await);
    let waiting = stream.send(note("b"));
    let mut waiting = std::pin::pin!(waiting);
    assert!(waiting.as_mut().now_or_never().is_none());
    stream.end();
    assert_eq!(waiting.now_or_never(), Some(false));
    drop(reader);
}
