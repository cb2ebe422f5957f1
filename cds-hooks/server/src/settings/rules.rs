//! `[rules]`, `[shadow]`, `[reload]`, `[[tenant]]`: what is served, to whom, and when it is read again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::read::table::Table;
use super::read::values;

/// Which rules and measures are served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Rules of the user's, as files or folders.
    pub paths: Vec<PathBuf>,
    /// Whether the built-in ones are served, too.
    pub built_in: bool,
    /// Whether drafts are.
    pub drafts: bool,
    /// Value sets and bindings, as files or folders.
    pub terminology: Vec<PathBuf>,
    /// Drugs beside the built-in ones.
    pub drugs: Vec<PathBuf>,
    /// Official measures, as files or folders.
    pub packages: Vec<PathBuf>,
    /// Only these of them; all where it is empty.
    pub measures: Vec<String>,
    /// Which way is better, over what a measure says: `CMS122FHIR=lower`.
    pub better: Vec<String>,
    /// Whether missing value sets of measures are passed over.
    pub allow_missing_value_sets: bool,
    /// Whether one service that cannot be served keeps all from being.
    pub strict: bool,
    /// One service for each hook and set of rules, or one for each rule.
    pub group_by: GroupBy,
    /// Candidates: evaluated on live calls, counted, compared, never shown.
    pub shadow: Vec<PathBuf>,
}

/// What the rules of a folder share.
const LIBRARY: &str = "library.yaml";

/// So many folders above a path are looked at for it: as many as those who read rules look at, or more.
const ABOVE: usize = 4;

/// The tables beside the file of a rule: `.csv`, perhaps packed.
fn tables_beside(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_table = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_lowercase();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
        name.ends_with(".csv")
    };
    entries.map(|entry| entry.path()).filter(is_table).collect()
}

/// What is one service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupBy {
    /// A hook and a set of rules (the built-in ones, or those of the user).
    Set,
    /// A rule at a hook.
    Rule,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            paths: vec![],
            built_in: true,
            drafts: false,
            terminology: vec![],
            drugs: vec![],
            packages: vec![],
            measures: vec![],
            better: vec![],
            allow_missing_value_sets: false,
            strict: false,
            group_by: GroupBy::Set,
            shadow: vec![],
        }
    }
}

impl Rules {
    /// Of `[rules]`, and of `[tenant.rules]`, which has the same names.
    pub(super) fn read(table: Table<'_>) -> Self {
        let rules = Rules {
            paths: table.paths("paths"),
            built_in: table.boolean("built_in", true),
            drafts: table.boolean("drafts", false),
            terminology: table.paths("terminology"),
            drugs: table.paths("drugs"),
            packages: table.paths("packages"),
            measures: table.list("measures", values::some_text),
            better: table.list("better", values::some_text),
            allow_missing_value_sets: table.boolean("allow_missing_value_sets", false),
            strict: table.boolean("strict", false),
            group_by: table.word(
                "group_by",
                GroupBy::Set,
                &[("set", GroupBy::Set), ("rule", GroupBy::Rule)],
            ),
            shadow: table.paths("shadow"),
        };
        if rules.packages.is_empty() && table.has("measures") {
            table.wrong(
                "measures",
                "chooses among the measures of packages, and there are none",
                Some("name them in `packages`".to_owned()),
            );
        }
        if !rules.built_in && rules.paths.is_empty() && rules.packages.is_empty() {
            table.wrong("built_in", "without the built-in rules, and without `paths` or `packages`, there is nothing to serve", None);
        }
        table.done();
        rules
    }

    /// All files and folders that are read: what is watched for changes. With the library that the rules of a
    /// path share, which may lie in a folder above it, and with the tables beside a rule that is named as a
    /// file. Some of them may not be there (yet).
    pub fn read_from(&self) -> Vec<PathBuf> {
        let lists = [
            &self.paths,
            &self.terminology,
            &self.drugs,
            &self.packages,
            &self.shadow,
        ];
        let mut all: Vec<PathBuf> = lists.into_iter().flatten().cloned().collect();
        for path in self.paths.iter().chain(&self.shadow) {
            all.extend(
                path.ancestors()
                    .skip(1)
                    .take(ABOVE)
                    .map(|f| f.join(LIBRARY)),
            );
            if path.is_file() {
                all.extend(tables_beside(path));
            }
        }
        all
    }

    /// What is read as terminology: value sets, bindings, drugs.
    pub fn terminology_paths(&self) -> Vec<PathBuf> {
        let all = self.terminology.iter().chain(&self.drugs);
        all.cloned().collect()
    }
}

/// When what is served is read again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reload {
    /// Whether files are watched. SIGHUP and `POST /admin/reload` read them again in any case.
    pub watch: bool,
    /// How often they are looked at.
    pub every: Duration,
    /// How long nothing may have changed before they are read: an editor or a copy is done by then.
    pub settle: Duration,
}

impl Default for Reload {
    fn default() -> Self {
        Reload {
            watch: true,
            every: Duration::from_secs(5),
            settle: Duration::from_secs(1),
        }
    }
}

impl Reload {
    pub(super) fn read(table: Table<'_>) -> Self {
        let usual = Reload::default();
        let (least, most) = (Duration::from_millis(50), Duration::from_secs(3600));
        let time = |name, default| {
            table.value_or(name, default, |value| values::duration(value, least, most))
        };
        let reload = Reload {
            watch: table.boolean("watch", usual.watch),
            every: time("every", usual.every),
            settle: time("settle", usual.settle),
        };
        table.done();
        reload
    }
}

/// Clients with rules of their own: a hospital of several that one server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tenant {
    /// Its name, as in `tenant` of a token and in `tenants` of a client.
    pub name: String,
    /// Its rules, instead of `[rules]`.
    pub rules: Option<Rules>,
}

impl Tenant {
    pub(super) fn read(table: Table<'_>) -> Option<Self> {
        let name = table.text("name", values::name);
        if !table.has("name") {
            table.missing("name", "a short name, as `tenant` of the tokens has it");
        }
        let rules = table.table("rules");
        let rules = rules.is_there().then(|| Rules::read(rules));
        table.done();
        Some(Tenant { name: name?, rules })
    }
}
