//! `tandem rule fmt`: rule files in their usual form.

use std::path::PathBuf;

use engine_patient::finding::Finding;
use measures_run::rule_files::rule_sources;
use sources::read_text;

use crate::commands::measure::tell;
use crate::failure::{Done, Failure};

pub fn fmt(paths: &[PathBuf], check: bool) -> Done {
    let mut wrong: Vec<Finding> = vec![];
    let mut others = vec![];
    for source in rule_sources(paths, &mut tell)? {
        let path = &source.path;
        let name = path.display().to_string();
        // A packed file is a copy: its original is what an author writes.
        if !name.ends_with(".yaml") && !name.ends_with(".yml") {
            note!("note: `{name}` is packed, and left as it is");
            continue;
        }
        let text = read_text(path).map_err(|e| Failure::User(format!("`{name}`: {e}")))?;
        match rules::format(&name, &text) {
            Err(found) => wrong.extend(found),
            Ok(new) if new == text => {}
            Ok(new) => {
                if !check {
                    // Beside it first: a full disk must not leave half a rule.
                    let beside = path.with_extension("yaml.tmp");
                    let written = std::fs::write(&beside, &new);
                    let written = written.and_then(|()| std::fs::rename(&beside, path));
                    written.map_err(|e| Failure::Internal(format!("`{name}`: {e}")))?;
                }
                others.push(name);
            }
        }
    }
    let verb = if check {
        "not in its usual form"
    } else {
        "changed"
    };
    for name in &others {
        say!("{name}: {verb}");
    }
    match (wrong.is_empty(), check && !others.is_empty()) {
        (false, _) => Err(Failure::of(&wrong)),
        (true, true) => Err(Failure::No(
            "`tandem rule fmt` without --check mends that".into(),
        )),
        (true, false) => Ok(std::process::ExitCode::SUCCESS),
    }
}
