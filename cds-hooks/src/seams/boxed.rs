//! What seams answer with.

use std::future::Future;
use std::pin::Pin;

/// What a seam answers, later.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
