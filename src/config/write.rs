//! Replacing a file whole: a reader sees the old text or the new one, and a crash leaves one of them.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Writes `text` beside the file, makes it durable, and renames it over the file.
///
/// A symbolic link is followed, so that a linked dotfile stays linked. The mode of an existing file is kept; a new file is for
/// its owner alone, as it may hold credentials, and so are folders that have to be made.
pub fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    let folder = match target.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(io::Error::new(io::ErrorKind::IsADirectory, "not a file")),
    };
    make_private_folder(folder)?;
    // Made with mode 0600, and removed again on every early return.
    let mut beside = tempfile::Builder::new().prefix(".toolcrib-").tempfile_in(folder)?;
    beside.write_all(text.as_bytes())?;
    match fs::metadata(&target) {
        Ok(old) if old.is_dir() => return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
        Ok(old) => beside.as_file().set_permissions(old.permissions())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    beside.as_file().sync_all()?;
    beside.persist(&target).map_err(|error| error.error)?;
    // The rename itself is durable once the folder is; not every file system can promise it.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_file_is_private_and_an_old_one_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/toolcrib.toml");
        write_atomically(&file, "a = 1\n").unwrap();
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        write_atomically(&file, "a = 2\n").unwrap();
        assert_eq!((mode(&file), fs::read_to_string(&file).unwrap().as_str()), (0o644, "a = 2\n"));
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("dotfiles.toml"), folder.path().join("toolcrib.toml"));
        fs::write(&real, "").unwrap();
        symlink(&real, &link).unwrap();
        write_atomically(&link, "a = 1\n").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "a = 1\n");
    }

    #[test]
    fn a_directory_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_atomically(folder.path(), "a = 1\n").is_err());
    }
}
