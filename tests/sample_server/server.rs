//! The sample servers as a program of their own, so that tests can start them as real children: `toolcrib-sample-server NAME`.

use std::{env, process::ExitCode};

use toolcrib::samples;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "a test program has nowhere else to say why it could not start")]
async fn main() -> ExitCode {
    let Some(name) = env::args().nth(1) else {
        eprintln!("usage: toolcrib-sample-server NAME, one of: {}", samples::names().join(", "));
        return ExitCode::from(2);
    };
    match samples::serve_stdio(&name).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}\nhint: {}", error.hint());
            ExitCode::FAILURE
        }
    }
}
