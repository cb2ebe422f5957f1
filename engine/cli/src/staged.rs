//! Folders of results that are whole: written aside, and moved into place when everything is there. A
//! reader, and whoever looks after a crash, sees the old state or the new one.
//!
//! ```text
//! results/                   as before, until…
//! .results.tmp-1a2b…/        …this is complete: then the two change places, and the old one is removed
//! ```
//!
//! What stands in the folder already is only replaced where it is our own: where its `run.json` lists
//! every file, and none was changed since. Anything else is refused before a run begins. The folder
//! beside is locked (`flock`) while its run lives; what a killed run left is removed by the next.

use std::fs::{File, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use engine_population::lake::local::{make_folder, sync_folder};
use measures::manifest::{LIST, Manifest, hash_of};

use crate::failure::Failure;

/// Names of files that a message shows.
const SHOWN: usize = 5;

/// A folder that is being written.
pub struct Staged {
    /// As the user wrote it, with its option: for messages.
    shown: String,
    target: PathBuf,
    /// As a list names it: what another command wrote is not replaced.
    command: &'static str,
    aside: PathBuf,
    /// Locked; it goes with the folder.
    _lock: File,
    done: bool,
}

impl Staged {
    /// Begins a folder that is to stand at `target`. `option`: as in `--out`; `command`: as in
    /// `measure run`.
    ///
    /// # Errors
    /// Where `target` holds what is not ours, or cannot be replaced.
    pub fn begin(option: &str, command: &'static str, target: &Path) -> Result<Staged, Failure> {
        let shown = format!("{option} {}", target.display());
        let wrong = |e: std::io::Error| Failure::User(format!("{shown}: {e}"));
        outside_lakes(&shown, target)?;
        let target = place(&shown, target)?;
        check(&shown, Some(command), &target, &target)?;
        let (parent, name) = parts(&shown, &target)?;
        make_folder(&parent).map_err(wrong)?;
        sweep(&parent, &prefix(&name));
        let (aside, lock) = fresh(&parent, &name).map_err(|e| {
            Failure::User(format!(
                "{shown}: its results are written beside it first, and {} cannot be written to: {e}; give a folder within one that can",
                parent.display()
            ))
        })?;
        if let Ok(old) = std::fs::metadata(&target) {
            std::fs::set_permissions(&aside, old.permissions()).map_err(wrong)?;
        }
        Ok(Staged {
            shown,
            target,
            command,
            aside,
            _lock: lock,
            done: false,
        })
    }

    /// Where to write to.
    pub fn folder(&self) -> &Path {
        &self.aside
    }

    /// Puts the folder into its place.
    pub fn commit(mut self) -> Result<(), Failure> {
        settle(&self.aside).map_err(|e| self.unwritten(&e))?;
        // Where there is nothing, or an empty folder, one step does it.
        if std::fs::rename(&self.aside, &self.target).is_ok() {
            self.done = true;
            return self.settled();
        }
        // The lock goes with the folder: once it stands aside, no other run sweeps it.
        let old = File::open(&self.target).map_err(|e| self.unwritten(&e))?;
        if let Err(TryLockError::WouldBlock) = old.try_lock() {
            return Err(Failure::User(format!(
                "{}: another run is putting its results there; nothing was replaced, run it again",
                self.shown
            )));
        }
        let command = Some(self.command);
        check(&self.shown, command, &self.target, &self.target)?;
        exchange(&self.aside, &self.target).map_err(|e| self.moved(&e))?;
        // From here on it is the old state that stands aside: not ours to remove.
        self.done = true;
        // What came out is looked at again: somebody may have written into it between the two.
        if let Err(refused) = check(&self.shown, command, &self.aside, &self.target) {
            exchange(&self.aside, &self.target).map_err(|e| {
                let text = format!(
                    "{}: {}; what was there before is in {}",
                    self.shown,
                    e.why,
                    e.left.as_ref().unwrap_or(&self.aside).display()
                );
                Failure::Internal(text)
            })?;
            self.done = false;
            return Err(refused);
        }
        // The old one goes only when a loss of power leaves the new one in place.
        self.settled()?;
        // The new state stands. An old one that cannot be removed is swept by the next run.
        if let Err(e) = std::fs::remove_dir_all(&self.aside) {
            note!("note: {} could not be removed: {e}", self.aside.display());
        }
        Ok(())
    }

    /// Puts on the disk that the folder is in its place.
    fn settled(&self) -> Result<(), Failure> {
        let parent = self.target.parent().unwrap_or(Path::new("."));
        sync_folder(parent).map_err(|e| {
            Failure::Internal(format!(
                "{}: the results are in place, and the disk may not keep them: {e}",
                self.shown
            ))
        })
    }

    fn moved(&self, e: &NotExchanged) -> Failure {
        match &e.left {
            None => self.unwritten(&e.why),
            Some(left) => Failure::Internal(format!(
                "{}: the results cannot be put in place: {}; what was there before is in {}",
                self.shown,
                e.why,
                left.display()
            )),
        }
    }

    fn unwritten(&self, e: &std::io::Error) -> Failure {
        Failure::Internal(format!(
            "{}: the results cannot be written: {e}; what was there before is as it was",
            self.shown
        ))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_dir_all(&self.aside);
        }
    }
}

