//! One client over two streams, a message to a line.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter},
    sync::mpsc::{self, Receiver, Sender},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Client, Front, Outlet, Received};
use crate::{
    broker::Conversation,
    jsonrpc::{self, LineError, LineReader, RpcError},
};

/// Longest message of a client, in bytes. What a model writes is far below.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Messages waiting to be written. A client that reads slowly holds up whoever has more to say.
const WAITING: usize = 64;

/// How long requests that are open when the client hangs up may take to be answered: whoever wrote them into a pipe and closed it
/// wants the answers. Clients that are gone for good ask the process to end before that.
const DRAIN: Duration = Duration::from_secs(5);

/// How long the last messages may take: answers to the client, and cancellations to servers.
const LAST_WORDS: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Lines(Sender<Value>);

#[async_trait]
impl Outlet for Lines {
    async fn send(&self, message: Value) -> bool {
        self.0.send(message).await.is_ok()
    }
}

/// Serves a client until it hangs up or `stop` is cancelled, which cancels its open requests. `opened` is called at its first request.
///
/// # Errors
/// Where its input fails, or has a line longer than any message.
pub async fn serve(
    front: Front,
    conversation: Arc<Conversation>,
    (input, output): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin + Send + 'static),
    stop: CancellationToken,
    opened: impl FnOnce(),
) -> io::Result<()> {
    let (sender, queue) = mpsc::channel(WAITING);
    let writing = tokio::spawn(write(output, queue));
    let out: Arc<dyn Outlet> = Arc::new(Lines(sender));
    let client = Arc::new(Client::new(conversation, Arc::clone(&out)));
    let tasks = TaskTracker::new();
    let read = read(&front, &client, &out, input, &tasks, opened);
    let ended = stop.run_until_cancelled(read).await.unwrap_or(Ok(()));
    tasks.close();
    client.hung_up();
    let _ = stop.run_until_cancelled(time::timeout(DRAIN, tasks.wait())).await;
    client.end();
    let _ = time::timeout(LAST_WORDS, tasks.wait()).await;
    drop((client, out));
    let _ = time::timeout(LAST_WORDS, writing).await;
    ended
}

async fn read(
    front: &Front,
    client: &Arc<Client>,
    out: &Arc<dyn Outlet>,
    input: impl AsyncRead + Unpin,
    tasks: &TaskTracker,
    opened: impl FnOnce(),
) -> io::Result<()> {
    let mut lines = LineReader::new(input, MAX_LINE_BYTES);
    let mut opened = Some(opened);
    loop {
        let line = match lines.next().await {
            Ok(Some([])) => continue,
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(LineError::Io(error)) => return Err(error),
            Err(error @ LineError::TooLong { .. }) => return Err(io::Error::other(error)),
        };
        let messages = match serde_json::from_slice(line) {
            // A batch of 2025-03-26: its messages one by one.
            Ok(Value::Array(batch)) if !batch.is_empty() => batch,
            Ok(message) => vec![message],
            Err(error) => {
                let error = RpcError::new(RpcError::PARSE, format!("this line is no JSON: {error}"));
                out.send(jsonrpc::answer(None, Err(error))).await;
                continue;
            }
        };
        for message in messages {
            match front.receive(client, message) {
                Received::Nothing => {}
                Received::Refused(answer) => {
                    out.send(answer).await;
                }
                Received::Request(begun) => {
                    let is_handshake = begun.method() == "initialize";
                    let (front, client, out) = (front.clone(), Arc::clone(client), Arc::clone(out));
                    let work = async move {
                        if let Some(answer) = front.answer(&client, begun, Arc::clone(&out)).await {
                            out.send(answer).await;
                        }
                    };
                    if is_handshake {
                        // What comes next is read by what was agreed.
                        work.await;
                    } else {
                        tasks.spawn(work);
                    }
                    if let Some(opened) = opened.take() {
                        opened();
                    }
                }
            }
        }
    }
}

/// Writes messages until nobody has any more. What is ready is written at once, in one piece.
async fn write(output: impl AsyncWrite + Unpin, mut queue: Receiver<Value>) {
    let mut output = BufWriter::new(output);
    while let Some(message) = queue.recv().await {
        let mut next = Some(message);
        while let Some(message) = next {
            let mut line = message.to_string();
            line.push('\n');
            // A client that no longer reads is gone; its end of the input tells the reader.
            if output.write_all(line.as_bytes()).await.is_err() {
                return;
            }
            next = queue.try_recv().ok();
        }
        if output.flush().await.is_err() {
            return;
        }
    }
}
