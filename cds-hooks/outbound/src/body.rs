//! An answer's body, within bounds.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::failure::{Failure, Family};

/// Bytes that several answers may have together.
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Budget(AtomicUsize::new(bytes))
    }

    fn take(&self, bytes: usize) -> bool {
        let left = |left: usize| left.checked_sub(bytes);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, left)
            .is_ok()
    }
}

/// What stopped the reading.
pub(crate) enum Stopped {
    TooLarge(Failure),
    Broken(reqwest::Error),
}

/// Reads to the end, or to the first byte beyond the bound.
pub(crate) async fn read(
    mut answer: reqwest::Response,
    origin: &str,
    max: usize,
    budget: Option<&Budget>,
) -> Result<Vec<u8>, Stopped> {
    let too_large = |text: String| Stopped::TooLarge(Failure::at(origin, Family::TooLarge, text));
    let over = || too_large(format!("the answer has more than {max} bytes"));
    let announced = answer.content_length();
    if announced.is_some_and(|length| length > max as u64) {
        return Err(over());
    }
    let mut bytes = vec![];
    while let Some(chunk) = answer.chunk().await.map_err(Stopped::Broken)? {
        if bytes.len() + chunk.len() > max {
            return Err(over());
        }
        if budget.is_some_and(|budget| !budget.take(chunk.len())) {
            return Err(too_large(
                "the answers have too many bytes together".to_owned(),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
