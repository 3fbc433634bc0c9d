//! SQLite, the truth on disk: listings as received, health, eras, use. One writer thread.
