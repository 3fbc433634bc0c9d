//! `toolcrib schema`: the JSON Schemas of the files toolcrib reads.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

use crate::{config::config_schema, economy::surface};

/// Print the JSON Schema of a file, for editors and checks
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: toolcrib schema config > config.schema.json")]
pub struct Args {
    /// Which file
    #[arg(value_enum, default_value_t = Subject::Config)]
    subject: Subject,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// toolcrib.toml
    Config,
    /// The three meta-tools, as a client gets them
    MetaTools,
}

/// Prints the schema, and nothing else, to `out`.
pub fn run(args: &Args, out: &mut dyn Write) -> io::Result<()> {
    match args.subject {
        Subject::Config => writeln!(out, "{:#}", config_schema()),
        Subject::MetaTools => writeln!(out, "{}", meta_tools()),
    }
}

/// The definitions of the meta-tools as `schemas/meta-tools.json` holds them.
fn meta_tools() -> String {
    format!("{:#}", Value::from(surface::tools(None).to_vec()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        schema: Args,
    }

    #[test]
    fn the_file_of_the_meta_tools_is_what_is_advertised() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/meta-tools.json");
        let now = meta_tools() + "\n";
        if std::env::var_os("TOOLCRIB_UPDATE").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), now, "run the tests with TOOLCRIB_UPDATE=1");
    }

    #[test]
    fn the_schema_goes_out_as_json_and_nothing_else() {
        let mut out = Vec::new();
        run(&Cli::parse_from(["schema", "config"]).schema, &mut out).unwrap();
        let schema: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(schema["title"], "toolcrib.toml");
    }
}
