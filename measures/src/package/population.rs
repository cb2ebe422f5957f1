//! `Measure.group.population`.

use super::concept::{check_extensions, code_of, extension_code, text_of};
use super::criteria::criteria;
use super::definition::{AggregateMethod, PopulationCode, PopulationDefinition};
use super::element::{At, Report};
use engine_patient::finding::{Code, Finding, did_you_mean};

/// Reads one population. `None` if not even its code is known; that is told. One whose criteria are
/// missing is kept without expression, so that it is not called missing too.
pub(super) fn population(report: &mut Report, at: &At<'_>) -> Option<PopulationDefinition> {
    check_extensions(report, at);
    let id = report.text(at, "id");
    let Some(concept) = at.get("code") else {
        let message = match &id {
            Some(id) => format!("population `{id}` has no `code`"),
            None => "a population has no `code`".to_owned(),
        };
        let help = format!("one of {}", codes());
        report.add(
            &at.path,
            Finding::error(Code::PopulationCodeMissing, message).help(help),
        );
        return None;
    };
    let Some(word) = code_of(concept.value, |c| PopulationCode::of(c).is_some()) else {
        let help = format!("one of {}", codes());
        let issue = Finding::error(
            Code::PopulationCodeMissing,
            "the `code` of a population is empty",
        );
        report.add(&concept.path, issue.help(help));
        return None;
    };
    let Some(code) = PopulationCode::of(&word) else {
        let issue = Finding::error(
            Code::PopulationCodeUnknown,
            format!("unknown population code `{word}`"),
        );
        let otherwise = format!("one of {}", codes());
        let issue = issue.meant(near(&word), otherwise);
        report.add(&concept.path, issue);
        return None;
    };
    let what = match &id {
        Some(id) => format!("population `{id}`"),
        None => format!("the `{}`", code.as_str()),
    };
    let expression = criteria(report, at, &what).unwrap_or_default();
    let reference = extension_code(report, at, "criteriaReference", |_| true);
    Some(PopulationDefinition {
        aggregate_method: aggregate_method(report, at, code, &what),
        expression,
        criteria_reference: reference.map(|(reference, _)| reference),
        reference: None,
        description: report.text(at, "description"),
        display: text_of(concept.value),
        path: at.path.clone(),
        id,
        code,
    })
}

/// The population code nearest to a word.
pub(super) fn near(word: &str) -> Option<&'static str> {
    let codes = PopulationCode::ALL.iter();
    did_you_mean(word, codes.map(|c| c.as_str()))
}

/// All population codes, for a help text.
pub(super) fn codes() -> String {
    let codes = PopulationCode::ALL.map(PopulationCode::as_str);
    format!("`{}`", codes.join("`, `"))
}

fn aggregate_method(
    report: &mut Report,
    at: &At<'_>,
    code: PopulationCode,
    what: &str,
) -> Option<AggregateMethod> {
    let known = |c: &str| AggregateMethod::of(c).is_some();
    let given = extension_code(report, at, "aggregateMethod", known);
    let observed = code == PopulationCode::MeasureObservation;
    let (word, path) = match given {
        Some(given) if observed => given,
        Some((word, path)) => {
            let message = format!("aggregate method `{word}` of {what} is not used");
            let help = "only a `measure-observation` is aggregated";
            report.add(
                &path,
                Finding::warning(Code::AggregateNoPlace, message).help(help),
            );
            return None;
        }
        None if observed => {
            let message = format!("{what} has no aggregate method");
            let help = format!(
                "add the extension `cqfm-aggregateMethod` with one of {}",
                AggregateMethod::list()
            );
            report.add(
                &at.path,
                Finding::error(Code::AggregateMissing, message).help(help),
            );
            return None;
        }
        None => return None,
    };
    let method = AggregateMethod::of(&word);
    if method.is_none() {
        let issue = Finding::error(
            Code::AggregateUnknown,
            format!("unknown aggregate method `{word}`"),
        );
        let otherwise = format!("one of {}", AggregateMethod::list());
        report.add(&path, issue.meant(AggregateMethod::near(&word), otherwise));
    }
    method
}
