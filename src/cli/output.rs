//! The only place that prints: data to standard output, words to standard error.
//!
//! A reader that closes the pipe early (`toolcrib search … | head -1`) has what it wanted: that is success.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

/// How a command ended. The numbers are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: it worked.
    Success,
    /// 1: it failed.
    Failure,
    /// 2: the command line or the configuration is wrong.
    Usage,
    /// 3: it worked, and there is nothing to show.
    NoMatch,
    /// 4: the tool that was called answered with an error.
    ToolError,
}

/// Writes for a person or a program.
pub struct Printer {
    data: Box<dyn Write + Send>,
    words: Box<dyn Write + Send>,
    words_terminal: bool,
    data_width: Option<u16>,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Success => 0,
            ExitStatus::Failure => 1,
            ExitStatus::Usage => 2,
            ExitStatus::NoMatch => 3,
            ExitStatus::ToolError => 4,
        })
    }
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer").field("words_terminal", &self.words_terminal).finish_non_exhaustive()
    }
}

impl Printer {
    /// Prints to the process's own streams.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            data: Box::new(io::stdout()),
            words: Box::new(io::stderr()),
            words_terminal: io::stderr().is_terminal(),
            data_width: None,
        }
    }

    /// Prints into two buffers, for tests.
    #[must_use]
    pub fn into_buffers(data: Box<dyn Write + Send>, words: Box<dyn Write + Send>) -> Self {
        Self { data, words, words_terminal: false, data_width: Some(120) }
    }

    /// Whether a person is likely to watch standard error, so that progress may move there.
    #[must_use]
    pub const fn is_watched(&self) -> bool {
        self.words_terminal
    }

    /// The stream of data, for what writes itself.
    pub fn data_stream(&mut self) -> &mut dyn Write {
        &mut self.data
    }

    /// A line of data.
    ///
    /// # Errors
    /// Where the stream fails; a closed pipe arrives as [`io::ErrorKind::BrokenPipe`].
    pub fn data(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.data, "{line}")
    }

    /// A value as indented JSON.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.data, value)?;
        writeln!(self.data)
    }

    /// Words for a person: what happened, what to do.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn say(&mut self, words: impl Display) -> io::Result<()> {
        writeln!(self.words, "{words}")
    }

    /// Advice for a person, marked as such.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn hint(&mut self, words: impl Display) -> io::Result<()> {
        writeln!(self.words, "hint: {words}")
    }

    /// A table as data. Columns named in `right` (by index) are numbers and aligned to the right.
    ///
    /// # Errors
    /// As [`Printer::data`].
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        if let Some(width) = self.data_width {
            table.set_width(width);
        }
        table.set_header(header.to_vec());
        table.add_rows(rows);
        for &column in right {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(self.data, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
