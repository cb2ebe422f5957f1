//! Why a release cannot be imported.

use std::io;
use std::path::PathBuf;

/// An import that gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum RxNormError {
    /// A file that must be there is not.
    #[error(
        "`{}` is missing; give the folder of an RxNorm release that holds RXNCONSO.RRF and RXNREL.RRF (usually `rrf`)",
        .path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The first line of a file is not what the file should hold.
    #[error("`{}` line {line}: {reason}; is it an unpacked RRF file of RxNorm?", .path.display())]
    NotRrf {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file without RxNorm concepts.
    #[error(
        "`{}` holds no active concept of source RXNORM in {lines} lines; give a release from NLM, not a subset of another source",
        .path.display()
    )]
    NoConcepts {
        /// The file.
        path: PathBuf,
        /// Lines read.
        lines: u64,
    },
    /// Reading or writing failed.
    #[error("`{}`: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Concepts that do not fit together; a defect of the importer.
    #[error("cannot build the drug dictionary: {0}")]
    Build(String),
}
