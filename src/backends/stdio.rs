//! A backend as a child process: JSON lines over its standard streams.
//!
//! No shell, a clean environment, a process group of its own. Lines that are no JSON are noise and passed over; a line
//! beyond any sense ends the conversation instead of leaving somebody to wait for it.

use std::{
    env,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWriteExt},
    process::{ChildStdin, Command},
    sync::{Mutex, mpsc},
    task::{AbortHandle, JoinHandle},
    time,
};

use super::{
    BackendError,
    inbox::Inbox,
    peer::Failure,
    stderr::Tail,
    wire::{MAX_MESSAGE_BYTES, Wire, WireError},
};
use crate::{
    config::{ServerSpec, StdioLaunch},
    jsonrpc::{LineError, LineReader},
};

/// What a child gets of our own environment besides what its entry names: where things are, and in which language.
const PASSED: [&str; 20] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TERM",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMFILES",
    "COMSPEC",
    "PATHEXT",
];

/// And what begins so.
const PASSED_PREFIXES: [&str; 2] = ["LC_", "XDG_"];

/// How long the end of standard error is awaited once standard output has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Lines of noise kept for `doctor`; the rest is only counted.
const NOISE_KEPT: usize = 20;

/// A running child.
#[derive(Debug)]
pub(super) struct StdioWire {
    outgoing: StdMutex<Option<mpsc::UnboundedSender<Value>>>,
    child: Mutex<Option<Box<dyn ChildWrapper>>>,
    group: Option<u32>,
    tail: Arc<Tail>,
    tasks: Vec<AbortHandle>,
}

/// Starts the child; what it says goes to `inbox`.
pub(super) fn start(
    spec: &ServerSpec,
    launch: &StdioLaunch,
    inbox: &Arc<Inbox>,
) -> Result<Arc<StdioWire>, BackendError> {
    let spawn_error = |source| BackendError::Spawn {
        server: spec.name.clone(),
        command: launch.command.clone(),
        source: Arc::new(source),
    };
    let mut wrapped = CommandWrap::from(command(launch));
    wrapped.wrap(KillOnDrop);
    #[cfg(unix)]
    wrapped.wrap(process_wrap::tokio::ProcessGroup::leader());
    #[cfg(windows)]
    wrapped.wrap(process_wrap::tokio::JobObject);
    let mut child = wrapped.spawn().map_err(spawn_error)?;
    let missing = || spawn_error(std::io::Error::other("a standard stream is missing"));
    let stdin = child.stdin().take().ok_or_else(missing)?;
    let stdout = child.stdout().take().ok_or_else(missing)?;
    let stderr = child.stderr().take().ok_or_else(missing)?;
    let tail = Tail::new(spec.secrets());
    let (outgoing, queue) = mpsc::unbounded_channel();
    let last_words = tokio::spawn(Arc::clone(&tail).drain(stderr));
    let tasks = vec![
        last_words.abort_handle(),
        tokio::spawn(write(stdin, queue)).abort_handle(),
        tokio::spawn(read(stdout, Arc::clone(inbox), Arc::clone(&tail), last_words)).abort_handle(),
    ];
    let group = child.id();
    Ok(Arc::new(StdioWire {
        outgoing: StdMutex::new(Some(outgoing)),
        child: Mutex::new(Some(child)),
        group,
        tail,
        tasks,
    }))
}

fn command(launch: &StdioLaunch) -> Command {
    let mut command = Command::new(&launch.command);
    command.args(&launch.args).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in env::vars_os() {
        let passed = name.to_str().is_some_and(|name| {
            let upper = name.to_ascii_uppercase();
            PASSED.contains(&upper.as_str())
                || PASSED_PREFIXES.iter().any(|prefix| upper.starts_with(prefix))
                || launch.pass_env.iter().any(|wanted| wanted == name)
        });
        if passed {
            command.env(name, value);
        }
    }
    for (name, value) in &launch.env {
        command.env(name, value.expose_secret());
    }
    if let Some(cwd) = &launch.cwd {
        command.current_dir(cwd);
    }
    command
}

/// Writes messages one to a line until the queue is closed, then closes the child's standard input.
async fn write(mut stdin: ChildStdin, mut queue: mpsc::UnboundedReceiver<Value>) {
    while let Some(message) = queue.recv().await {
        let mut line = message.to_string();
        line.push('\n');
        // A child that no longer reads has ended or is about to; its reader tells whoever waits.
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            break;
        }
    }
}

/// Reads lines until the child closes its standard output.
async fn read(stdout: impl AsyncRead + Unpin, inbox: Arc<Inbox>, tail: Arc<Tail>, last_words: JoinHandle<()>) {
    let mut lines = LineReader::new(stdout, MAX_MESSAGE_BYTES);
    let mut noise = 0_usize;
    let end = loop {
        let text = match lines.next().await {
            Ok(Some(text)) => text,
            Ok(None) | Err(LineError::Io(_)) => break Failure::Closed,
            Err(error @ LineError::TooLong { .. }) => break Failure::Protocol(error.to_string()),
        };
        match serde_json::from_slice::<Value>(text) {
            // A batch of 2025-03-26: its messages one by one.
            Ok(Value::Array(batch)) => batch.into_iter().for_each(|message| inbox.deliver(message)),
            Ok(message @ Value::Object(_)) => inbox.deliver(message),
            Ok(_) | Err(_) if text.is_empty() => {}
            Ok(_) | Err(_) => {
                noise += 1;
                if noise <= NOISE_KEPT {
                    tail.keep(&[b"(on standard output) ".as_slice(), &text[..text.len().min(200)]].concat());
                }
            }
        }
    };
    // Both streams of a dying child end together; whoever is told of its end is to find what it said last. A child that
    // lives on and only closed its standard output is not waited for.
    let _ = time::timeout(LAST_WORDS, last_words).await;
    inbox.end(&end);
}

#[async_trait]
impl Wire for StdioWire {
    async fn send(&self, message: Value) -> Result<(), WireError> {
        let outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        outgoing.and_then(|queue| queue.send(message).ok()).ok_or(WireError::Closed)
    }

    async fn close(&self, grace: Duration) {
        // Closing standard input is the polite way to end a server.
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut child) = self.child.lock().await.take() else { return };
        let patience = grace / 3;
        if ended(child.as_mut(), patience).await.is_none() {
            #[cfg(unix)]
            if child.signal(rustix::process::Signal::TERM.as_raw()).is_ok()
                && ended(child.as_mut(), patience).await.is_some()
            {
                self.sweep();
                return;
            }
            // A child that is gone already cannot be killed; that is what was wanted.
            let _ = child.start_kill();
            ended(child.as_mut(), patience).await;
        }
        self.sweep();
    }

    fn stderr_tail(&self) -> Vec<String> {
        self.tail.lines()
    }
}

async fn ended(child: &mut dyn ChildWrapper, patience: Duration) -> Option<ExitStatus> {
    time::timeout(patience, child.wait()).await.ok()?.ok()
}

impl StdioWire {
    /// Ends what the child left behind in its group: `npx` and `uvx` start the server proper as a grandchild.
    fn sweep(&self) {
        #[cfg(unix)]
        if let Some(group) = self.group.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
            // An empty group is no failure.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for StdioWire {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        // The net below: a session that was not closed takes its whole group with it.
        if self.child.get_mut().is_some() {
            self.sweep();
        }
    }
}
