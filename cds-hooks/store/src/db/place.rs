//! Where a database is, and how to connect to it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

use super::failure::told;
use super::sqlite::Sqlite;
use super::{BUSY, Connection};
use crate::StoreError;

/// Statements that are kept prepared, at most: those that go together are one, and differ by how many rows they write.
const PREPARED: usize = 128;

/// Where a store is: a file for SQLite, a URL for PostgreSQL. Shown without user and password.
#[derive(Clone, Debug)]
pub struct Place(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// To write; a file that is not there is made.
    Create,
    /// To write to what is there.
    Write,
    /// To read what is there.
    Read,
}

/// Names a file also after it was moved or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

impl FromStr for Place {
    type Err = StoreError;

    /// `postgres://…` or `postgresql://…`, `sqlite:FILE` or `sqlite://FILE`, or the path of a file. What is none of
    /// these is not quoted in the error: it may hold a password.
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme.map(str::to_ascii_lowercase).as_deref() {
            Some("postgres" | "postgresql") => {
                let options = PgConnectOptions::from_str(text).map_err(told)?;
                let options = options.application_name("tandem");
                let options = options.disable_statement_logging();
                Ok(Place(Kind::Postgres(Box::new(options))))
            }
            None if is_connection(text) => Err(StoreError::Mistake(
                "the address of the store is neither the path of a file nor postgres://USER@HOST/DATABASE (where it is \
                 the path of a file in spite of its `:`, `@` or `=`: sqlite:PATH)"
                    .into(),
            )),
            Some("sqlite") | None => {
                let file = text.strip_prefix("sqlite://");
                let file = file
                    .or_else(|| text.strip_prefix("sqlite:"))
                    .unwrap_or(text);
                match file {
                    "" => Err(StoreError::Mistake(
                        "the store has no address: expected the path of a file, or postgres://…".into(),
                    )),
                    file if file.starts_with(":memory:") => Err(StoreError::Mistake(
                        "a store in memory keeps nothing: expected the path of a file, or postgres://…"
                            .into(),
                    )),
                    file => Ok(Place(Kind::Sqlite(PathBuf::from(file)))),
                }
            }
            Some(other) if !is_connection(other) => Err(StoreError::Mistake(format!(
                "a store cannot be at `{other}://`: expected the path of a file (SQLite), or postgres://…"
            ))),
            Some(_) => Err(StoreError::Mistake(
                "a store cannot be there: expected the path of a file (SQLite), or postgres://…".into(),
            )),
        }
    }
}

/// Whether a text without a scheme was meant to say how to connect to a server: `USER:PASSWORD@HOST/NAME`,
/// `HOST:5432/NAME`, `host=… password=…`. One letter before `:` is a drive of Windows.
fn is_connection(text: &str) -> bool {
    if text.starts_with("sqlite:") {
        return false;
    }
    let first = text.split(['/', '\\']).next().unwrap_or_default();
    let is_pair = first.find(':').is_some_and(|at| at > 1);
    let is_pairs = ["host", "password", "user", "dbname"]
        .iter()
        .any(|name| text.contains(&format!("{name}=")));
    is_pair || is_pairs || text.contains('@')
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(path) => write!(f, "{}", path.display()),
            Kind::Postgres(options) => {
                let host = match options.get_socket() {
                    Some(socket) => socket.display().to_string(),
                    None => options.get_host().to_owned(),
                };
                let database = options.get_database().unwrap_or(options.get_username());
                write!(f, "postgres://{host}:{}/{database}", options.get_port())
            }
        }
    }
}

impl Place {
    /// The file of SQLite.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    /// What the file is at present; none for PostgreSQL, or where there is no file.
    pub(crate) fn file_id(&self) -> Option<FileId> {
        file_id(self.file()?)
    }

    /// A new connection.
    pub(crate) async fn connect(&self, mode: Mode) -> Result<Connection, StoreError> {
        match &self.0 {
            Kind::Sqlite(path) => sqlite(path, mode).await,
            Kind::Postgres(options) => {
                let own = options.connect().await.map_err(told)?;
                let mut connection = Connection::Postgres(own);
                if mode != Mode::Read {
                    connection.script(WRITES).await?;
                }
                Ok(connection)
            }
        }
    }
}