/// Writes a file that is there whole or not at all. What is no regular file (a pipe, a terminal) is
/// written to as it is.
pub fn write_file(option: &str, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::User(format!("{option} {}: {e}", path.display()));
    let path = match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return std::fs::write(path, bytes).map_err(failed),
        // Through a link, to the file.
        Ok(_) => path.canonicalize().map_err(failed)?,
        Err(_) => path.to_owned(),
    };
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let mut aside = tempfile::Builder::new()
        .prefix(".tandem-tmp-")
        .permissions(permissions(&path))
        .tempfile_in(parent)
        .map_err(failed)?;
    std::io::Write::write_all(&mut aside, bytes).map_err(failed)?;
    aside.as_file().sync_all().map_err(failed)?;
    aside.persist(&path).map_err(|e| failed(e.error))?;
    sync_folder(parent).map_err(failed)
}

/// Those of the file that is replaced; of a new one the usual.
fn permissions(path: &Path) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    let of_old = std::fs::metadata(path).map(|m| m.permissions());
    of_old.unwrap_or_else(|_| std::fs::Permissions::from_mode(0o666))
}

/// Refuses a file of results that was changed since its run listed it. One without a list beside it is
/// taken as it is.
pub fn verify(file: &Path) -> Result<(), Failure> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return Ok(());
    };
    let list = folder.join(LIST);
    let Some(manifest) =
        listed(&list).map_err(|why| Failure::User(format!("{}: {why}", list.display())))?
    else {
        return Ok(());
    };
    let Some(wanted) = manifest.outputs.get(&*name.to_string_lossy()) else {
        return Ok(());
    };
    let found = hash_of(file).map_err(|e| Failure::User(format!("{}: {e}", file.display())))?;
    match found == *wanted {
        true => Ok(()),
        false => Err(Failure::User(format!(
            "{} is not what its run wrote: {} lists other bytes; run the measures again with --out",
            file.display(),
            list.display()
        ))),
    }
}

/// Where the folder is to stand: links followed, so that what they point to is replaced.
fn place(shown: &str, target: &Path) -> Result<PathBuf, Failure> {
    let wrong = |e: std::io::Error| Failure::User(format!("{shown}: {e}"));
    match std::fs::metadata(target) {
        Ok(found) if !found.is_dir() => Err(Failure::User(format!(
            "{shown}: this is a file, not a folder"
        ))),
        Ok(_) => {
            let target = target.canonicalize().map_err(wrong)?;
            let here = std::env::current_dir().and_then(|d| d.canonicalize());
            if here.is_ok_and(|here| here.starts_with(&target)) {
                return Err(Failure::User(format!(
                    "{shown}: the results replace a folder as a whole, and this is the one you are in, or above it: name a folder in it"
                )));
            }
            if is_mount(&target) {
                return Err(Failure::User(format!(
                    "{shown}: the results replace a folder as a whole, and this one is a mount point: name a folder in it, such as {}",
                    target.join("results").display()
                )));
            }
            Ok(target)
        }
        Err(_) if target.is_symlink() => Err(Failure::User(format!(
            "{shown}: a link to what is not there"
        ))),
        Err(_) => std::path::absolute(target).map_err(wrong),
    }
}

