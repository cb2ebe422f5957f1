//! Why an import did not happen.

use std::fmt;
use std::path::PathBuf;

use engine_population::lake::LakeError;
use engine_population::lake::commit::CommitError;
use engine_population::lake::plain::plain;

use super::report::ImportReport;

/// Why an import did not happen.
#[derive(Debug)]
pub enum ImportError {
    /// The user's mistake.
    User(String),
    /// `--strict`, and there were rejects.
    Rejected(Box<ImportReport>),
    /// The lake.
    Lake(LakeError),
    /// Reading or writing files.
    Io(PathBuf, std::io::Error),
    /// Two codes with one hash: see `codes`.
    Collision(String),
    /// The scratch folder was taken away while the import ran.
    ScratchGone,
    /// The commit failed, and whether it landed could not be told: the error.
    Unsure(Box<ImportError>),
    /// Our bug.
    Bug(String),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(text) => f.write_str(text),
            Self::Rejected(report) => write!(
                f,
                "{} of {} resources were rejected: with --strict nothing was imported. See {}",
                report.total.rejected,
                report.total.read,
                report
                    .rejects_file
                    .as_ref()
                    .map_or(String::new(), |p| p.display().to_string()),
            ),
            Self::Lake(e) => write!(f, "{e}"),
            Self::Io(path, e) => write!(f, "{}: {}", path.display(), plain(e)),
            Self::Unsure(why) => write!(
                f,
                "{why}. Whether the import landed could not be told: look with `tandem lake snapshots`; importing the same files again changes nothing where it did"
            ),
            Self::ScratchGone => f.write_str(
                "the import's scratch folder in `_tmp/` of the lake was removed while it ran: nothing was committed, the lake is unchanged. Run it again",
            ),
            Self::Collision(codes) => {
                write!(
                    f,
                    "two codes have the same 64-bit hash, which Tandem does not support: {codes}. Please report it"
                )
            }
            Self::Bug(text) => write!(f, "this is a bug in Tandem, please report it: {text}"),
        }
    }
}

impl std::error::Error for ImportError {}

impl From<LakeError> for ImportError {
    fn from(e: LakeError) -> Self {
        Self::Lake(e)
    }
}

impl From<CommitError> for ImportError {
    fn from(e: CommitError) -> Self {
        Self::Lake(e.into())
    }
}