/// How a connection writes to PostgreSQL, whatever is set there now or later.
///
/// Whoever set `synchronous_commit` to off for speed did not mean an audit log. All servers wait for the row
/// at the end of the log: one that is frozen while it holds it (a machine that is suspended, a cable that is
/// cut) must give it back, and none may leave questions behind that wait when nobody waits for them any more.
const WRITES: &str = "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
    WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false); \
    SET idle_in_transaction_session_timeout = '3s'; SET lock_timeout = '1500ms'";

/// Pages of the log (4 KiB each) at which the commit that made it so long takes it over into the file. The
/// writer sees to it long before, where its caller need not wait for it: should that not go, the log still ends.
const LONGEST_LOG: &str = "32768";

async fn sqlite(path: &Path, mode: Mode) -> Result<Connection, StoreError> {
    if mode != Mode::Create && !path.exists() {
        let path = path.display();
        return Err(match mode {
            // A server had one.
            Mode::Write => StoreError::Unavailable(format!(
                "the file of the store is gone: {path}. Put it back, or start the server again, which makes a new one"
            )),
            Mode::Create | Mode::Read => StoreError::Mistake(format!(
                "there is no store at {path}: the server makes it when it first starts, where `url` of [store] says"
            )),
        });
    }
    if mode == Mode::Create
        && let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(StoreError::Mistake(format!(
            "the store {} cannot be made: there is no folder {}",
            path.display(),
            folder.display()
        )));
    }
    if mode == Mode::Create {
        make_private(path);
    }
    // A commit is on the disk before it is acknowledged, also if the power fails (FULL). The journal mode is set
    // once it is known that the file is ours.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(mode == Mode::Create)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .statement_cache_capacity(PREPARED)
        .disable_statement_logging();
    let options = match mode {
        Mode::Read => options.pragma("query_only", "1"),
        Mode::Create | Mode::Write => options.pragma("wal_autocheckpoint", LONGEST_LOG),
    };
    let own = options.connect().await.map_err(told)?;
    Ok(Connection::Sqlite(Box::new(Sqlite::new(own))))
}

/// Makes the file where there is none, for its owner alone: it names patients. (SQLite gives the files beside
/// it the same rights.) What goes wrong is told by SQLite, which opens it next.
#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let _ = options.write(true).create_new(true).mode(0o600).open(path);
}

#[cfg(not(unix))]
fn make_private(_path: &Path) {}

#[cfg(unix)]
fn file_id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some(FileId(metadata.dev(), metadata.ino()))
}

/// Where files cannot be told apart, whether there is one.
#[cfg(not(unix))]
fn file_id(path: &Path) -> Option<FileId> {
    path.exists().then_some(FileId(0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let place: Place = "postgres://nurse:hunter2@db.example:5433/cds"
            .parse()
            .unwrap();
        assert_eq!(place.to_string(), "postgres://db.example:5433/cds");
        assert_eq!("a/b.db".parse::<Place>().unwrap().to_string(), "a/b.db");
        let place: Place = "sqlite://a/b.db".parse().unwrap();
        assert_eq!(place.file(), Some(Path::new("a/b.db")));
        for path in ["C:\\data\\tandem.db", "a/b:c.db", "./x:y.db"] {
            assert_eq!(path.parse::<Place>().unwrap().to_string(), path);
        }
        let place: Place = "sqlite:a@b:c.db".parse().unwrap();
        assert_eq!(place.to_string(), "a@b:c.db");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (text, told) in [
            ("", "no address"),
            (":memory:", "keeps nothing"),
            ("sqlite::memory:", "keeps nothing"),
            ("mysql://x/y", "`mysql://`"),
            ("postgres://[", "expected postgres://"),
            ("tandem:hunter2@host/db", "neither the path"),
            ("tandem@host/hunter2", "neither the path"),
            ("postgres:tandem:hunter2@host/db", "neither the path"),
            ("db.example:5432/hunter2", "neither the path"),
            ("host=db password=hunter2", "neither the path"),
            ("tandem:hunter2@x://host", "cannot be there"),
        ] {
            let error = text.parse::<Place>().unwrap_err();
            assert!(matches!(error, StoreError::Mistake(_)), "{text}");
            assert!(error.to_string().contains(told), "{text}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
