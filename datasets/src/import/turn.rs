//! Whose turn it is to write, among imports that run at once.
//!
//! Each writes without asking, and the second to commit merges anew. One that lost several times
//! takes the turn: who has not begun to write waits for it. That is for speed only; what lands is
//! right without it, and so nobody waits for an import that stands still: whose lock is held and not
//! renewed.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::lockfile::{LEASE, LockFile};

/// So often an import loses before it takes the turn.
const LOSSES: u32 = 3;
const LOOK: Duration = Duration::from_millis(20);

/// The turn, where it was taken. Given back when dropped.
pub struct Turn(Option<LockFile>);

impl Turn {
    /// Nobody's.
    pub fn none() -> Turn {
        Turn(None)
    }

    /// Waits until no other import has the turn; takes it after enough losses. An error of the file
    /// system is no reason not to write. And whether it waited.
    pub fn wait(self, lake: &Path, losses: u32) -> (Turn, bool) {
        if self.0.is_some() {
            return (self, false);
        }
        let path = lake.join("_tmp").join("turn.lock");
        let mut waited = false;
        loop {
            if losses >= LOSSES {
                match LockFile::take(path.clone()) {
                    Ok(None) => {}
                    Ok(own) => return (Turn(own), waited),
                    Err(_) => return (Turn(None), waited),
                }
            }
            if !is_held(&path) {
                if losses < LOSSES {
                    return (Turn(None), waited);
                }
            } else if stands_still(&path) {
                return (Turn(None), waited);
            }
            waited = true;
            std::thread::sleep(LOOK);
        }
    }
}

fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Whether its holder has not renewed it for long: stopped, or its machine away.
fn stands_still(path: &Path) -> bool {
    let renewed = std::fs::metadata(path).and_then(|m| m.modified());
    let age = renewed.map(|r| SystemTime::now().duration_since(r));
    matches!(age, Ok(Ok(age)) if age > LEASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lost_often_goes_first() {
        let lake = tempfile::tempdir().unwrap();
        std::fs::create_dir(lake.path().join("_tmp")).unwrap();
        let lock = lake.path().join("_tmp/turn.lock");
        let (first, waited) = Turn::none().wait(lake.path(), 0);
        assert!(!waited);
        assert!(first.0.is_none() && !lock.exists());
        let (own, _) = first.wait(lake.path(), LOSSES);
        assert!(own.0.is_some() && is_held(&lock));
        let other = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let (turn, waited) = Turn::none().wait(lake.path(), 0);
                turn.0.is_none() && waited
            });
            std::thread::sleep(3 * LOOK);
            let waited = !other.is_finished();
            drop(own.wait(lake.path(), LOSSES + 1).0);
            (waited, other.join().unwrap())
        });
        assert_eq!(other, (true, true));
        assert!(!lock.exists());
    }

    /// One that is stopped, or on a machine that is away, holds nobody up.
    #[test]
    fn who_stands_still_is_not_waited_for() {
        let lake = tempfile::tempdir().unwrap();
        std::fs::create_dir(lake.path().join("_tmp")).unwrap();
        let path = lake.path().join("_tmp/turn.lock");
        let held = File::create(&path).unwrap();
        held.try_lock().unwrap();
        held.set_modified(SystemTime::now() - LEASE - Duration::from_secs(60))
            .unwrap();
        for losses in [0, LOSSES] {
            let (turn, waited) = Turn::none().wait(lake.path(), losses);
            assert!(turn.0.is_none() && !waited);
        }
    }
}
