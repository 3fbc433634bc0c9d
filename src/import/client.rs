//! The clients toolcrib knows: their names and where each keeps its lists of servers.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Serialize;

use super::{
    homes::{ClientHomes, Os},
    model::{Found, Scope},
};

/// A program that starts MCP servers from a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Claude Desktop.
    ClaudeDesktop,
    /// Claude Code.
    ClaudeCode,
    /// Cursor.
    Cursor,
    /// Visual Studio Code and its builds of other names.
    VsCode,
    /// Windsurf.
    Windsurf,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Zed.
    Zed,
    /// Cline.
    Cline,
    /// Roo Code.
    Roo,
    /// Goose.
    Goose,
    /// Continue.
    Continue,
    /// JetBrains' assistants (Junie).
    JetBrains,
}

/// A text names no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no client toolcrib knows")]
pub struct UnknownClient {
    /// What was given.
    pub text: String,
}

/// Folders of VS Code and of builds that only differ in name.
const CODE_FOLDERS: [&str; 3] = ["Code", "Code - Insiders", "VSCodium"];

/// Most files of a folder of files that are read.
const MAX_FOLDER_FILES: usize = 200;

impl Client {
    /// Every client, in the order in which their files are read.
    pub const ALL: [Self; 13] = [
        Self::ClaudeCode,
        Self::ClaudeDesktop,
        Self::Cursor,
        Self::VsCode,
        Self::Windsurf,
        Self::Codex,
        Self::Gemini,
        Self::Zed,
        Self::Cline,
        Self::Roo,
        Self::Goose,
        Self::Continue,
        Self::JetBrains,
    ];

    /// The name on the command line, and the ending of a name that would clash.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "claude-desktop",
            Self::ClaudeCode => "claude-code",
            Self::Cursor => "cursor",
            Self::VsCode => "vscode",
            Self::Windsurf => "windsurf",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Zed => "zed",
            Self::Cline => "cline",
            Self::Roo => "roo",
            Self::Goose => "goose",
            Self::Continue => "continue",
            Self::JetBrains => "jetbrains",
        }
    }

    /// The name its makers write.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::VsCode => "VS Code",
            Self::Windsurf => "Windsurf",
            Self::Codex => "Codex",
            Self::Gemini => "Gemini CLI",
            Self::Zed => "Zed",
            Self::Cline => "Cline",
            Self::Roo => "Roo Code",
            Self::Goose => "Goose",
            Self::Continue => "Continue",
            Self::JetBrains => "JetBrains",
        }
    }

    /// Other names that are understood.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeDesktop => &["desktop"],
            Self::ClaudeCode => &["claude"],
            Self::Cursor | Self::Windsurf | Self::Zed | Self::Cline | Self::Goose => &[],
            Self::VsCode => &["vs-code", "code", "copilot"],
            Self::Codex => &["codex-cli"],
            Self::Gemini => &["gemini-cli"],
            Self::Roo => &["roo-code"],
            Self::Continue => &["continue-dev"],
            Self::JetBrains => &["junie", "intellij"],
        }
    }

    /// Every file the client may have for this user and this folder, whether it exists or not.
    #[must_use]
    pub fn files(self, homes: &ClientHomes) -> Vec<Found> {
        let user = self.user_files(homes).into_iter().map(|path| Found { client: self, path, scope: Scope::User });
        let project = self.project_files(homes).into_iter().map(|path| Found {
            client: self,
            path,
            scope: Scope::Project { folder: homes.cwd.clone() },
        });
        user.chain(project).collect()
    }

    /// The file that `install` writes for the user.
    #[must_use]
    pub fn user_file(self, homes: &ClientHomes) -> PathBuf {
        let code = || homes.config_dir.join("Code").join("User");
        match self {
            Self::ClaudeDesktop => homes.config_dir.join("Claude").join("claude_desktop_config.json"),
            Self::ClaudeCode => homes.home.join(".claude.json"),
            Self::Cursor => homes.home.join(".cursor").join("mcp.json"),
            Self::VsCode => code().join("mcp.json"),
            Self::Windsurf => homes.home.join(".codeium").join("windsurf").join("mcp_config.json"),
            Self::Codex => homes.home.join(".codex").join("config.toml"),
            Self::Gemini => homes.home.join(".gemini").join("settings.json"),
            Self::Zed => match homes.os {
                Os::Windows => homes.config_dir.join("Zed").join("settings.json"),
                Os::Linux | Os::MacOs => homes.dot_config().join("zed").join("settings.json"),
            },
            Self::Cline => extension_file(&code(), CLINE),
            Self::Roo => extension_file(&code(), ROO),
            Self::Goose => match homes.os {
                Os::Windows => homes.config_dir.join("Block").join("goose").join("config").join("config.yaml"),
                Os::Linux | Os::MacOs => homes.dot_config().join("goose").join("config.yaml"),
            },
            Self::Continue => homes.home.join(".continue").join("config.yaml"),
            Self::JetBrains => homes.home.join(".junie").join("mcp").join("mcp.json"),
        }
    }

    /// The file that `install --project` writes; `None` where the client has none.
    #[must_use]
    pub fn project_file(self, folder: &Path) -> Option<PathBuf> {
        Some(match self {
            Self::ClaudeCode => folder.join(".mcp.json"),
            Self::Cursor => folder.join(".cursor").join("mcp.json"),
            Self::VsCode => folder.join(".vscode").join("mcp.json"),
            Self::Codex => folder.join(".codex").join("config.toml"),
            Self::Gemini => folder.join(".gemini").join("settings.json"),
            Self::Zed => folder.join(".zed").join("settings.json"),
            Self::Roo => folder.join(".roo").join("mcp.json"),
            Self::JetBrains => folder.join(".junie").join("mcp").join("mcp.json"),
            Self::ClaudeDesktop | Self::Windsurf | Self::Cline | Self::Goose | Self::Continue => return None,
        })
    }

    fn user_files(self, homes: &ClientHomes) -> Vec<PathBuf> {
        let code_users = || CODE_FOLDERS.iter().map(|folder| homes.config_dir.join(folder).join("User"));
        match self {
            Self::VsCode => code_users().flat_map(|user| [user.join("mcp.json"), user.join("settings.json")]).collect(),
            Self::Cline => code_users()
                .map(|user| extension_file(&user, CLINE))
                .chain([homes.home.join(".cline").join("data").join("settings").join(CLINE.1)])
                .collect(),
            Self::Roo => code_users().map(|user| extension_file(&user, ROO)).collect(),
            Self::Continue => {
                let mut files = vec![self.user_file(homes)];
                files.extend(files_of(&homes.home.join(".continue").join("mcpServers")));
                files
            }
            Self::ClaudeDesktop
            | Self::ClaudeCode
            | Self::Cursor
            | Self::Windsurf
            | Self::Codex
            | Self::Gemini
            | Self::Zed
            | Self::Goose
            | Self::JetBrains => vec![self.user_file(homes)],
        }
    }

    fn project_files(self, homes: &ClientHomes) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.project_file(&homes.cwd).into_iter().collect();
        if self == Self::VsCode {
            files.push(homes.cwd.join(".vscode").join("settings.json"));
        }
        if self == Self::Continue {
            files.extend(files_of(&homes.cwd.join(".continue").join("mcpServers")));
        }
        files
    }
}

