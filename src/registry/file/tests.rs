//! Every way we could think of in which the file is not what it should be.

use std::{sync::Arc, time::UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    catalog::{Catalog, Era, JsonObject, RawListing, ServerEntry},
    registry::{Registry, error::Fault},
};

/// A closed registry with a few servers, and what it holds.
fn stored() -> (TempDir, Catalog) {
    let dir = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    for server in ["alpha", "beta"] {
        let tools = (0..20).map(|number| {
            json!({ "name": format!("tool_{number}"), "description": "It does. ".repeat(number * 20), "inputSchema": {} })
        });
        let raw = RawListing {
            era: Era::Legacy,
            protocol_version: "2025-06-18".into(),
            server_info: JsonObject::new(),
            capabilities: JsonObject::new(),
            instructions: Some("Be kind.".into()),
            tools: tools.collect(),
            prompts: vec![json!({ "name": "review" })],
            resources: vec![],
            resource_templates: vec![],
            notes: vec![],
        };
        let entry = ServerEntry::read(server.parse().unwrap(), raw, UNIX_EPOCH);
        runtime.block_on(registry.save_listing(Arc::new(entry))).unwrap();
    }
    let catalog = registry.load().unwrap();
    runtime.block_on(registry.close());
    (dir, catalog)
}

fn load(dir: &TempDir) -> Result<Catalog, RegistryError> {
    Registry::open(dir.path())?.load()
}

fn contents(dir: &TempDir) -> Vec<u8> {
    fs::read(path_in(dir.path())).unwrap()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[cfg(unix)]
#[test]
fn directory_and_files_are_the_users_alone() {
    let dir = TempDir::new().unwrap();
    let data_dir = dir.path().join("deep/er");
    let _registry = Registry::open(&data_dir).unwrap();
    assert_eq!(mode(&data_dir), 0o700);
    let modes = ["", "-wal", "-shm"].map(|suffix| mode(&with_suffix(&path_in(&data_dir), suffix)));
    assert_eq!(modes, [0o600; 3]);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_read_is_taken_from_them() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, _) = stored();
    fs::set_permissions(path_in(dir.path()), fs::Permissions::from_mode(0o644)).unwrap();
    load(&dir).unwrap();
    assert_eq!(mode(&path_in(dir.path())), 0o600);
}

#[test]
fn a_file_that_is_no_database_is_damaged_and_stays() {
    for garbage in ["hello, this is a text", &"x".repeat(50_000)] {
        let dir = TempDir::new().unwrap();
        fs::write(path_in(dir.path()), garbage).unwrap();
        let error = load(&dir).unwrap_err();
        assert!(error.is_damage(), "{error:?}");
        assert_eq!(contents(&dir), garbage.as_bytes());
    }
}

#[test]
fn a_truncated_file_is_damaged_wherever_it_ends() {
    let (dir, _) = stored();
    let whole = contents(&dir);
    for length in [1, 15, 50, 99, 100, 101, 4_096, 16_384, whole.len() / 2, whole.len() - 16_384, whole.len() - 1] {
        fs::write(path_in(dir.path()), &whole[..length]).unwrap();
        let outcome = load(&dir);
        assert!(outcome.as_ref().is_err_and(RegistryError::is_damage), "{length} bytes: {outcome:?}");
        assert_eq!(contents(&dir).len(), length, "left as it is");
    }
}

#[test]
fn a_journal_without_its_file_is_damage_and_not_thrown_away() {
    let (dir, _) = stored();
    let journal = with_suffix(&path_in(dir.path()), "-wal");
    for file in [None, Some("")] {
        fs::remove_file(path_in(dir.path())).unwrap();
        fs::write(&journal, "changes").unwrap();
        file.into_iter().for_each(|text| fs::write(path_in(dir.path()), text).unwrap());
        assert!(load(&dir).unwrap_err().is_damage());
        assert_eq!(fs::read(&journal).unwrap(), b"changes");
        let _ = fs::write(path_in(dir.path()), "");
    }
}

