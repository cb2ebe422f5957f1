//! A store that remembers what was read, for tests of what a plan opens.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use engine_population::lake::Lake;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

#[derive(Debug)]
pub struct Recording {
    inner: Arc<dyn ObjectStore>,
    read: Mutex<BTreeSet<String>>,
}

impl Recording {
    /// The lake, and what is read of it from here on.
    pub fn over(lake: &Lake) -> (Lake, Arc<Recording>) {
        let recording = Arc::new(Recording {
            inner: Arc::clone(&lake.store),
            read: Mutex::default(),
        });
        let store = Arc::clone(&recording) as Arc<dyn ObjectStore>;
        let snapshot = Arc::clone(&lake.snapshot);
        (Lake { store, snapshot }, recording)
    }

    /// All that was read so far.
    pub fn all(&self) -> BTreeSet<String> {
        self.read.lock().unwrap().clone()
    }

    fn note(&self, path: &Path) {
        self.read.lock().unwrap().insert(path.to_string());
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Recording {
    async fn put_opts(&self, p: &Path, b: PutPayload, o: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(p, b, o).await
    }

    async fn put_multipart_opts(
        &self,
        p: &Path,
        o: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(p, o).await
    }

    async fn get_opts(&self, p: &Path, o: GetOptions) -> Result<GetResult> {
        self.note(p);
        self.inner.get_opts(p, o).await
    }

    async fn get_ranges(&self, p: &Path, r: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.note(p);
        self.inner.get_ranges(p, r).await
    }

    fn delete_stream(
        &self,
        p: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(p)
    }

    fn list(&self, p: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(p)
    }

    async fn list_with_delimiter(&self, p: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(p).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, o: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, o).await
    }
}
