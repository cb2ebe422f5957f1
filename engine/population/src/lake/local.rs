//! The folder of a lake on this machine: what was written survives a loss of power, and only regular
//! files are read.
//!
//! A put returns when it is on the disk, in this order: the bytes under another name, `fsync` of that
//! file by the handle that wrote it (a later one need not be told of an error), the name, `fsync` of its
//! folder. So whatever is written after it, the manifest above all, never names what a loss of power
//! takes away; and a manifest is whole wherever its name is. What is deleted may be there again after
//! a loss of power: vacuum's next run removes it.
//!
//! Other stores (S3, GCS, Azure) promise this of every put themselves.

use std::fmt;
use std::fs::File;
use std::io::{Error as IoError, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// The name that errors of the machine are told under, see [`super::plain`].
const STORE: &str = "LocalFileSystem";

/// A folder as a store of objects.
#[derive(Debug)]
pub(super) struct LocalFolder {
    inner: LocalFileSystem,
}

impl LocalFolder {
    pub(super) fn open(folder: &Path) -> Result<LocalFolder> {
        let inner = LocalFileSystem::new_with_prefix(folder)?;
        Ok(LocalFolder {
            inner: inner.with_automatic_cleanup(false),
        })
    }

    /// Refuses what is there and is no regular file: reading a pipe waits for ever. What is not there is
    /// the reader's to tell.
    async fn readable(&self, location: &Location) -> Result<()> {
        let path = self.inner.path_to_filesystem(location)?;
        let found = blocking(move || Ok(std::fs::metadata(path))).await?;
        match found {
            Ok(found) if found.is_dir() => Err(NotAFile(FOLDER).into()),
            Ok(found) if !found.is_file() => Err(NotAFile(NO_FILE).into()),
            _ => Ok(()),
        }
    }
}

const FOLDER: &str = "it is a folder, not a file";
const NO_FILE: &str = "it is not a regular file";

/// What stands where a file should be and is none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotAFile(&'static str);

impl From<NotAFile> for Error {
    fn from(what: NotAFile) -> Self {
        Error::Generic {
            store: STORE,
            source: Box::new(what),
        }
    }
}

/// Whether an error says that.
pub(super) fn not_a_file(error: &Error) -> Option<&NotAFile> {
    match error {
        Error::Generic { source, .. } => source.downcast_ref(),
        _ => None,
    }
}

fn generic(source: IoError) -> Error {
    Error::Generic {
        store: STORE,
        source: source.into(),
    }
}

/// Runs what waits for the disk where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime
            .spawn_blocking(work)
            .await
            .map_err(|e| generic(IoError::other(e)))?,
        Err(_) => work(),
    }
}

/// Puts a file under its name, and all of it on the disk.
fn put(target: &Path, payload: &PutPayload, create: bool) -> Result<PutResult> {
    let (mut file, aside) = begin(target).map_err(generic)?;
    let placed = (|| {
        payload.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        drop(file);
        match create {
            true => std::fs::hard_link(&aside, target)?,
            false => std::fs::rename(&aside, target)?,
        }
        Ok(())
    })();
    if create || placed.is_err() {
        // Nobody reads a name like this.
        let _ = std::fs::remove_file(&aside);
    }
    placed.map_err(|source: IoError| match source.kind() {
        ErrorKind::AlreadyExists if create => Error::AlreadyExists {
            path: target.display().to_string(),
            source: source.into(),
        },
        _ => generic(source),
    })?;
    if let Some(folder) = target.parent() {
        sync_folder(folder).map_err(generic)?;
    }
    Ok(PutResult {
        e_tag: None,
        version: None,
    })
}

/// A new file beside the target, under a name that [`LocalFileSystem`] lists as none of its objects.
fn begin(target: &Path) -> std::io::Result<(File, PathBuf)> {
    let mut number = 1_u32;
    let mut folders = 0;
    loop {
        let mut name = target.as_os_str().to_owned();
        name.push(format!("#{number}"));
        let aside = PathBuf::from(name);
        match File::create_new(&aside) {
            Ok(file) => return Ok((file, aside)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
            // Another thread may make the same folder at this moment. Who takes it away while it is
            // written into does so for good.
            Err(e) if e.kind() == ErrorKind::NotFound && folders < 3 => match target.parent() {
                Some(folder) => {
                    make_folder(folder)?;
                    folders += 1;
                }
                None => return Err(e),
            },
            Err(e) => return Err(e),
        }
    }
}

/// Makes a folder and those above it that are missing, and puts their names on the disk.
///
/// # Errors
/// Those of the file system.
pub fn make_folder(folder: &Path) -> std::io::Result<()> {
    let missing = folder.ancestors().take_while(|a| !a.exists());
    let above: Vec<&Path> = missing.filter_map(Path::parent).collect();
    std::fs::create_dir_all(folder)?;
    for folder in above {
        // Of a relative path the folder that is worked in.
        let here = folder.as_os_str().is_empty();
        sync_folder(if here { Path::new(".") } else { folder })?;
    }
    Ok(())
}

/// Puts the names in a folder on the disk. Some file systems do not let folders be synced, and some
/// folders cannot be opened though their files can be: what those do with names is up to them.
///
/// # Errors
/// Where the disk failed.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    match File::open(folder).and_then(|f| f.sync_all()) {
        Err(e) if !is_refused(&e) => Err(e),
        _ => Ok(()),
    }
}

fn is_refused(e: &IoError) -> bool {
    matches!(
        e.kind(),
        ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
    )
}

impl fmt::Display for LocalFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for LocalFolder {
    async fn put_opts(
        &self,
        location: &Location,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let create = match options.mode {
            PutMode::Create => true,
            PutMode::Overwrite => false,
            // Refused there.
            PutMode::Update(_) => return self.inner.put_opts(location, payload, options).await,
        };
        let target = self.inner.path_to_filesystem(location)?;
        blocking(move || put(&target, &payload, create)).await
    }

    /// Nothing of ours is written in parts: they would not be durable.
    async fn put_multipart_opts(
        &self,
        _: &Location,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented {
            operation: "`put_multipart_opts`".into(),
            implementer: self.to_string(),
        })
    }

    async fn get_opts(&self, location: &Location, options: GetOptions) -> Result<GetResult> {
        self.readable(location).await?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Location, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.readable(location).await?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Location>>,
    ) -> BoxStream<'static, Result<Location>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Location>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Location>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    /// Nothing of ours is copied: a copy would not be durable.
    async fn copy_opts(&self, _: &Location, _: &Location, _: CopyOptions) -> Result<()> {
        Err(Error::NotImplemented {
            operation: "`copy_opts`".into(),
            implementer: self.to_string(),
        })
    }
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
