//! The file that is read: its text, where it is, what it may refer to, and what is found wrong with it.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::settings::problem::{Problem, Problems};

/// What a settings file may refer to outside itself. An argument, so that tests need neither files nor
/// an environment.
pub trait Surroundings {
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// A small file, such as a key.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn file(&self, path: &Path) -> io::Result<Vec<u8>>;
}

/// The machine that this runs on.
pub struct Machine;

/// Nothing that settings refer to as a secret is larger.
const LARGEST: u64 = 1 << 20;

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        use std::io::Read as _;
        let mut bytes = vec![];
        let file = std::fs::File::open(path)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > LARGEST {
            true => Err(io::Error::other("is larger than 1 MiB")),
            false => Ok(bytes),
        }
    }
}

/// The machine that this runs on, for whoever needs no secret: in the place of one that is not here stands a text
/// that opens nothing.
pub(crate) struct WithoutSecrets;

/// Long enough for a key, and the path of a file that nobody has.
const NO_SECRET: &str = "not-needed-by-this-command";

impl Surroundings for WithoutSecrets {
    fn variable(&self, name: &str) -> Option<String> {
        let found = Machine.variable(name);
        Some(found.unwrap_or_else(|| NO_SECRET.to_owned()))
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(Machine.file(path).unwrap_or_else(|_| NO_SECRET.into()))
    }
}

/// One settings file while it is read.
pub(crate) struct File<'t> {
    text: &'t str,
    folder: PathBuf,
    pub(crate) around: &'t dyn Surroundings,
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'t> File<'t> {
    pub(crate) fn new(text: &'t str, path: &Path, around: &'t dyn Surroundings) -> Self {
        File {
            text,
            folder: path.parent().map(Path::to_owned).unwrap_or_default(),
            around,
            problems: RefCell::default(),
        }
    }

    /// A path, from the folder of the file where it is relative.
    pub(crate) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    /// Something is wrong at these bytes.
    pub(crate) fn wrong(&self, at: Range<usize>, message: String, help: Option<String>) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).map_or(0, |l| l.chars().count()) + 1;
        let problem = Problem {
            line,
            column,
            message,
            help,
        };
        self.problems.borrow_mut().push((at.start, problem));
    }

    pub(crate) fn is_fine(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// All that was found, in the order of the file.
    pub(crate) fn problems(self, name: &str) -> Option<Problems> {
        let mut list = self.problems.into_inner();
        list.sort_by_key(|(at, _)| *at);
        let mut list: Vec<Problem> = list.into_iter().map(|(_, problem)| problem).collect();
        list.dedup();
        (!list.is_empty()).then(|| Problems {
            file: name.to_owned(),
            list,
        })
    }
}
