//! The code navigator over three scripted files: symbols, outlines, references, checks, and a rename that writes nothing.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, text},
};

/// The source code and what is known of it.
#[derive(Debug, Deserialize)]
pub(super) struct Code {
    files: Vec<File>,
    symbols: Vec<Symbol>,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct File {
    path: String,
    lines: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Symbol {
    name: String,
    kind: String,
    file: String,
    line: usize,
}

#[derive(Debug, Deserialize)]
struct Check {
    check: String,
    package: String,
    ok: bool,
    detail: String,
}

/// A line that mentions a symbol.
struct Mention<'a> {
    path: &'a str,
    number: usize,
    line: &'a str,
}

impl Script for Code {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "searchSymbols" => self.search(args),
            "fileOutline" => self.outline(args),
            "findReferences" => self.references(args),
            "readSource" => self.read(args),
            "runChecks" => self.run_checks(args),
            "previewRename" => self.rename(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Code {
    fn file(&self, path: &str) -> Result<&File, Refusal> {
        self.files.iter().find(|file| file.path == path).ok_or_else(|| {
            let known: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
            Refusal::missing("file", path, &format!("Files: {}.", known.join(", ")))
        })
    }

    fn symbol(&self, name: &str) -> Result<&Symbol, Refusal> {
        self.symbols
            .iter()
            .find(|symbol| symbol.name == name)
            .ok_or_else(|| Refusal::missing("symbol", name, "Find it with searchSymbols."))
    }

    fn mentions(&self, name: &str) -> Vec<Mention<'_>> {
        let mut mentions = Vec::new();
        for file in &self.files {
            for (place, line) in file.lines.iter().enumerate() {
                if line.contains(name) {
                    mentions.push(Mention { path: &file.path, number: place + 1, line });
                }
            }
        }
        mentions
    }

    fn search(&self, args: Args<'_>) -> Answer {
        let name = args.text("name");
        let kinds = args.texts("kinds");
        let is_match = |symbol: &str| if args.is_set("exact") { symbol == name } else { is_fuzzy_match(name, symbol) };
        let symbols: Vec<&Symbol> = self
            .symbols
            .iter()
            .filter(|symbol| kinds.is_empty() || kinds.contains(&symbol.kind.as_str()))
            .filter(|symbol| args.maybe("path").is_none_or(|path| symbol.file.starts_with(path)))
            .filter(|symbol| is_match(&symbol.name))
            .collect();
        json(json!({ "symbols": symbols }))
    }

    fn outline(&self, args: Args<'_>) -> Answer {
        let file = self.file(args.text("file"))?;
        let lines: Vec<String> = self
            .symbols
            .iter()
            .filter(|symbol| symbol.file == file.path)
            .map(|symbol| {
                let signature = file.lines.get(symbol.line - 1).map_or("", String::as_str);
                format!("{:>4}  {:<8}  {}", symbol.line, symbol.kind, signature.trim_end_matches(" {"))
            })
            .collect();
        text(lines.join("\n"))
    }

    fn references(&self, args: Args<'_>) -> Answer {
        let symbol = self.symbol(args.text("symbol"))?;
        let skips_tests = args.value("includeTests").is_some_and(|value| value == false);
        let lines: Vec<String> = self
            .mentions(&symbol.name)
            .into_iter()
            .filter(|mention| !(mention.path == symbol.file && mention.number == symbol.line))
            .filter(|mention| !(skips_tests && mention.path.contains("/tests/")))
            .map(|mention| format!("{}:{}: {}", mention.path, mention.number, mention.line.trim()))
            .collect();
        text(match lines.len() {
            0 => format!("`{}` is not used.", symbol.name),
            _ => lines.join("\n"),
        })
    }

    fn read(&self, args: Args<'_>) -> Answer {
        let file = self.file(args.text("file"))?;
        let range = args.object("range");
        let start = range.count_or("start", 1);
        let end = range.count_or("end", file.lines.len()).min(file.lines.len());
        let lines: Vec<String> = file
            .lines
            .iter()
            .enumerate()
            .take(end)
            .skip(start.saturating_sub(1))
            .map(|(place, line)| format!("{:>4} {line}", place + 1))
            .collect();
        if lines.is_empty() {
            return Err(format!("{} has {} lines.", file.path, file.lines.len()).into());
        }
        text(lines.join("\n"))
    }

    fn run_checks(&self, args: Args<'_>) -> Answer {
        let mut wanted = args.texts("checks");
        if wanted.is_empty() {
            wanted = vec!["build", "lint", "test"];
        }
        let package = args.text_or("package", "all");
        let run: Vec<&Check> = self
            .checks
            .iter()
            .filter(|check| wanted.contains(&check.check.as_str()) && (package == "all" || check.package == package))
            .filter(|check| {
                args.maybe("filter").is_none_or(|part| check.check != "test" || check.detail.contains(part))
            })
            .collect();
        let failed = run.iter().filter(|check| !check.ok).count();
        let lines: Vec<String> = run
            .iter()
            .map(|check| {
                format!(
                    "{} {} {}: {}",
                    if check.ok { "ok    " } else { "FAILED" },
                    check.check,
                    check.package,
                    check.detail
                )
            })
            .collect();
        text(format!("{} checks, {failed} failed\n{}", run.len(), lines.join("\n")))
    }

    fn rename(&self, args: Args<'_>) -> Answer {
        let symbol = self.symbol(args.text("symbol"))?;
        let new = args.text("newName");
        if self.symbol(new).is_ok() {
            return Err(format!("`{new}` exists already.").into());
        }
        let mut diff = String::new();
        let mut path = "";
        for mention in self.mentions(&symbol.name) {
            if mention.path != path {
                path = mention.path;
                diff.push_str(&format!("--- a/{path}\n+++ b/{path}\n"));
            }
            let renamed = mention.line.replace(&symbol.name, new);
            let number = mention.number;
            diff.push_str(&format!("@@ -{number} +{number} @@\n-{}\n+{renamed}\n", mention.line));
        }
        text(diff)
    }
}

/// Whether the letters of `wanted` occur in `name` in this order, whatever the case.
fn is_fuzzy_match(wanted: &str, name: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    wanted.chars().flat_map(char::to_lowercase).all(|wanted| letters.any(|letter| letter == wanted))
}
