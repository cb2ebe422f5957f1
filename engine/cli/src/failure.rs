//! How a command fails: the user's mistake, not supported, our bug. One exit code each.

use std::process::ExitCode;

use datasets::export::ExportError;
use datasets::import::ImportError;
use engine_patient::finding::{Blame, Finding, blame, count, listed};
use engine_population::lake::LakeError;
use engine_population::lake::commit::CommitError;

/// A failed command.
#[derive(Debug)]
pub enum Failure {
    /// Done, and the answer is no.
    No(String),
    /// The user's mistake.
    User(String),
    /// Not supported.
    Unsupported(String),
    /// Our bug, or the machine failed.
    Internal(String),
}

/// What a command gives back.
pub type Done = Result<ExitCode, Failure>;

/// Where more is said of a code.
pub const MORE: &str = "`tandem explain CODE` says more about a code";

impl Failure {
    /// By whose turn it is; where nobody has been blamed it is the user's.
    pub fn blamed(blame: Option<Blame>, text: String) -> Failure {
        match blame {
            Some(Blame::User) | None => Failure::User(text),
            Some(Blame::Unsupported) => Failure::Unsupported(text),
            Some(Blame::Bug) => Failure::Internal(text),
        }
    }

    /// All that was found, and how much it is.
    pub fn of(findings: &[Finding]) -> Failure {
        let text = format!("{}\n\n{}; {MORE}", listed(findings), count(findings));
        Failure::blamed(blame(findings), text)
    }

    /// Prints it and gives the exit code.
    pub fn tell(self) -> ExitCode {
        let (text, code) = match self {
            Failure::No(text) => (text, 1),
            Failure::User(text) => (text, 2),
            Failure::Unsupported(text) => (text, 3),
            Failure::Internal(text) => (text, 4),
        };
        if !text.is_empty() {
            // Findings say themselves what they are.
            let own = ["error", "not supported[", "bug[", "warning["];
            let prefix = match own.iter().any(|own| text.starts_with(own)) {
                true => "",
                false => "error: ",
            };
            note!("{prefix}{text}");
        }
        ExitCode::from(code)
    }
}

impl From<csv::Error> for Failure {
    fn from(e: csv::Error) -> Self {
        Failure::Internal(format!("the results cannot be written: {e}"))
    }
}

impl From<LakeError> for Failure {
    fn from(e: LakeError) -> Self {
        let text = e.to_string();
        match e {
            LakeError::User(_) | LakeError::Vacuumed(_) => Failure::User(text),
            LakeError::Unsupported(_) => Failure::Unsupported(text),
            LakeError::Commit(e) => e.into(),
            LakeError::Store(_) | LakeError::Data(_) | LakeError::Bug(_) => Failure::Internal(text),
        }
    }
}

impl From<CommitError> for Failure {
    fn from(e: CommitError) -> Self {
        use engine_population::lake::commit::Family;
        let text = e.to_string();
        match e.family() {
            Family::User | Family::Conflict => Failure::User(text),
            Family::Store | Family::Corrupt => Failure::Internal(text),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(e: ImportError) -> Self {
        let text = e.to_string();
        match e {
            ImportError::Lake(e) => e.into(),
            ImportError::User(_) => Failure::User(text),
            ImportError::Rejected(_) => Failure::No(text),
            ImportError::Collision(_) => Failure::Unsupported(text),
            ImportError::Io(..)
            | ImportError::Unsure(_)
            | ImportError::ScratchGone
            | ImportError::Bug(_) => Failure::Internal(text),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(e: ExportError) -> Self {
        let text = e.to_string();
        match e {
            ExportError::User(_) => Failure::User(text),
            ExportError::Lake(e) => e.into(),
            ExportError::Io(..) => Failure::Internal(text),
        }
    }
}
