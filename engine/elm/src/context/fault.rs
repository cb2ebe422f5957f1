//! What an evaluation must stop for.

use engine_patient::program::EvaluationError;

use crate::values::value::Val;

/// What an evaluation must stop for. Never holds patient data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// More work, depth or memory than a patient may take.
    Budget(&'static str),
    /// The logic raised an error: a strict cast that fails, `singleton from` several. (A `Message` of
    /// severity Error stops nothing: it is a doubt, `run/expression.rs`.)
    Raised(String),
    /// The compiled tree is not what the compiler promises: a mistake of ours, whatever the library.
    Bug(Box<Bug>),
}

/// A promise of the compiler that was not kept, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bug {
    pub what: &'static str,
    /// Library, clause and ELM node, as far as they are known.
    pub clause: Option<String>,
}

impl Fault {
    /// A broken promise of the compiler.
    #[cold]
    pub fn bug(what: &'static str) -> Fault {
        Fault::Bug(Box::new(Bug { what, clause: None }))
    }

    /// Whether it must reach the top even where the value itself decides nothing.
    pub fn is_bug(&self) -> bool {
        matches!(self, Fault::Bug(_))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Budget(what) => write!(f, "stopped: {what}"),
            Fault::Raised(text) => f.write_str(text),
            Fault::Bug(bug) => {
                write!(f, "a mistake in tandem: {}", bug.what)?;
                match &bug.clause {
                    Some(clause) => write!(f, " ({clause})"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl From<Fault> for EvaluationError {
    fn from(fault: Fault) -> Self {
        let text = fault.to_string();
        match fault {
            Fault::Budget(_) => EvaluationError::Budget(text),
            Fault::Raised(_) => EvaluationError::Raised(text),
            Fault::Bug(_) => EvaluationError::Bug(text),
        }
    }
}

/// What every operator gives.
pub type Out<'a> = Result<Val<'a>, Fault>;
