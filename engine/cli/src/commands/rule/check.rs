//! `tandem rule check`: what is wrong with rules, without running a case.

use std::path::PathBuf;

use engine_patient::finding::{Finding, count, listed};
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;
use serde_json::json;

use super::files::RuleFiles;
use crate::commands::verdict;
use crate::failure::{Done, Failure, MORE};
use crate::format::Format;

pub fn check(paths: &[PathBuf], sets: &[PathBuf], today: Option<&str>, format: Format) -> Done {
    let today = day(today)?;
    let all = RuleFiles::read(paths, sets)?;
    let mut found = all.wrong;
    for file in &all.rules {
        found.extend(file.rule.warnings.iter().cloned());
        found.extend(file.rule.lint(&file.written, today));
    }
    // In the order of the files; what is said of the same place twice, once.
    found.sort();
    found.dedup();
    let (rules, refused) = (all.rules.len(), all.refused);
    match format {
        Format::Json => {
            let findings: Vec<_> = found.iter().map(Finding::to_json).collect();
            let errors = found.iter().filter(|f| f.is_error()).count();
            data!(
                "{:#}",
                json!({ "findings": findings, "summary": {
                    "rules": rules + refused, "refused": refused, "errors": errors,
                    "others": found.len() - errors,
                } })
            );
        }
        Format::Sarif => data!("{:#}", Finding::to_sarif(&found, env!("CARGO_PKG_VERSION"))),
        Format::Github => found.iter().for_each(|f| data!("{}", f.to_github())),
        _ => {
            if !found.is_empty() {
                say!("{}\n", listed(&found));
            }
            let looked = match rules + refused {
                1 => "1 rule".to_owned(),
                n => format!("{n} rules"),
            };
            let told = match found.is_empty() {
                true => "nothing found".to_owned(),
                false => count(&found),
            };
            let more = if found.is_empty() {
                String::new()
            } else {
                format!("; {MORE}")
            };
            say!("{looked}: {told}{more}");
        }
    }
    match verdict(&found) {
        // Said already.
        Err(Failure::User(_)) if format == Format::Table => Err(Failure::User(String::new())),
        other => other,
    }
}

/// The day that was given, or today's.
fn day(text: Option<&str>) -> Result<DateTime, Failure> {
    let Some(text) = text else {
        return Ok(UTC.moment(crate::commands::now_ms()));
    };
    let wrong = || Failure::User(format!("--today {text}: write a date such as 2026-12-31"));
    let day = DateTime::parse(text).filter(|_| text.len() == 10);
    day.ok_or_else(wrong)
}
