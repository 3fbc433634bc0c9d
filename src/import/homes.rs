//! Where clients keep their files on the three operating systems: the few folders everything else is derived from.

use std::{env, path::PathBuf};

use directories::BaseDirs;

/// Operating systems whose paths differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux and other systems that follow the XDG folders.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// The folders that clients' files are below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHomes {
    /// The user's home.
    pub home: PathBuf,
    /// `~/.config`, `~/Library/Application Support` or `%APPDATA%`.
    pub config_dir: PathBuf,
    /// The current folder, whose project files are read too.
    pub cwd: PathBuf,
    /// Whose layout of folders.
    pub os: Os,
}

impl Os {
    /// The one this program runs on.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

impl ClientHomes {
    /// The folders of the user who runs this program; `None` where there is no home folder.
    #[must_use]
    pub fn of_this_user() -> Option<Self> {
        let base = BaseDirs::new()?;
        let cwd = env::current_dir().unwrap_or_else(|_| base.home_dir().to_path_buf());
        Some(Self {
            home: base.home_dir().to_path_buf(),
            config_dir: base.config_dir().to_path_buf(),
            cwd,
            os: Os::current(),
        })
    }

    /// The usual layout below a home folder.
    #[must_use]
    pub fn below(home: PathBuf, cwd: PathBuf, os: Os) -> Self {
        let config_dir = match os {
            Os::Linux => home.join(".config"),
            Os::MacOs => home.join("Library").join("Application Support"),
            Os::Windows => home.join("AppData").join("Roaming"),
        };
        Self { home, config_dir, cwd, os }
    }

    /// `~/.config` for programs that use it on macOS too.
    #[must_use]
    pub fn dot_config(&self) -> PathBuf {
        match self.os {
            Os::MacOs => self.home.join(".config"),
            Os::Linux | Os::Windows => self.config_dir.clone(),
        }
    }

    /// A path as people write it, with `~` for the home folder.
    #[must_use]
    pub fn shorten(&self, path: &std::path::Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(rest) if !rest.as_os_str().is_empty() => PathBuf::from("~").join(rest).display().to_string(),
            _ => path.display().to_string(),
        }
    }
}
