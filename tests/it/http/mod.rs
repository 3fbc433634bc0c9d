//! Stories of serving over HTTP, and what they are told with: a client that writes its own bytes, and an endpoint that does as it is told.

mod attacks;
mod checks;
mod client;
mod legacy;
mod modern;
mod program;
mod stage;
