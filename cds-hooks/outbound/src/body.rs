//! An answer's body, within bounds.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::failure::{Failure, Family};

/// Bytes that several answers may have together, out of those that all calls may have.
pub(crate) struct Budget<'a> {
    left: AtomicUsize,
    taken: AtomicUsize,
    /// What is left for everybody.
    shared: &'a AtomicUsize,
}

/// Whose bytes are all taken.
enum Short {
    Own,
    Shared,
}

impl<'a> Budget<'a> {
    pub(crate) fn new(bytes: usize, shared: &'a AtomicUsize) -> Self {
        Budget {
            left: AtomicUsize::new(bytes),
            taken: AtomicUsize::new(0),
            shared,
        }
    }

    fn take(&self, bytes: usize) -> Result<(), Short> {
        less(&self.left, bytes).ok_or(Short::Own)?;
        less(self.shared, bytes).ok_or(Short::Shared)?;
        self.taken.fetch_add(bytes, Ordering::AcqRel);
        Ok(())
    }
}

impl Drop for Budget<'_> {
    fn drop(&mut self) {
        let taken = self.taken.load(Ordering::Acquire);
        self.shared.fetch_add(taken, Ordering::AcqRel);
    }
}

fn less(left: &AtomicUsize, bytes: usize) -> Option<()> {
    let subtract = |left: usize| left.checked_sub(bytes);
    left.fetch_update(Ordering::AcqRel, Ordering::Acquire, subtract)
        .ok()
        .map(|_| ())
}

/// What stopped the reading.
pub(crate) enum Stopped {
    TooMuch(Failure),
    Broken(reqwest::Error),
}

/// Reads to the end, or to the first byte beyond the bound.
pub(crate) async fn read(
    mut answer: reqwest::Response,
    origin: &str,
    max: usize,
    budget: Option<&Budget<'_>>,
) -> Result<Vec<u8>, Stopped> {
    let too_large = |text: String| Stopped::TooMuch(Failure::at(origin, Family::TooLarge, text));
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
        match budget.map_or(Ok(()), |budget| budget.take(chunk.len())) {
            Ok(()) => {}
            Err(Short::Own) => {
                return Err(too_large(
                    "the answers have too many bytes together".to_owned(),
                ));
            }
            Err(Short::Shared) => {
                let why = "too many answers are being read at once";
                return Err(Stopped::TooMuch(Failure::at(origin, Family::Busy, why)));
            }
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