/// The lake that a folder is or would be in. What does not belong to a lake, vacuum may remove.
pub fn lake_above(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let mut above = folder.ancestors();
    let there = above.find(|a| a.exists())?.canonicalize().ok()?;
    let lake = there.ancestors().find(|a| a.join("_lake").is_dir())?;
    Some(lake.to_owned())
}

/// Refuses a folder within a lake.
pub fn outside_lakes(shown: &str, folder: &Path) -> Result<(), Failure> {
    match lake_above(folder) {
        None => Ok(()),
        Some(lake) => Err(Failure::User(format!(
            "{shown}: this is within the lake {}, where only the lake's own files may be: name a folder outside of it",
            lake.display()
        ))),
    }
}

/// Whether another file system begins here.
fn is_mount(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| std::fs::metadata(path).ok().map(|m| m.dev());
    match folder.parent() {
        Some(parent) => device(parent) != device(folder),
        None => true,
    }
}

fn parts(shown: &str, target: &Path) -> Result<(PathBuf, String), Failure> {
    match (target.parent(), target.file_name()) {
        (Some(parent), Some(name)) => Ok((parent.to_owned(), name.to_string_lossy().into_owned())),
        _ => Err(Failure::User(format!("{shown}: this names no folder"))),
    }
}

/// `.results.tmp-`; long names cut, so that the whole stays a name of a file.
fn prefix(name: &str) -> String {
    let short: String = name.chars().take(40).collect();
    let cut = match short.len() == name.len() {
        true => String::new(),
        false => format!("-{}", measures::manifest::hash(name.as_bytes())),
    };
    format!(".{short}{cut}.tmp-")
}

/// A new folder beside the target, locked.
fn fresh(parent: &Path, name: &str) -> std::io::Result<(PathBuf, File)> {
    let prefix = prefix(name);
    for attempt in 0..100_u32 {
        // Of the process and chance: not the clock.
        let mut unique = std::hash::RandomState::new().build_hasher();
        unique.write_u32(std::process::id());
        unique.write_u32(attempt);
        let aside = parent.join(format!("{prefix}{:016x}", unique.finish()));
        match std::fs::create_dir(&aside) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => continue,
            made => made?,
        }
        // Another run may sweep it before it is locked: then anew.
        let Ok(lock) = File::open(&aside) else {
            continue;
        };
        match lock.try_lock() {
            // A file system without locks: nothing sweeps there either.
            Err(TryLockError::Error(_)) => return Ok((aside, lock)),
            Ok(()) if aside.is_dir() => return Ok((aside, lock)),
            _ => {}
        }
    }
    Err(std::io::Error::other("no folder could be locked"))
}

/// Removes what killed runs left.
fn sweep(parent: &Path, prefix: &str) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let unique = name.strip_prefix(prefix);
        let hex = |u: &str| u.len() == 16 && u.bytes().all(|b| b.is_ascii_hexdigit());
        if !unique.is_some_and(hex) {
            continue;
        }
        let path = entry.path();
        // One that is complete may be what a run replaced, and somebody may have put a file of his own
        // into it in the last moment: that stays.
        if let Ok(folder) = File::open(&path)
            && folder.try_lock().is_ok()
        {
            // A list that was cut while it was written is of a run that replaced nothing.
            let complete = listed(&path.join(LIST)).is_ok_and(|list| list.is_some());
            if complete && check("", None, &path, &path).is_err() {
                note!(
                    "note: {} was replaced by a run that was killed, and holds more than its run wrote: it stays",
                    path.display()
                );
                continue;
            }
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = vec![];
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// What a list says; `None` where there is no list.
fn listed(list: &Path) -> Result<Option<Manifest>, String> {
    let bytes = match std::fs::read(list) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|e| e.to_string())?,
    };
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|e| format!("not the list of a run of `tandem measure`: {e}"))?;
    Ok(Some(manifest))
}

