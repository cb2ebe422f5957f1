//! Whose turn it is to write, among imports that run at once.
//!
//! Each writes without asking, and the second to commit merges anew. One that lost several times
//! takes the turn: who has not begun to write waits for it. That is for speed only; what lands is
//! right without it, and so nobody waits for ever for an import that stands still.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::lockfile::LockFile;

/// So often an import loses before it takes the turn.
const LOSSES: u32 = 3;
/// How long others are waited for.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(20);

/// The turn, where it was taken. Given back when dropped.
pub struct Turn(Option<LockFile>);

impl Turn {
    /// Nobody's.
    pub fn none() -> Turn {
        Turn(None)
    }

    /// Waits until no other import has the turn; takes it after enough losses. An error of the file
    /// system is no reason not to write.
    pub fn wait(self, lake: &Path, losses: u32) -> Turn {
        if self.0.is_some() {
            return self;
        }
        let path = lake.join("_tmp").join("turn.lock");
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if losses < LOSSES {
                if !is_held(&path) {
                    return Turn(None);
                }
            } else {
                match LockFile::take(path.clone()) {
                    Ok(Some(own)) => return Turn(Some(own)),
                    Ok(None) => {}
                    Err(_) => return Turn(None),
                }
            }
            std::thread::sleep(LOOK);
        }
        Turn(None)
    }
}

fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn who_lost_often_goes_first() {
        let lake = tempfile::tempdir().unwrap();
        std::fs::create_dir(lake.path().join("_tmp")).unwrap();
        let lock = lake.path().join("_tmp/turn.lock");
        let first = Turn::none().wait(lake.path(), 0);
        assert!(first.0.is_none() && !lock.exists());
        let own = first.wait(lake.path(), LOSSES);
        assert!(own.0.is_some() && is_held(&lock));
        let other = std::thread::scope(|scope| {
            let other = scope.spawn(|| Turn::none().wait(lake.path(), 0).0.is_none());
            std::thread::sleep(3 * LOOK);
            let waited = !other.is_finished();
            drop(own.wait(lake.path(), LOSSES + 1));
            (waited, other.join().unwrap())
        });
        assert_eq!(other, (true, true));
        assert!(!lock.exists());
    }
}
