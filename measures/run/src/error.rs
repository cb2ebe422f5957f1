//! Why a job was not done.

use datafusion::error::DataFusionError;
use engine_patient::finding::{Blame, Finding, blame, count, listed};
use engine_population::lake::commit::{CommitError, Family};
use engine_population::lake::{LakeError, lake_error};

/// Three families: whoever asked can mend the first, nobody the second today, and we the third.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunError {
    /// The user's mistake.
    User(String),
    /// Not supported.
    Unsupported(String),
    /// Our bug, or the machine failed: reading, writing.
    Internal(String),
}

impl RunError {
    /// By whose turn it is; where nobody has been blamed it is the user's.
    pub fn blamed(blame: Option<Blame>, text: String) -> Self {
        match blame {
            Some(Blame::User) | None => Self::User(text),
            Some(Blame::Unsupported) => Self::Unsupported(text),
            Some(Blame::Bug) => Self::Internal(text),
        }
    }

    /// All that was found, and how much it is.
    pub fn found(findings: &[Finding]) -> Self {
        let text = format!("{}\n\n{}", listed(findings), count(findings));
        Self::blamed(blame(findings), text)
    }

    /// With what else is wrong; it stays of its family.
    pub(crate) fn and(mut self, other: &RunError) -> Self {
        let (Self::User(text) | Self::Unsupported(text) | Self::Internal(text)) = &mut self;
        text.push_str(&format!("\n{other}"));
        self
    }

    pub(crate) fn unwritten(e: std::io::Error) -> Self {
        RunError::Internal(format!("the results cannot be written: {e}"))
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(text) | Self::Unsupported(text) | Self::Internal(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for RunError {}

impl From<DataFusionError> for RunError {
    fn from(e: DataFusionError) -> Self {
        match lake_error(&e) {
            Some(own) => own.into(),
            None => Self::Internal(e.strip_backtrace()),
        }
    }
}

impl From<LakeError> for RunError {
    fn from(e: LakeError) -> Self {
        (&e).into()
    }
}

impl From<&LakeError> for RunError {
    fn from(e: &LakeError) -> Self {
        let text = e.to_string();
        match e {
            LakeError::User(_) | LakeError::Vacuumed(_) => Self::User(text),
            LakeError::Unsupported(_) => Self::Unsupported(text),
            LakeError::Commit(e) => e.into(),
            LakeError::Store(_) | LakeError::Data(_) | LakeError::Bug(_) => Self::Internal(text),
        }
    }
}

impl From<CommitError> for RunError {
    fn from(e: CommitError) -> Self {
        (&e).into()
    }
}

impl From<&CommitError> for RunError {
    fn from(e: &CommitError) -> Self {
        let text = e.to_string();
        match e.family() {
            Family::User | Family::Conflict => Self::User(text),
            Family::Store | Family::Corrupt => Self::Internal(text),
        }
    }
}

impl From<parquet::errors::ParquetError> for RunError {
    fn from(e: parquet::errors::ParquetError) -> Self {
        Self::Internal(format!("the result rows cannot be written: {e}"))
    }
}

impl From<csv::Error> for RunError {
    fn from(e: csv::Error) -> Self {
        Self::Internal(format!("the results cannot be written: {e}"))
    }
}

impl From<std::io::Error> for RunError {
    fn from(e: std::io::Error) -> Self {
        Self::unwritten(e)
    }
}

impl From<measures::error::MeasureError> for RunError {
    fn from(e: measures::error::MeasureError) -> Self {
        use measures::error::MeasureError;
        match e {
            MeasureError::User(text) => Self::User(text),
            MeasureError::Unsupported(text) => Self::Unsupported(text),
            MeasureError::Internal(text) => Self::Internal(text),
        }
    }
}

impl From<measures::subject::Foreign> for RunError {
    fn from(e: measures::subject::Foreign) -> Self {
        Self::Internal(e.to_string())
    }
}

impl From<engine_patient::program::EvaluationError> for RunError {
    fn from(e: engine_patient::program::EvaluationError) -> Self {
        Self::Internal(e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with the lake is whose it is, also where a query came upon it.
    #[test]
    fn a_lake_error_is_the_same_through_a_query() {
        let unsupported = || LakeError::Unsupported("a newer format".into());
        let through = DataFusionError::External(Box::new(unsupported()));
        assert_eq!(RunError::from(through), unsupported().into());
        assert!(matches!(unsupported().into(), RunError::Unsupported(_)));
        let no_lake = || LakeError::Commit(CommitError::NoLake { place: "x".into() });
        let through = DataFusionError::External(Box::new(no_lake()));
        assert!(matches!(RunError::from(through), RunError::User(_)));
    }
}