/// Refuses a folder with anything that is not ours, or that was changed. `shown` and `named` are for the
/// message: the folder may have been moved. What another command than `command` wrote is not ours either.
fn check(shown: &str, command: Option<&str>, folder: &Path, named: &Path) -> Result<(), Failure> {
    let wrong = |e: std::io::Error| Failure::User(format!("{shown}: {e}"));
    let names = match names(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(wrong)?,
    };
    if names.is_empty() {
        return Ok(());
    }
    let list = folder.join(LIST);
    let manifest = match listed(&list) {
        Ok(manifest) => manifest.unwrap_or_default(),
        Err(why) => {
            let list = named.join(LIST);
            let text = format!("{shown}: {}: {why}; give another folder", list.display());
            return Err(Failure::User(text));
        }
    };
    if let (Some(own), Some(other)) = (command, manifest.written_by())
        && own != other
    {
        return Err(Failure::User(format!(
            "{shown}: the folder holds the results of `tandem {other}` (as its {LIST} says), and `tandem {own}` replaces only its own: give another folder, or move that away"
        )));
    }
    let outputs = manifest.outputs;
    let (mut foreign, mut changed) = (vec![], vec![]);
    for name in names {
        let path = folder.join(&name);
        match outputs.get(&name) {
            _ if name == LIST && !outputs.is_empty() => {}
            None => foreign.push(name),
            Some(output) => {
                // A link is not what a run wrote, whatever it points to.
                let own = path.symlink_metadata().is_ok_and(|m| m.is_file());
                if !own || hash_of(&path).ok().as_ref() != Some(output) {
                    changed.push(name);
                }
            }
        }
    }
    if foreign.is_empty() && changed.is_empty() {
        return Ok(());
    }
    if outputs.is_empty() {
        let held = some(&foreign);
        let text = format!(
            "{shown}: the folder holds {held} already: give an empty folder, or one that is not there"
        );
        return Err(Failure::User(text));
    }
    let mut text = format!("{shown}: a run replaces only what an earlier run of its own wrote;");
    for (what, names) in [
        ("is not of the run that its run.json lists", foreign),
        ("was changed since", changed),
    ] {
        if !names.is_empty() {
            text += &format!(" {} {what};", some(&names));
        }
    }
    text += " give another folder, or move that away";
    Err(Failure::User(text))
}

/// Some of many names.
fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Files that are put on the disk one by one; of more of them (a report a patient) all that the file
/// system has is written at once, which takes a fraction of the time.
#[cfg(target_os = "linux")]
const ONE_BY_ONE: usize = 100;

/// Puts what was written on the disk, before it replaces anything.
fn settle(folder: &Path) -> std::io::Result<()> {
    let names = names(folder)?;
    #[cfg(target_os = "linux")]
    if names.len() > ONE_BY_ONE {
        return Ok(rustix::fs::syncfs(File::open(folder)?)?);
    }
    for name in names {
        File::open(folder.join(name))?.sync_all()?;
    }
    sync_folder(folder)
}

/// Two folders did not change places.
struct NotExchanged {
    why: std::io::Error,
    /// Where `b` lies now, if no longer at its place.
    left: Option<PathBuf>,
}

impl From<std::io::Error> for NotExchanged {
    fn from(why: std::io::Error) -> Self {
        NotExchanged { why, left: None }
    }
}

/// Two folders change places: in one step where the system can.
fn exchange(a: &Path, b: &Path) -> Result<(), NotExchanged> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            Err(e) => return Err(std::io::Error::from(e).into()),
            Ok(()) => return Ok(()),
        }
    }
    // Not swept by a later run: until the second step it is the only old state.
    let mut third = a.as_os_str().to_owned();
    third.push(".swap");
    let third = PathBuf::from(third);
    std::fs::rename(b, &third)?;
    if let Err(why) = std::fs::rename(a, b) {
        let left = std::fs::rename(&third, b).err().map(|_| third);
        return Err(NotExchanged { why, left });
    }
    std::fs::rename(&third, a).map_err(|why| NotExchanged {
        why,
        left: Some(third),
    })
}

#[cfg(test)]
#[path = "staged_tests.rs"]
mod tests;
