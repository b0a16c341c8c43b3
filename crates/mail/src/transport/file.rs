//! Mail to files.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use vestibule::SendError;

use super::error::TransportError;
use crate::letter::Letter;

/// A folder with one `<id>.eml` per message, readable by its owner only.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Creates the folder if it does not exist.
    pub fn open(path: &Path) -> Result<Self, TransportError> {
        let wrong =
            |error: io::Error| TransportError::Folder { path: path.to_owned(), cause: error.to_string() };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        private_folder(&mut builder);
        builder.create(path).map_err(wrong)?;
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) async fn deliver(&self, letter: &Letter) -> Result<(), SendError> {
        let (path, name, source) = (self.path.clone(), letter.id().to_string(), letter.source().to_vec());
        let written = tokio::task::spawn_blocking(move || write(&path, &name, &source)).await;
        let failed = |cause: String| SendError::Temporary(format!("the mail folder: {cause}"));
        written.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
    }
}

/// Programs that watch the folder see only complete messages.
fn write(folder: &Path, name: &str, source: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}.draft"));
    create(&draft)?.write_all(source)?;
    std::fs::rename(&draft, folder.join(format!("{name}.eml")))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    private_file(&mut options);
    options.open(path)
}

#[cfg(unix)]
fn private_file(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(unix)]
fn private_folder(builder: &mut DirBuilder) {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
}

#[cfg(not(unix))]
fn private_file(_: &mut OpenOptions) {}

#[cfg(not(unix))]
fn private_folder(_: &mut DirBuilder) {}
