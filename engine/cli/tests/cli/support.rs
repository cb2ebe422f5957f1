//! Running `tandem`, and looking at what it made.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Stands for patient data in broken input: no command may repeat it.
pub const SECRET: &str = "SECRETNAME";

/// A command that ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 for a signal.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Output and errors together.
    pub fn text(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Fails unless it succeeded.
    #[track_caller]
    pub fn ok(self) -> Ran {
        assert_eq!(self.code, 0, "failed:\n{}", self.text());
        self
    }

    /// Fails unless it ended with this code, saying all of this.
    #[track_caller]
    pub fn fails(self, code: i32, says: &[&str]) -> Ran {
        assert_eq!(self.code, code, "another exit code:\n{}", self.text());
        for part in says {
            assert!(
                self.err.contains(part),
                "stderr lacks `{part}`:\n{}",
                self.text()
            );
        }
        self
    }
}

/// Runs `tandem`. Whatever it is asked, it neither panics nor repeats patient data.
#[track_caller]
pub fn run(args: &[&OsStr]) -> Ran {
    let done = Command::new(crate::tandem())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    checked(&done, args)
}

#[track_caller]
pub fn checked(done: &Output, args: &[&OsStr]) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    let ran = Ran {
        code: done.status.code().unwrap_or(-1),
        out,
        err,
    };
    let text = ran.text();
    assert!(
        !text.contains("panicked") && ran.code >= 0 && ran.code != 101,
        "{args:?} crashed ({}):\n{text}",
        done.status
    );
    assert!(!text.contains(SECRET), "{args:?} repeats data:\n{text}");
    ran
}

/// `tandem!("import", &path, "--lake", &lake)`
macro_rules! tandem {
    ($($arg:expr),+ $(,)?) => { $crate::support::run(&[$(std::ffi::OsStr::new($arg)),+]) };
}

