//! A folder in which the lines of a read-me are typed: the repository's folders lie in it, and `tandem`
//! is on the path.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::document::root;
use crate::support::{file, folder};

pub struct Scratch {
    folder: tempfile::TempDir,
    /// The `export` lines so far: each command has a shell of its own.
    exports: Vec<String>,
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    /// What it printed, in the order in which a terminal would show it.
    pub printed: String,
}

impl Scratch {
    pub fn new() -> Scratch {
        let folder = folder();
        for name in ["bin", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let link = |from: &Path, to: PathBuf| std::os::unix::fs::symlink(from, to).unwrap();
        link(Path::new(crate::tandem()), folder.path().join("bin/tandem"));
        for name in [
            "cds-hooks",
            "datasets",
            "engine",
            "measures",
            "rules",
            "tests",
        ] {
            link(&root().join(name), folder.path().join(name));
        }
        Scratch {
            folder,
            exports: vec![],
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, path: &str, text: &str) {
        let inside = Path::new(path).components();
        let mut inside = inside.map(|c| matches!(c, std::path::Component::Normal(_)));
        assert!(inside.all(|normal| normal), "{path}");
        file(self.folder().join(path), text);
    }

    /// A shell in the folder, that has yet to be started.
    pub fn shell(&self, command: &str) -> Command {
        let mut script = self.exports.join("\n");
        script.push('\n');
        script.push_str(command);
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = self.folder().join("bin");
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &script])
            .current_dir(self.folder())
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("TMPDIR", self.folder().join("tmp"))
            // As wide as where nobody says.
            .env_remove("COLUMNS");
        shell
    }

    /// Runs a command to its end.
    pub fn run(&mut self, command: &str) -> Ended {
        if command.starts_with("export ") {
            self.exports.push(command.to_owned());
        }
        let log = self.folder().join("command.log");
        let file = std::fs::File::create(&log).unwrap();
        let status = self
            .shell(command)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .status()
            .unwrap();
        let printed = std::fs::read(&log).unwrap();
        Ended {
            code: status.code().unwrap_or(-1),
            printed: String::from_utf8_lossy(&printed).into_owned(),
        }
    }
}
