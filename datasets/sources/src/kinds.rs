//! Which files a caller takes, by their names.

use std::path::Path;

use crate::layout::Layout;
use crate::packing::{Packing, by_name};

/// What is taken of a folder, and what of that which the user names.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// Endings, in lower case, perhaps with `.gz` or `.zst` after them.
    pub endings: &'static [(&'static str, Layout)],
    /// The endings, for people.
    pub text: &'static str,
    /// What the user names may be called anything; else it must have one of the endings.
    pub any_name: bool,
    /// How a file or a pipe without such an ending is laid out.
    pub unnamed: Layout,
    /// Names that begin with `_` are left alone: they are parts of a lake.
    pub without_lakes: bool,
}

const FHIR_JSON: &[(&str, Layout)] = &[
    (".ndjson", Layout::Lines),
    (".jsonl", Layout::Lines),
    (".json", Layout::Document),
];
const FHIR_TEXT: &str =
    "files must end in .ndjson, .jsonl or .json, perhaps with .gz or .zst after it";

/// Patient data. A name must say what it is: a mistake would be millions of rejected lines.
pub const DATA: Kinds = Kinds {
    endings: FHIR_JSON,
    text: FHIR_TEXT,
    any_name: false,
    unnamed: Layout::Lines,
    without_lakes: true,
};

/// Value sets and code systems, as FHIR or as tables, and bindings of value sets.
pub const TERMINOLOGY: Kinds = Kinds {
    endings: &[
        (".ndjson", Layout::Lines),
        (".jsonl", Layout::Lines),
        (".json", Layout::Document),
        (".csv", Layout::Document),
        ("bindings.yaml", Layout::Document),
        ("bindings.yml", Layout::Document),
    ],
    text: "files must end in .ndjson, .jsonl, .json or .csv, or be bindings.yaml, perhaps with .gz or .zst after it",
    any_name: true,
    unnamed: Layout::Document,
    without_lakes: false,
};

/// Measure packages.
pub const FHIR: Kinds = Kinds {
    endings: FHIR_JSON,
    text: FHIR_TEXT,
    any_name: true,
    unnamed: Layout::Document,
    without_lakes: false,
};

/// Rules.
pub const RULES: Kinds = Kinds {
    endings: &[(".yaml", Layout::Document), (".yml", Layout::Document)],
    text: "files must end in .yaml or .yml, perhaps with .gz or .zst after it",
    any_name: true,
    unnamed: Layout::Document,
    without_lakes: false,
};

/// Tables beside rules.
pub const TABLES: Kinds = Kinds {
    endings: &[(".csv", Layout::Document)],
    text: "files must end in .csv, perhaps with .gz or .zst after it",
    any_name: true,
    unnamed: Layout::Document,
    without_lakes: false,
};

impl Kinds {
    /// How a file is laid out and packed, by its name.
    pub(crate) fn of(&self, path: &Path) -> Option<(Layout, Packing)> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let (name, packing) = by_name(&name);
        let found = self.endings.iter().find(|(end, _)| name.ends_with(end));
        found.map(|(_, layout)| (*layout, packing))
    }

    /// Whether a name is of these kinds.
    pub fn takes(&self, path: &Path) -> bool {
        self.of(path).is_some()
    }

    /// Whether something in a folder is left alone for its name.
    pub(crate) fn hides(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| {
            let name = name.as_encoded_bytes();
            name.starts_with(b".") || (self.without_lakes && name.starts_with(b"_"))
        })
    }
}
