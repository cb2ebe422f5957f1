//! Why a criterion is null, in words: `Patient.extension(us-core-sex) is not there`. Of the logic alone,
//! so that patients of the same reason are counted together, and nothing of a patient is told.

use std::sync::Arc;

use engine_elm::expressions::ExpressionView;
use engine_elm::{Evaluator, Expression, NullCause};

use crate::explain::clause_text::{ClauseTexts, brief, shortened};

/// Most parts that are said.
const SAID: usize = 3;
/// Longest text of one.
const LONG: usize = 160;

/// Of a definition that was evaluated and is null.
pub(crate) fn null_reason(evaluator: &mut Evaluator<'_>, expression: Expression) -> Arc<str> {
    let mut said: Vec<String> = vec![];
    for cause in evaluator.null_causes(expression) {
        let text = words(&cause);
        if !said.contains(&text) {
            said.push(text);
        }
    }
    let more = said.len().saturating_sub(SAID);
    said.truncate(SAID);
    if more > 0 {
        said.push(format!("{more} more parts are null"));
    }
    match said.is_empty() {
        true => Arc::from("the criterion is null"),
        false => said.join("; ").into(),
    }
}

fn words(cause: &NullCause<'_>) -> String {
    match cause {
        NullCause::Missing(place) => format!("{} is not there", text(*place)),
        NullCause::Extension(owner, url) => extension(&text(*owner), url),
        NullCause::Nothing(_, Some(name)) => format!("\"{name}\" finds nothing"),
        NullCause::Nothing(place, None) => format!("{} finds nothing", text(*place)),
        NullCause::Undecided(place) => format!("{} is null", text(*place)),
    }
}

/// That an extension is not there.
pub(crate) fn extension(owner: &str, url: &str) -> String {
    let name = url.rsplit('/').next().unwrap_or(url);
    format!("{}.extension({name}) is not there", owner.trim_matches('"'))
}

fn text(place: ExpressionView<'_>) -> String {
    shortened(&brief(place, &ClauseTexts::default()), LONG)
}
