//! Foreign text made fit for a terminal: hidden characters become visible, what looks like a credential becomes invisible.
//!
//! Hiding is for the listing only; what is taken over is taken over whole.

use super::model::Reach;

/// What stands for a hidden credential.
pub(super) const HIDDEN: &str = "‹hidden›";

/// Longest command line shown, in characters.
const MAX_SHOWN: usize = 400;

/// Beginnings of well-known credentials.
const TOKEN_PREFIXES: [&str; 18] = [
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "AKIA",
    "AIza",
    "eyJ",
    "ntn_",
    "npm_",
];

/// Words in the name of an option, header or parameter whose value is a credential.
const SECRET_WORDS: [&str; 9] =
    ["token", "secret", "password", "passwd", "api-key", "apikey", "authorization", "credential", "access-key"];

/// A text in which every character can be seen: control, zero-width and direction-changing ones are written out.
#[must_use]
pub fn plain(text: &str) -> String {
    // `escape_debug` would also escape quotes and backslashes, which are plain to see.
    let shown = |c: char| if matches!(c, '\'' | '"' | '\\') { c.to_string() } else { c.escape_debug().to_string() };
    text.chars().map(shown).collect()
}

/// A command line or an address as it would be run, words quoted where needed, credentials hidden.
#[must_use]
pub fn command_line(reach: &Reach) -> String {
    let line = match reach {
        Reach::Stdio { command, args, .. } => {
            let words = std::iter::once(command.clone()).chain(without_credentials(args));
            words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
        }
        Reach::Http { url, .. } => plain(&address(url)),
    };
    match line.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}… ({} characters)", &line[..at], line.chars().count()),
        None => line,
    }
}

fn quoted(word: &str) -> String {
    let shown = plain(word);
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,~‹›^\\${}".contains(c);
    if !shown.is_empty() && shown.chars().all(is_plain) { shown } else { format!("'{shown}'") }
}

fn without_credentials(args: &[String]) -> Vec<String> {
    let mut after_secret_option = false;
    args.iter()
        .map(|arg| {
            let shown = if after_secret_option && !arg.starts_with('-') && !arg.contains('$') {
                HIDDEN.to_owned()
            } else {
                without_credential(arg)
            };
            after_secret_option = arg.starts_with('-') && !arg.contains('=') && is_secret_name(arg);
            shown
        })
        .collect()
}

/// One argument: `NAME=VALUE` and `Name: value` with a telling name, a known kind of token, or an address with a password.
fn without_credential(arg: &str) -> String {
    if arg.contains("://") {
        return address(arg);
    }
    if let Some(at) = arg.find([':', '='])
        && is_secret_name(&arg[..at])
        && !arg[at..].contains("${")
        && arg.len() > at + 1
    {
        return format!("{}{HIDDEN}", &arg[..=at]);
    }
    let is_token = |word: &str| word.len() >= 16 && TOKEN_PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    let value = arg.rsplit_once('=').map_or(arg, |(_, value)| value);
    if is_token(value) { arg.replace(value, HIDDEN) } else { arg.to_owned() }
}

/// An address without its password and the values of telling parameters.
fn address(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(host_end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) if !user.contains("${") => format!("{HIDDEN}@{host}"),
        _ => authority.to_owned(),
    };
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let query = query.map_or_else(String::new, |query| {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_secret_name(name) || name == "key" => {
                if value.contains("${") {
                    pair.to_owned()
                } else {
                    format!("{name}={HIDDEN}")
                }
            }
            _ => pair.to_owned(),
        });
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    let is_token = |part: &&str| part.len() >= 16 && TOKEN_PREFIXES.iter().any(|prefix| part.starts_with(prefix));
    let path = path.split('/').map(|part| if is_token(&part) { HIDDEN } else { part }).collect::<Vec<_>>().join("/");
    format!("{scheme}://{authority}{path}{query}")
}

fn is_secret_name(name: &str) -> bool {
    let plain = name.to_ascii_lowercase().replace('_', "-");
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn line(words: &[&str]) -> String {
        let args = words[1..].iter().map(|word| (*word).to_owned()).collect();
        command_line(&Reach::Stdio { command: words[0].into(), args, env: BTreeMap::new(), cwd: None })
    }

    #[test]
    fn hidden_characters_are_written_out() {
        assert_eq!(line(&["npx", "-y", "pkg\u{202e}gpj", "a\u{200b}b", "x\u{1b}[2K", "a b"]), {
            "npx -y pkg\\u{202e}gpj a\\u{200b}b 'x\\u{1b}[2K' 'a b'"
        });
    }

    #[test]
    fn credentials_are_hidden_wherever_they_stand_and_references_are_not() {
        for (words, want) in [
            (&["x", "--api-key", "abc123"] as &[&str], "x --api-key ‹hidden›"),
            (&["x", "--api-key=abc123"], "x --api-key=‹hidden›"),
            (&["x", "--api-key", "${KEY}"], "x --api-key ${KEY}"),
            (&["x", "--header", "Authorization: Bearer abc"], "x --header Authorization:‹hidden›"),
            (&["x", "ghp_0123456789abcdefghij"], "x ‹hidden›"),
            (&["x", "postgresql://me:pw@db/app"], "x postgresql://‹hidden›@db/app"),
            (&["x", "https://a.example/mcp?api_key=abc&mode=ro"], "x 'https://a.example/mcp?api_key=‹hidden›&mode=ro'"),
            (&["x", "--token", "--verbose"], "x --token --verbose"),
        ] {
            assert_eq!(line(words), want);
        }
    }
}
