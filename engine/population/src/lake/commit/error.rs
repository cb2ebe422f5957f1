//! What can go wrong, in four families, each saying where, what, and what instead.

use thiserror::Error;

use crate::lake::plain::{plain, remedy};

/// Whose problem an error is; the edge turns it into an exit code or a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The request cannot be met as it stands: the caller has to ask for something else.
    User,
    /// Another writer was first: run again.
    Conflict,
    /// The store failed (disk, network, permission).
    Store,
    /// A manifest or log cannot be read: damaged, or our bug.
    Corrupt,
}

/// Why a snapshot could not be read, committed, exported or vacuumed. Names files, tables and
/// buckets, never patients.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The folder is empty. A writer may create a lake here.
    #[error("no lake in `{place}`: the folder is empty; import data to create one")]
    NoLake {
        /// Where it would be, see `place`.
        place: String,
    },
    /// There are files, but no snapshot among them.
    #[error(
        "`{place}` is not a lake: it holds other files (`{example}`) but no `_lake/` snapshot; \
         name a lake's own folder, or import into an empty one (an import cut off before its \
         first commit also looks like this)"
    )]
    NotALake {
        /// Where that is, see `place`.
        place: String,
        /// One of the files found, from the root of the store.
        example: String,
    },
    /// The number was never committed.
    #[error("snapshot {number} does not exist: this lake has snapshots up to {newest}")]
    NoSuchSnapshot {
        /// The number asked for.
        number: u64,
        /// The newest number there is.
        newest: u64,
    },
    /// The snapshot existed, but vacuum dropped it.
    #[error(
        "snapshot {number} was vacuumed: its files are gone; run again on the newest, or list the \
         snapshots and choose another (pin those to be kept)"
    )]
    Vacuumed {
        /// The number asked for.
        number: u64,
    },
    /// The manifest was written by a newer engine.
    #[error(
        "`{path}` has lake format {found}, this engine reads up to format {supported}: use a \
         newer engine"
    )]
    NewerFormat {
        /// The manifest, from the root of the store.
        path: String,
        /// The manifest's format.
        found: u32,
        /// [`FORMAT`](super::FORMAT).
        supported: u32,
    },
    /// The lake was made before what this engine relies on.
    #[error(
        "`{path}` has lake format {found}, this engine needs format {supported}: older lakes have no \
         checksums, and of format 1 references within Bundles are not resolved, so that numbers could \
         be wrong; import the files anew, into an empty folder (`tandem export` of the engine that \
         made it gives them back)"
    )]
    OlderFormat {
        /// The manifest, from the root of the store.
        path: String,
        /// The manifest's format.
        found: u32,
        /// [`FORMAT`](super::FORMAT).
        supported: u32,
    },
    /// The change is not one that can be committed.
    #[error("cannot commit: {what}")]
    InvalidChange {
        /// Which table or file, what is wrong, and what is expected.
        what: String,
    },
    /// A table has no Delta schema, or one that Delta cannot express.
    #[error("cannot export table `{table}` to Delta: {what}")]
    NotExportable {
        /// The table.
        table: String,
        /// Which field, what is wrong, and what is expected.
        what: String,
    },
    /// Another writer changed what this one replaces. Nothing was written.
    #[error(
        "another writer committed snapshot {number} first and changed the same data: {}; \
         nothing was committed, run again on the newest snapshot", few(.collisions)
    )]
    Conflict {
        /// The snapshot that was collided with.
        number: u64,
        /// What both changed: buckets, tables or files. Never empty.
        collisions: Vec<String>,
    },
    /// The store refused or failed. After a failed [`commit`](super::commit) look at the newest
    /// snapshot before trying again: the manifest may have landed.
    #[error("cannot {doing} `{path}`: {}; {}", plain(.source.as_ref()), remedy(.source.as_ref()))]
    Store {
        /// What was being done: "read", "write", "list" or "delete".
        doing: &'static str,
        /// The object or folder, from the root of the store.
        path: String,
        /// The store's own error.
        source: Box<object_store::Error>,
    },
    /// An object of ours cannot be understood.
    #[error(
        "`{path}` is damaged or was not written by this engine: {what}; restore it from a copy, \
         or read another snapshot"
    )]
    Corrupt {
        /// The object, from the root of the store.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

impl CommitError {
    /// The family this error belongs to.
    pub fn family(&self) -> Family {
        match self {
            Self::NoLake { .. }
            | Self::NotALake { .. }
            | Self::NoSuchSnapshot { .. }
            | Self::Vacuumed { .. }
            | Self::NewerFormat { .. }
            | Self::OlderFormat { .. }
            | Self::InvalidChange { .. }
            | Self::NotExportable { .. } => Family::User,
            Self::Conflict { .. } => Family::Conflict,
            Self::Store { .. } => Family::Store,
            Self::Corrupt { .. } => Family::Corrupt,
        }
    }

    pub(super) fn store(
        doing: &'static str,
        path: impl ToString,
        source: object_store::Error,
    ) -> Self {
        Self::Store {
            doing,
            path: path.to_string(),
            source: Box::new(source),
        }
    }

    pub(super) fn corrupt(path: impl ToString, what: impl ToString) -> Self {
        Self::Corrupt {
            path: path.to_string(),
            what: what.to_string(),
        }
    }

    pub(super) fn invalid(what: impl Into<String>) -> Self {
        Self::InvalidChange { what: what.into() }
    }
}

/// Where a store is, as a person would name it: the folder, where it is one.
pub(super) fn place(store: &dyn object_store::ObjectStore) -> String {
    let own = store.to_string();
    let url = own
        .strip_prefix("LocalFileSystem(file://")
        .and_then(|u| u.strip_suffix(')'));
    match url {
        Some(url) => percent_decoded(url.trim_end_matches('/')),
        None => "the given place".to_owned(),
    }
}

fn percent_decoded(url: &str) -> String {
    let (mut out, mut rest) = (vec![], url.as_bytes());
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.split_at_checked(2).filter(|_| first == b'%');
        let byte = digits.and_then(|(hex, behind)| {
            let hex = std::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, behind))
        });
        let (byte, behind) = byte.unwrap_or((first, behind));
        out.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn few(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = items.iter().take(SHOWN).map(String::as_str).collect();
    match items.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