/// An extension's identity and the file it keeps in VS Code's storage.
const CLINE: (&str, &str) = ("saoudrizwan.claude-dev", "cline_mcp_settings.json");
const ROO: (&str, &str) = ("rooveterinaryinc.roo-cline", "mcp_settings.json");

fn extension_file(code_user: &Path, (extension, file): (&str, &str)) -> PathBuf {
    code_user.join("globalStorage").join(extension).join("settings").join(file)
}

/// The YAML and JSON files of a folder, by name.
fn files_of(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|known| ending == *known))
        })
        .take(MAX_FOLDER_FILES)
        .collect();
    files.sort();
    files
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Client {
    type Err = UnknownClient;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.to_lowercase().replace([' ', '_'], "-");
        Self::ALL
            .into_iter()
            .find(|client| client.name() == plain || client.aliases().contains(&plain.as_str()))
            .ok_or_else(|| UnknownClient { text: text.into() })
    }
}

impl UnknownClient {
    /// What can be named instead.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("name one of: {}", Client::ALL.map(Client::name).join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_is_found_by_its_name_its_label_and_its_aliases() {
        for client in Client::ALL {
            for name in [client.name(), client.label()].iter().chain(client.aliases()) {
                // "JetBrains" and "Gemini CLI" included: labels are what people see, so they type them.
                let known = name.parse::<Client>();
                assert_eq!(known, Ok(client), "{name}");
            }
        }
        assert!("emacs".parse::<Client>().unwrap_err().hint().contains("claude-code"));
    }

    #[test]
    fn each_operating_system_has_its_own_places() {
        let mut table = String::new();
        for os in [Os::Linux, Os::MacOs, Os::Windows] {
            let homes = ClientHomes::below("/home".into(), "/work".into(), os);
            for client in Client::ALL {
                let project =
                    client.project_file(&homes.cwd).map_or_else(|| "-".into(), |file| file.display().to_string());
                let user = client.user_file(&homes);
                table.push_str(&format!("{os:?} {client}: {} {project}\n", user.display()));
            }
        }
        insta::assert_snapshot!(table.replace('\\', "/"));
    }
}
