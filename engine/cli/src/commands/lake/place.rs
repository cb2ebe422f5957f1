//! Which lake a command is about: `--lake LAKE`, as with every other command, or its folder alone.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;

/// The folder of a lake.
#[derive(Args)]
pub struct Place {
    /// Folder of the lake; without --lake.
    #[arg(value_name = "LAKE")]
    folder: Option<PathBuf>,
    /// Folder of the lake.
    #[arg(long, value_name = "LAKE")]
    lake: Option<PathBuf>,
}

impl Place {
    /// The one that is given, once. `command` is what was asked: `lake info`.
    pub fn folder(&self, command: &str) -> Result<&Path, Failure> {
        match (&self.folder, &self.lake) {
            (Some(folder), None) | (None, Some(folder)) => Ok(folder),
            (Some(folder), Some(lake)) => Err(Failure::User(format!(
                "two lakes are given, {} and --lake {}: name one, as in `tandem {command} --lake {}`",
                folder.display(),
                lake.display(),
                lake.display()
            ))),
            (None, None) => Err(Failure::User(format!(
                "which lake? Name its folder: `tandem {command} --lake LAKE`"
            ))),
        }
    }
}
