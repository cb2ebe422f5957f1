//! Small rules in files, and how they are loaded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cds_hooks::{RuleSet, services_by_set};
use cds_server::settings::Rules;
use cds_server::{Load, Loaded, NotLoaded};
use engine_patient::terminology::TerminologyStore;

/// A care gap that is open for every adult without an Encounter that has a type.
pub fn rule(id: &str, version: &str, summary: &str) -> String {
    format!(
        r#"id: {id}
version: {version}
kind: care-gap
title: A visit
description: What it does.
rationale: Why.
source: {{title: T, publisher: P, year: 2025, url: "https://example.org/a", strength: A}}
improvement: increase
eligible: ageInYearsAt(at) >= 18
excluded: "false"
satisfied: Encounter().exists(e, has(e.type))
unknown: silent
card:
  indicator: info
  summary: {summary}
  detail: Due.
  unknown_summary: Not checked
cases:
  - name: fires
    at: 2025-12-31T12:00:00Z
    patient: {{birthDate: 1960-01-01}}
    expect: {{applies: yes}}
  - name: does not fire
    at: 2025-12-31T12:00:00Z
    patient: {{birthDate: 2020-01-01}}
    expect: {{applies: no}}
  - name: missing
    at: 2025-12-31T12:00:00Z
    patient: {{gender: female}}
    expect: {{applies: unknown}}
"#
    )
}

/// Writes a rule to a file of its name; whole at once, as editors do.
pub fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let (file, half) = (folder.join(name), folder.join(format!(".{name}.new")));
    std::fs::write(&half, text).unwrap();
    std::fs::rename(&half, &file).unwrap();
    file
}

fn read(paths: &[PathBuf]) -> Result<Vec<rules::Rule>, String> {
    let (mut all, terminology) = (vec![], TerminologyStore::default());
    for folder in paths {
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
            .collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            let rule = rules::load(&file.display().to_string(), &text, &terminology);
            all.push(rule.map_err(|found| engine_patient::finding::listed(&found))?);
        }
    }
    Ok(all)
}

/// Loads the rules of folders, and candidates beside them.
pub fn load() -> Load {
    Arc::new(|wanted: &Rules| {
        let mut all = read(&wanted.paths).map_err(NotLoaded::User)?;
        for mut rule in read(&wanted.shadow).map_err(NotLoaded::User)? {
            rule.status = rules::Status::Shadow;
            all.push(rule);
        }
        let services = services_by_set(vec![RuleSet {
            id: "own".into(),
            title: "Own rules".into(),
            rules: all.into_iter().map(Arc::new).collect(),
            others: vec![],
            is_one_id: false,
        }]);
        match services.is_empty() {
            true => Err(NotLoaded::Unsupported("there is no rule".into())),
            false => Ok(Loaded {
                services,
                notes: vec![],
            }),
        }
    })
}
