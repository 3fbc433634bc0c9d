//! Where toolcrib's files are: what was named, else the user-level places of the operating system.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use sha2::{Digest, Sha256};

use super::{ConfigError, Loaded, Strings, load};

/// Where the configuration and the data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// The configuration file. It may be absent unless it was named.
    pub config_file: PathBuf,
    /// Whether the file was named, by `--config` or `TOOLCRIB_CONFIG`. Then it must be there.
    pub config_named: bool,
    /// Where the registry and the index are.
    pub data_dir: PathBuf,
}

impl Locations {
    /// Takes what the command line names, then `TOOLCRIB_CONFIG` and `TOOLCRIB_DATA_DIR`, then the user-level places
    /// (`~/.config/toolcrib/toolcrib.toml` and `~/.local/share/toolcrib` on Linux). A named file gets a data folder of its own
    /// below that: two projects may both have a server `db`, and must not share what is known of it.
    pub fn find(config: Option<&Path>, data_dir: Option<&Path>, env: &dyn Strings) -> Result<Self, ConfigError> {
        let variable = |name| env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = config.map(Path::to_path_buf).or_else(|| variable("TOOLCRIB_CONFIG"));
        let data_dir = data_dir.map(Path::to_path_buf).or_else(|| variable("TOOLCRIB_DATA_DIR"));
        let user = || ProjectDirs::from("", "", "toolcrib").ok_or(ConfigError::NoHome);
        let data_dir = match (data_dir, &named) {
            (Some(dir), _) => dir,
            (None, Some(file)) => user()?.data_dir().join("configurations").join(folder_of(file)),
            (None, None) => user()?.data_dir().to_path_buf(),
        };
        Ok(Self {
            config_named: named.is_some(),
            config_file: match named {
                Some(file) => file,
                None => user()?.config_dir().join("toolcrib.toml"),
            },
            data_dir,
        })
    }

    /// Loads the configuration; a user-level file that is not there means no servers and every default.
    pub fn load(&self, env: &dyn Strings) -> Result<Loaded, ConfigError> {
        match load(Some(&self.config_file), env) {
            Err(ConfigError::NotFound { .. }) if !self.config_named => Ok(Loaded::default()),
            loaded => loaded,
        }
    }
}

/// A name for the data folder of a configuration file: readable, and another one for every path.
fn folder_of(file: &Path) -> String {
    // A file that is not there yet has no canonical path; the error about it comes when it is read.
    let path = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    let parent = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let readable: String =
        parent.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(32).collect();
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    if readable.is_empty() { hash } else { format!("{readable}-{hash}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_command_line_goes_before_the_environment() {
        let env = env(&[("TOOLCRIB_CONFIG", "/env/a.toml"), ("TOOLCRIB_DATA_DIR", "/env/data")]);
        let found = Locations::find(Some(Path::new("/flag/b.json")), None, &env).unwrap();
        let want = Locations { config_file: "/flag/b.json".into(), config_named: true, data_dir: "/env/data".into() };
        assert_eq!(found, want);
    }

    #[test]
    fn only_a_file_that_was_named_must_be_there() {
        let nowhere = tempfile::tempdir().unwrap().path().join("toolcrib.toml");
        let mut at = Locations { config_file: nowhere, config_named: false, data_dir: "/d".into() };
        assert!(at.load(&env(&[])).unwrap().settings.servers.is_empty());
        at.config_named = true;
        assert!(matches!(at.load(&env(&[])), Err(ConfigError::NotFound { .. })));
    }

    #[test]
    fn every_named_file_has_a_data_folder_of_its_own() {
        let at = |path: &str| Locations::find(Some(Path::new(path)), None, &env(&[])).unwrap().data_dir;
        let shop = at("/nowhere/shop/.mcp.json");
        assert_eq!(shop, at("/nowhere/shop/.mcp.json"));
        assert_ne!(shop, at("/nowhere/blog/.mcp.json"));
        assert!(shop.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shop-")), "{}", shop.display());
    }

    #[test]
    fn an_empty_variable_names_nothing() {
        let found = Locations::find(None, None, &env(&[("TOOLCRIB_CONFIG", "")]));
        assert!(found.is_ok_and(|found| !found.config_named && found.config_file.ends_with("toolcrib.toml")));
    }
}