#[test]
fn damage_says_what_to_do_and_what_is_set_aside_is_kept() {
    let (dir, _) = stored();
    let mut broken = contents(&dir);
    broken[..100].fill(7);
    fs::write(path_in(dir.path()), &broken).unwrap();
    let error = load(&dir).unwrap_err();
    let text = error.to_string().replace(&*dir.path().to_string_lossy(), "DIR");
    insta::assert_snapshot!(text, @"the registry DIR/registry.sqlite is damaged");
    insta::assert_snapshot!(error.hint(), @"start toolcrib again: it keeps the file under another name and begins a new one; `toolcrib reindex` reads the servers anew");

    let aside = Registry::set_aside(dir.path()).unwrap().unwrap();
    assert!(aside.to_string_lossy().ends_with(".damaged-1"), "{aside:?}");
    assert_eq!(fs::read(&aside).unwrap(), broken);
    assert!(load(&dir).unwrap().servers.is_empty());
    let second = Registry::set_aside(dir.path()).unwrap().unwrap();
    assert!(second.to_string_lossy().ends_with(".damaged-2"), "{second:?}");
    assert_eq!(Registry::set_aside(dir.path()).unwrap(), None);
}

#[test]
fn another_programs_database_is_not_touched() {
    let dir = TempDir::new().unwrap();
    Connection::open(path_in(dir.path())).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let before = contents(&dir);
    assert!(matches!(load(&dir), Err(RegistryError::Foreign { .. })));
    assert_eq!(contents(&dir), before);
}

#[test]
fn what_stands_in_the_way_is_named() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(path_in(dir.path())).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for data_dir in [dir.path(), &file, &file.join("below")] {
        let error = Registry::open(data_dir).unwrap_err();
        assert!(matches!(error, RegistryError::Unusable { .. }), "{error:?}");
    }
}

/// Not even root can write there.
#[cfg(target_os = "linux")]
#[test]
fn a_place_that_cannot_be_written_is_unusable() {
    for data_dir in ["/proc", "/proc/toolcrib"] {
        let error = Registry::open(Path::new(data_dir)).unwrap_err();
        assert!(matches!(error, RegistryError::Unusable { .. }), "{error:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_called_read_only() {
    let (dir, _) = stored();
    let reader = open_reader(dir.path()).unwrap();
    let error = Fault::from(reader.execute("DELETE FROM servers", []).unwrap_err());
    assert!(matches!(error.at(Path::new("r"), "write"), RegistryError::ReadOnly { .. }));
}

#[test]
fn a_held_file_is_called_busy_and_readers_do_not_mind() {
    let (dir, catalog) = stored();
    let holder = connect(&path_in(dir.path())).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(load(&dir).unwrap().servers, catalog.servers);
    let other = connect(&path_in(dir.path())).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    let error = Fault::from(other.execute_batch("BEGIN IMMEDIATE").unwrap_err());
    assert!(matches!(error.at(Path::new("r"), "write"), RegistryError::Busy { .. }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// SQLite alone would let a flipped bit in a text pass.
    #[test]
    fn a_flipped_bit_is_noticed_or_changes_nothing(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        static STORED: std::sync::LazyLock<(TempDir, Catalog)> = std::sync::LazyLock::new(stored);
        let mut bytes = contents(&STORED.0);
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        let dir = TempDir::new().unwrap();
        fs::write(path_in(dir.path()), bytes).unwrap();
        match load(&dir) {
            Ok(catalog) => prop_assert_eq!(&catalog.servers, &STORED.1.servers, "byte {}", place),
            Err(RegistryError::Damaged { .. } | RegistryError::Foreign { .. } | RegistryError::Newer { .. }) => {}
            Err(error) => prop_assert!(false, "byte {}: {:?}", place, error),
        }
    }
}
