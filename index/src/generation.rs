//! Where an index lies on disk, and how a new one takes the place of an old one.
//!
//! Each build writes a directory of its own beside the others; the file `current.json` names the one that counts, with
//! the length and checksum of each of its files, and is put in place by a rename. Whatever a killed build leaves is
//! therefore never read, and the next build removes it. Knows nothing of what is in the files.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{IndexError, model};

/// Version of what is on disk: the fields, the analyzer, the manifest. An index of another version is outdated.
pub(crate) const FORMAT: u32 = 3;

const MANIFEST: &str = "current.json";
const NEW_MANIFEST: &str = "current.json.new";
const LOCK: &str = "build.lock";
const PREFIX: &str = "generation-";

/// Largest manifest read, in bytes; real ones have some 2,000.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// Why a directory that should hold an index does not.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("`{file}` has {found} bytes instead of {wanted}")]
    Length { file: String, found: u64, wanted: u64 },
    #[error("the checksum of `{file}` is wrong")]
    Checksum { file: String },
    #[error("`{MANIFEST}` names `{generation}`, which is no generation")]
    Generation { generation: String },
    #[error("`{MANIFEST}` is larger than {MAX_MANIFEST_BYTES} bytes")]
    Manifest,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of the model that made the vectors.
    model: String,
    key: String,
    generation: String,
    files: Vec<FileSum>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FileSum {
    name: String,
    bytes: u64,
    crc32: u32,
}

/// Finds the generation that counts, if it is of this format and key and its files are what was written.
pub(crate) fn find(dir: &Path, key: &str) -> Result<PathBuf, IndexError> {
    let manifest = read_manifest(dir)?;
    if manifest.format != FORMAT || manifest.model != model::VERSION || manifest.key != key {
        return Err(IndexError::Outdated { dir: dir.into() });
    }
    let damaged = |damage: Damage| IndexError::Damaged { dir: dir.into(), source: damage.into() };
    if number(&manifest.generation).is_none() {
        return Err(damaged(Damage::Generation { generation: manifest.generation }));
    }
    let home = dir.join(&manifest.generation);
    for wanted in manifest.files {
        let found = sum(&home.join(&wanted.name), wanted.name.clone())
            .map_err(|source| IndexError::Damaged { dir: dir.into(), source: source.into() })?;
        if found.bytes != wanted.bytes {
            return Err(damaged(Damage::Length { file: wanted.name, found: found.bytes, wanted: wanted.bytes }));
        }
        if found.crc32 != wanted.crc32 {
            return Err(damaged(Damage::Checksum { file: wanted.name }));
        }
    }
    Ok(home)
}

/// The generation that counts, whatever documents it is of and whether or not it is whole.
pub(crate) fn current(dir: &Path) -> Option<PathBuf> {
    let manifest = read_manifest(dir).ok()?;
    number(&manifest.generation).map(|_| dir.join(&manifest.generation))
}

/// Has a new generation written into an empty directory, makes it the one that counts, and removes all others.
pub(crate) fn build(
    dir: &Path,
    key: &str,
    write: impl FnOnce(&Path) -> Result<(), IndexError>,
) -> Result<PathBuf, IndexError> {
    fs::create_dir_all(dir).map_err(io_error("create", dir))?;
    // Held until the function returns; the system lets go of it if the process dies.
    let _lock = lock(dir)?;
    let generation = format!("{PREFIX}{}", generations(dir)?.into_iter().max().unwrap_or(0) + 1);
    let home = dir.join(&generation);
    fs::create_dir(&home).map_err(io_error("create", &home))?;
    write(&home)?;
    let manifest =
        Manifest { format: FORMAT, model: model::VERSION.into(), key: key.into(), files: sums(&home)?, generation };
    replace_manifest(dir, &manifest)?;
    remove_others(dir, &manifest.generation);
    Ok(home)
}

fn lock(dir: &Path) -> Result<File, IndexError> {
    let path = dir.join(LOCK);
    let file = File::create(&path).map_err(io_error("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(IndexError::Busy { dir: dir.into() }),
        Err(TryLockError::Error(source)) => Err(io_error("lock", &path)(source)),
    }
}

fn read_manifest(dir: &Path) -> Result<Manifest, IndexError> {
    let path = dir.join(MANIFEST);
    let mut text = Vec::new();
    match File::open(&path).and_then(|file| file.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut text)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IndexError::Missing { dir: dir.into() }),
        Err(source) => return Err(io_error("read", &path)(source)),
    }
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(IndexError::Damaged { dir: dir.into(), source: Damage::Manifest.into() });
    }
    serde_json::from_slice(&text).map_err(|source| IndexError::Damaged { dir: dir.into(), source: source.into() })
}

fn replace_manifest(dir: &Path, manifest: &Manifest) -> Result<(), IndexError> {
    let (new, path) = (dir.join(NEW_MANIFEST), dir.join(MANIFEST));
    let text = serde_json::to_vec_pretty(manifest).map_err(|source| IndexError::Build { source: source.into() })?;
    let mut file = File::create(&new).map_err(io_error("create", &new))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(io_error("write", &new))?;
    fs::rename(&new, &path).map_err(io_error("replace", &path))
}

/// Best effort: an index that another process still has open cannot be removed on every system. The next build tries again.
fn remove_others(dir: &Path, generation: &str) {
    let kept = number(generation);
    for other in generations(dir).unwrap_or_default().into_iter().filter(|&other| Some(other) != kept) {
        fs::remove_dir_all(dir.join(format!("{PREFIX}{other}"))).ok();
    }
}

/// The numbers of all generations in a directory, finished or not.
fn generations(dir: &Path) -> Result<Vec<u64>, IndexError> {
    let entries = fs::read_dir(dir).map_err(io_error("list", dir))?;
    Ok(entries.flatten().filter_map(|entry| number(&entry.file_name().to_string_lossy())).collect())
}

fn number(generation: &str) -> Option<u64> {
    generation.strip_prefix(PREFIX)?.parse().ok()
}

fn sums(home: &Path) -> Result<Vec<FileSum>, IndexError> {
    let mut sums = Vec::new();
    for entry in fs::read_dir(home).map_err(io_error("list", home))? {
        let path = entry.map_err(io_error("list", home))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Lock files are empty and come and go.
        if path.is_file() && !name.ends_with(".lock") {
            sums.push(sum(&path, name).map_err(io_error("read", &path))?);
        }
    }
    sums.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(sums)
}

fn sum(path: &Path, name: String) -> io::Result<FileSum> {
    let mut file = File::open(path)?;
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(FileSum { name, bytes, crc32: hasher.finalize() });
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IndexError {
    let path = path.to_path_buf();
    move |source| IndexError::Io { action, path, source }
}
