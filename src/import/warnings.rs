//! What a person should look at twice before a server is taken over. Nothing here forbids: the file is their own.

use std::fmt;

use super::model::Reach;

/// Something worth a second look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The newest version of a package is fetched and run at every start.
    Unpinned {
        /// The package.
        package: String,
    },
    /// A shell interprets the command line.
    Shell {
        /// Which shell.
        shell: String,
    },
    /// Characters of a shell stand on a command line that no shell reads.
    ShellSyntax,
    /// A variable changes which code runs.
    Variable {
        /// Its name.
        name: String,
    },
    /// Characters that cannot be seen, or that change the direction of text.
    Hidden,
    /// What is sent can be read on the way.
    PlainHttp,
}

/// Programs that fetch a package and run it.
const RUNNERS: [&str; 8] = ["npx", "bunx", "pnpx", "uvx", "pipx", "pnpm", "yarn", "bun"];
/// Sub-commands of runners.
const RUNNER_WORDS: [&str; 5] = ["dlx", "run", "exec", "x", "tool"];
/// Options of runners that take the next word.
const RUNNER_OPTIONS: [&str; 6] = ["--python", "-p", "--package", "--from", "--with", "--registry"];
const SHELLS: [&str; 9] = ["sh", "bash", "zsh", "dash", "fish", "cmd", "cmd.exe", "powershell", "pwsh"];
/// Variables that make a program load other code, or trust somebody else.
const CODE_VARIABLES: [&str; 18] = [
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "DYLD_LIBRARY_PATH",
    "NODE_OPTIONS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "NODE_EXTRA_CA_CERTS",
    "PYTHONSTARTUP",
    "PYTHONPATH",
    "PYTHONHOME",
    "BASH_ENV",
    "ENV",
    "PERL5OPT",
    "RUBYOPT",
    "JAVA_TOOL_OPTIONS",
    "GIT_SSH_COMMAND",
];

/// Everything about a server that deserves a look.
#[must_use]
pub(super) fn warnings_of(reach: &Reach) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match reach {
        Reach::Stdio { command, args, env, .. } => {
            let program = program_name(command);
            if SHELLS.contains(&program.as_str()) {
                // `cmd /c npx …` is how Windows starts npx at all, so it is looked through.
                warnings.push(Warning::Shell { shell: program });
            } else if [command].into_iter().chain(args).any(|word| has_shell_syntax(word)) {
                warnings.push(Warning::ShellSyntax);
            }
            warnings.extend(unpinned(command, args).map(|package| Warning::Unpinned { package }));
            if [command].into_iter().chain(args).any(|word| has_hidden(word)) {
                warnings.push(Warning::Hidden);
            }
            let telling = env.keys().filter(|name| CODE_VARIABLES.contains(&name.to_ascii_uppercase().as_str()));
            warnings.extend(telling.map(|name| Warning::Variable { name: name.clone() }));
        }
        Reach::Http { url, .. } => {
            let host = url.strip_prefix("http://").map(|rest| rest.split(['/', ':', '?']).next().unwrap_or_default());
            if host.is_some_and(|host| host != "localhost" && host != "[" && !host.starts_with("127.")) {
                warnings.push(Warning::PlainHttp);
            }
            if has_hidden(url) {
                warnings.push(Warning::Hidden);
            }
        }
    }
    warnings
}