/// A folder of its own for a test.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Writes a file, and the folders above it; gives its path.
pub fn file(path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
    let path = path.as_ref().to_owned();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// Imports, and gives the report after checking that its columns add up.
#[track_caller]
pub fn import(lake: &Path, paths: &[&Path]) -> Value {
    import_with(lake, paths, &[])
}

#[track_caller]
pub fn import_with(lake: &Path, paths: &[&Path], options: &[&str]) -> Value {
    let mut args = vec![OsStr::new("import")];
    args.extend(paths.iter().map(|p| p.as_os_str()));
    args.extend([
        OsStr::new("--lake"),
        lake.as_os_str(),
        OsStr::new("--format"),
        OsStr::new("json"),
    ]);
    args.extend(options.iter().map(OsStr::new));
    let report: Value = serde_json::from_str(&run(&args).ok().out).unwrap();
    adds_up(&report);
    report
}

const COLUMNS: [&str; 6] = [
    "stored",
    "unchanged",
    "replaced",
    "outdated",
    "deleted",
    "rejected",
];

/// `read` is the sum of the other columns, for each type; and the total is the sum of the types.
#[track_caller]
pub fn adds_up(report: &Value) {
    let types = report["types"].as_object().unwrap();
    for (ty, tally) in types.iter().chain([(&"all".to_owned(), &report["total"])]) {
        let sum: u64 = COLUMNS.iter().map(|c| tally[c].as_u64().unwrap()).sum();
        assert_eq!(tally["read"].as_u64().unwrap(), sum, "{ty}: {tally}");
    }
    for column in COLUMNS.iter().chain(&["read"]) {
        let sum: u64 = types.values().map(|t| t[column].as_u64().unwrap()).sum();
        assert_eq!(
            report["total"][column].as_u64().unwrap(),
            sum,
            "{column}: {report:#}"
        );
    }
}

/// A column of the total.
#[track_caller]
pub fn total(report: &Value, column: &str) -> u64 {
    report["total"][column].as_u64().unwrap()
}

/// Exports the newest snapshot, and gives all its lines, sorted.
#[track_caller]
pub fn exported(lake: &Path) -> Vec<String> {
    let out = folder();
    tandem!("export", "--lake", lake, "--out", out.path()).ok();
    lines(out.path())
}

/// All lines of a folder's files, sorted.
pub fn lines(folder: &Path) -> Vec<String> {
    let mut lines: Vec<String> = files(folder)
        .iter()
        .flat_map(|f| {
            fs::read_to_string(folder.join(f))
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// Fails, showing the first difference only, unless two sorted lists of lines are the same.
#[track_caller]
pub fn same_lines(got: &[String], wanted: &[String]) {
    let differ = got.iter().zip(wanted).find(|(g, w)| g != w);
    assert!(
        got.len() == wanted.len() && differ.is_none(),
        "{} lines, {} wanted; first difference: {differ:#?}",
        got.len(),
        wanted.len()
    );
}

/// The files below a folder, relative to it, with `/` between.
pub fn files(folder: &Path) -> BTreeSet<String> {
    fn collect(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                collect(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(folder, "", &mut found);
    found
}

/// The newest manifest of a lake, and its number; `None` when it has none.
pub fn newest_manifest(lake: &Path) -> Option<(u64, Value)> {
    let folder = lake.join("_lake");
    let names = if folder.is_dir() {
        files(&folder)
    } else {
        BTreeSet::new()
    };
    let numbers = names
        .iter()
        .filter_map(|n| n.strip_suffix(".json")?.parse::<u64>().ok());
    let newest = numbers.max()?;
    let text = fs::read(folder.join(format!("{newest:020}.json"))).unwrap();
    Some((newest, serde_json::from_slice(&text).unwrap()))
}

/// The data files that the newest snapshot lists, relative to the lake.
pub fn listed_files(lake: &Path) -> BTreeSet<String> {
    let (_, manifest) = newest_manifest(lake).unwrap();
    let tables = manifest["tables"].as_object().unwrap().iter();
    let files = tables.flat_map(|(name, table)| {
        let files = table["files"].as_array().unwrap().iter();
        files.map(move |f| format!("{name}/{}", f["path"].as_str().unwrap()))
    });
    files.collect()
}

/// The data files on disk: everything but manifests, Delta logs, rejects and scratch.
pub fn data_files(lake: &Path) -> BTreeSet<String> {
    let own = |path: &str| path.split('/').any(|part| part.starts_with('_'));
    files(lake).into_iter().filter(|f| !own(f)).collect()
}

/// Vacuums all but the newest snapshot and pinned ones, however young the files.
#[track_caller]
pub fn vacuum(lake: &Path) -> Ran {
    let age = ["--keep", "1", "--min-age-hours", "0"];
    let mut args = vec![OsStr::new("lake"), OsStr::new("vacuum"), lake.as_os_str()];
    args.extend(age.map(OsStr::new));
    run(&args)
}

/// `tandem lake info` without its first line (time) : table, files, rows, size.
#[track_caller]
pub fn tables(lake: &Path) -> Vec<String> {
    let info = tandem!("lake", "info", lake).ok();
    info.out.lines().skip(1).map(str::to_owned).collect()
}

/// A synthetic population in `<folder>/<name>`.
#[track_caller]
pub fn synth(folder: &Path, name: &str, patients: u32, options: &[&str]) -> PathBuf {
    let out = folder.join(name);
    let patients = patients.to_string();
    let mut args = vec![
        "synth",
        "--patients",
        &patients,
        "--out",
        out.to_str().unwrap(),
    ];
    args.extend(options);
    run(&args.iter().map(OsStr::new).collect::<Vec<_>>()).ok();
    out
}

/// The resources of these lines as JSON, in the order of type and id.
#[track_caller]
pub fn resources<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> Vec<Value> {
    let parsed = lines
        .into_iter()
        .map(|line| serde_json::from_str(line.as_ref()).unwrap());
    sorted(parsed.collect())
}

/// Resources in the order of type and id.
pub fn sorted(mut resources: Vec<Value>) -> Vec<Value> {
    resources.sort_by_key(|r| (r["resourceType"].to_string(), r["id"].to_string()));
    resources
}

/// The given folder of the shared material, from `TANDEM_SHARED` or beside the repository.
/// `None`, with a word, where it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TANDEM_SHARED").map(PathBuf::from);
    let root =
        root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let found = root.join(path);
    if !found.exists() {
        println!("skipped: {} is not there", found.display());
        return None;
    }
    Some(found)
}

/// The lines of a file, sorted.
pub fn lines_of(file: &Path) -> Vec<String> {
    let mut lines: Vec<String> = fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort_unstable();
    lines
}

/// A Patient on a line of its own; `more` stands before the closing brace.
pub fn patient(id: &str, more: &str) -> String {
    format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"{more}}}\n")
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) {
    for name in files(from) {
        file(to.join(&name), fs::read(from.join(&name)).unwrap());
    }
}

/// Fails, with the names of the files, unless two folders hold the same.
#[track_caller]
pub fn same_folders(got: &Path, wanted: &Path) {
    assert_eq!(files(got), files(wanted), "other files");
    let differ = |n: &&String| fs::read(got.join(n)).unwrap() != fs::read(wanted.join(n)).unwrap();
    let names = files(wanted);
    let differing: Vec<_> = names.iter().filter(differ).collect();
    assert!(differing.is_empty(), "other bytes: {differing:?}");
}
