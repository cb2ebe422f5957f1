//! The table `codes`: what the lake has, and what was read.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, Int64Array};
use engine_population::lake::writer::{CodeTexts, write_codes};
use engine_population::lake::{DataFile, reader, schema};

use super::job::{Job, files_of};
use super::written::Written;
use crate::import::codes::{CodeMap, add_code};
use crate::import::error::ImportError;

/// Writes the table anew where it changes, and where anything else does.
pub fn write(
    job: &Job<'_>,
    mut codes: CodeMap,
    stamp: &str,
    written: &mut Written,
) -> Result<(), ImportError> {
    let files = files_of(job.base, schema::CODES, None);
    let before = job.runtime.block_on(load_codes(job, &files))?;
    let mut collision = None;
    for (key, texts) in &before {
        add_code(&mut codes, *key, texts.clone(), &mut collision);
    }
    if let Some(codes) = collision {
        return Err(ImportError::Collision(codes));
    }
    let codes: BTreeMap<i64, CodeTexts> = codes.into_iter().collect();
    if codes != before && !written.is_empty() {
        let file = job.runtime.block_on(write_codes(
            job.store.as_ref(),
            &codes,
            stamp,
            job.options.now_ms,
        ))?;
        written.replace(schema::CODES, file, &files);
    }
    Ok(())
}

async fn load_codes(
    job: &Job<'_>,
    files: &[&DataFile],
) -> Result<BTreeMap<i64, CodeTexts>, ImportError> {
    let mut out = BTreeMap::new();
    for file in files {
        for batch in reader::read_columns(
            &job.store,
            schema::CODES,
            file,
            &["code_key", "system", "code", "display"],
        )
        .await?
        {
            let bug = || ImportError::Bug("the table `codes` has other columns".into());
            let keys = batch
                .column_by_name("code_key")
                .and_then(|c| c.as_any().downcast_ref::<Int64Array>())
                .ok_or_else(bug)?;
            let text = |name: &str| {
                batch
                    .column_by_name(name)
                    .and_then(|c| c.as_string_opt::<i32>())
                    .ok_or_else(bug)
            };
            let (systems, codes, displays) = (text("system")?, text("code")?, text("display")?);
            for i in 0..keys.len() {
                let display = displays.is_valid(i).then(|| displays.value(i).to_owned());
                out.insert(
                    keys.value(i),
                    (
                        systems.value(i).to_owned(),
                        codes.value(i).to_owned(),
                        display,
                    ),
                );
            }
        }
    }
    Ok(out)
}
