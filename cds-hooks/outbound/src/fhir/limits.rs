//! What the data of one call may take.

/// Bounds on what is fetched for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Keys that are looked after. Those beyond are told as failed.
    pub max_keys: usize,
    /// Requests at once.
    pub max_parallel: usize,
    /// Pages of one key. Of more the rest is told as not read.
    pub max_pages: usize,
    /// Entries of one key, likewise. A page that has more by itself is not read at all.
    pub max_entries: usize,
    /// Bytes of one answer.
    pub max_page_bytes: usize,
    /// Bytes of all answers of a call together.
    pub max_bytes: usize,
    /// The longest URL of a search by GET, in bytes. A longer one is a POST to `_search`.
    pub max_get_url: usize,
    /// How deep the JSON of an answer may be nested.
    pub max_depth: usize,
}

impl Default for Limits {
    /// 64 keys, 8 requests at once, 50 pages and 20,000 entries of a key, 10 MiB of a page, 32 MiB of all,
    /// 2,000 bytes of URL, 64 levels.
    fn default() -> Self {
        Limits {
            max_keys: 64,
            max_parallel: 8,
            max_pages: 50,
            max_entries: 20_000,
            max_page_bytes: 10 << 20,
            max_bytes: 32 << 20,
            max_get_url: 2000,
            max_depth: 64,
        }
    }
}
