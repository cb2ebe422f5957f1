//! Where key sets come from that clients publish.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use outbound::Client;

/// Fetches a key set. Only addresses that the configuration lists are asked for.
#[async_trait]
pub trait KeyFetcher: Send + Sync {
    /// The body at `url`, of at most `most` bytes, within `time`. Nothing is to be followed from there.
    ///
    /// # Errors
    /// Why it could not be had, in plain words.
    async fn fetch(&self, url: &str, most: usize, time: Duration) -> Result<Vec<u8>, String>;
}

/// By the guarded client: from origins that it may call, at addresses that it has checked, without redirects
/// to elsewhere.
#[async_trait]
impl KeyFetcher for Client {
    async fn fetch(&self, url: &str, most: usize, time: Duration) -> Result<Vec<u8>, String> {
        let deadline = Instant::now() + time;
        let body = self.get_bytes(url, deadline, most).await;
        body.map(|body| body.to_vec())
            .map_err(|failure| failure.to_string())
    }
}

/// Fetches nothing: for clients whose key sets were exchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFetcher;

#[async_trait]
impl KeyFetcher for NoFetcher {
    async fn fetch(&self, _: &str, _: usize, _: Duration) -> Result<Vec<u8>, String> {
        Err("this service fetches no key sets".to_owned())
    }
}