/// The package a runner would fetch in whatever version is newest.
fn unpinned(command: &str, args: &[String]) -> Option<String> {
    let mut words = std::iter::once(command).chain(args.iter().map(String::as_str)).peekable();
    if SHELLS.contains(&program_name(words.peek()?).as_str()) {
        words.next();
        words.next_if(|word| word.starts_with(['/', '-']));
    }
    let runner = program_name(words.next()?);
    if !RUNNERS.contains(&runner.as_str()) {
        return None;
    }
    let mut package = None;
    while let Some(word) = words.next() {
        if let "--from" | "-p" | "--package" = word
            && (word != "-p" || runner != "uvx")
        {
            package = words.next();
            break;
        }
        if RUNNER_OPTIONS.contains(&word) {
            words.next();
        } else if !word.starts_with('-') && !RUNNER_WORDS.contains(&word) {
            package = Some(word);
            break;
        }
    }
    let package = package?;
    let is_elsewhere = package.contains("://") || package.starts_with(['.', '/']) || package.contains('\\');
    // The first `@` of `@scope/name` is no version.
    let version = package.get(1..)?.split_once('@').map(|(_, version)| version);
    let is_pinned = version.is_some_and(|version| version != "latest") || package.contains("==");
    (!is_elsewhere && !is_pinned).then(|| package.chars().take(100).collect())
}

fn program_name(command: &str) -> String {
    let name = command.rsplit(['/', '\\']).next().unwrap_or(command).to_ascii_lowercase();
    name.strip_suffix(".exe").or_else(|| name.strip_suffix(".cmd")).unwrap_or(&name).to_owned()
}

fn has_shell_syntax(word: &str) -> bool {
    let operators = ["&&", "||", "`", "$("];
    operators.iter().any(|operator| word.contains(operator)) || matches!(word, ";" | "|" | "&" | ">" | "<" | ">>")
}

fn has_hidden(word: &str) -> bool {
    word.chars().any(|c| !matches!(c, '\'' | '"' | '\\') && c.escape_debug().len() > 1)
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpinned { package } => write!(f, "runs the newest `{package}` at every start"),
            Self::Shell { shell } => write!(f, "runs through the shell `{shell}`"),
            Self::ShellSyntax => f.write_str("holds shell syntax; toolcrib uses no shell, the program gets it as text"),
            Self::Variable { name } => write!(f, "sets {name}, which changes what code runs"),
            Self::Hidden => f.write_str("holds characters that cannot be seen"),
            Self::PlainHttp => f.write_str("sends everything unencrypted (http)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of(line: &str) -> String {
        let mut words = line.split(' ').map(str::to_owned);
        let command = words.next().unwrap();
        let reach = Reach::Stdio { command, args: words.collect(), env: BTreeMap::new(), cwd: None };
        warnings_of(&reach).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_package_without_a_version_is_named_and_a_pinned_one_is_not() {
        assert_eq!(of("npx -y @acme/files"), "runs the newest `@acme/files` at every start");
        assert_eq!(of("npx -y @acme/files@latest"), "runs the newest `@acme/files@latest` at every start");
        assert_eq!(of("uvx --python 3.12 mcp-time"), "runs the newest `mcp-time` at every start");
        assert_eq!(of("uvx --from mcp-time==1.2 serve"), "");
        assert_eq!(of("pnpm dlx files"), "runs the newest `files` at every start");
        for pinned in ["npx -y @acme/files@1.2.3", "npx files@^1", "uvx mcp-time@2", "node server.js", "npx ./local"] {
            assert_eq!(of(pinned), "", "{pinned}");
        }
    }

    #[test]
    fn shells_and_their_syntax_are_told() {
        assert_eq!(of("cmd /c npx -y files"), "runs through the shell `cmd`; runs the newest `files` at every start");
        assert_eq!(
            of("npx -y files@1 && curl evil"),
            "holds shell syntax; toolcrib uses no shell, the program gets it as text"
        );
        assert_eq!(of("node a\u{200b}b.js"), "holds characters that cannot be seen");
    }

    #[test]
    fn variables_that_load_code_are_told() {
        let env = BTreeMap::from([("LD_PRELOAD".into(), "/tmp/x.so".into()), ("LANG".into(), "C".into())]);
        let reach = Reach::Stdio { command: "node".into(), args: Vec::new(), env, cwd: None };
        assert_eq!(warnings_of(&reach), [Warning::Variable { name: "LD_PRELOAD".into() }]);
    }
}
