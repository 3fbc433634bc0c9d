//! The one writer: a thread that owns its connection and takes writes from a bounded queue.
//!
//! Nothing async ever waits on SQLite itself. A waiting caller's time is bounded without a timer: the queue is bounded,
//! each write is bounded by SQLite's busy timeout, and what waited too long is given up unrun.

use std::{
    panic::{self, AssertUnwindSafe},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::error::Fault;

/// Most writes waiting. A full reindex of 149 servers waits with a few; use events come one a call.
const QUEUE: usize = 1_024;

/// A write that waited this long is given up: whoever asked for it has been told to go on.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Runs with the connection, or with the reason why it may not.
type Job = Box<dyn FnOnce(Result<&mut Connection, Fault>) + Send>;

enum Message {
    Write {
        queued: Instant,
        job: Job,
    },
    /// Finish what is queued, take nothing more, and say so by dropping the sender.
    Stop {
        _finished: oneshot::Sender<()>,
    },
}

/// The registry is closed.
#[derive(Debug)]
pub(super) struct WriterGone;

/// Hands writes to the thread. Dropping it lets the thread finish what is queued and end by itself; `stop` waits for that.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, messages) = mpsc::channel(QUEUE);
        thread::Builder::new().name("registry-writer".into()).spawn(move || work(connection, messages))?;
        Ok(Self { queue })
    }

    /// Runs `write` in a transaction of its own and waits for the commit. Waits for a place in a full queue.
    /// Dropping the future after that does not undo the write.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<Result<T, Fault>, WriterGone> {
        let (reply, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody may be waiting any more; the write counts all the same.
            let _ = reply.send(commit(connection, write));
        });
        let message = Message::Write { queued: Instant::now(), job };
        self.queue.send(message).await.map_err(|_| WriterGone)?;
        outcome.await.map_err(|_| WriterGone)
    }

    /// Queues `write` without waiting. False when the queue is full or closed. `failed` is told if it could not be done.
    /// What `prepare` does is done on this thread before the transaction begins, so that no other process waits for it.
    pub(super) fn try_write<T>(
        &self,
        prepare: impl FnOnce() -> T + Send + 'static,
        write: impl FnOnce(&Transaction<'_>, T) -> Result<(), Fault> + Send + 'static,
        failed: impl FnOnce() + Send + 'static,
    ) -> bool {
        let job: Job = Box::new(move |connection| {
            // Nothing that is only counted may take the writer down.
            let prepared = panic::catch_unwind(AssertUnwindSafe(prepare));
            let done = prepared.is_ok_and(|it| commit(connection, |transaction| write(transaction, it)).is_ok());
            if !done {
                failed();
            }
        });
        self.queue.try_send(Message::Write { queued: Instant::now(), job }).is_ok()
    }

    /// Waits until everything queued is written and the connection is closed. Idempotent.
    pub(super) async fn stop(&self) {
        let (finished, end) = oneshot::channel();
        if self.queue.send(Message::Stop { _finished: finished }).await.is_ok() {
            // Resolves, as an error, when the thread drops the sender at its end.
            let _ = end.await;
        }
        self.queue.closed().await;
    }
}

fn commit<T>(
    connection: Result<&mut Connection, Fault>,
    write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    // Immediate: two processes then wait for each other at the start, instead of failing in the middle.
    let transaction = connection?.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = write(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

fn work(mut connection: Connection, mut messages: mpsc::Receiver<Message>) {
    let mut waiting_for_end = Vec::new();
    while let Some(message) = messages.blocking_recv() {
        match message {
            Message::Write { queued, job } if queued.elapsed() > MAX_WAIT => job(Err(Fault::Overdue)),
            Message::Write { job, .. } => job(Ok(&mut connection)),
            Message::Stop { _finished: finished } => {
                messages.close();
                waiting_for_end.push(finished);
            }
        }
    }
    drop(connection);
    drop(waiting_for_end);
}
