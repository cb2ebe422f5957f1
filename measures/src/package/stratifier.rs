//! `Measure.group.stratifier` and `Measure.supplementalData`.

use super::concept::{check_extensions, code_of, extensions, text_of};
use super::criteria::criteria;
use super::definition::{
    PopulationCode, PopulationDefinition, StratifierComponent, StratifierDefinition,
    SupplementalDefinition, Usage,
};
use super::element::{At, Report};
use engine_patient::finding::{Code, Finding, Severity};

/// Reads one stratifier. No score depends on it, so one that cannot be understood is left out, which is
/// told: `None`.
pub(super) fn stratifier(
    report: &mut Report,
    at: &At<'_>,
    populations: &[PopulationDefinition],
) -> Option<StratifierDefinition> {
    let before = report.issues.len();
    let id = report.text(at, "id");
    let what = match &id {
        Some(id) => format!("stratifier `{id}`"),
        None => "the stratifier".to_owned(),
    };
    let read = understood(report, at, populations, &what, id);
    if !only_warnings(report, before) && read.is_some() {
        return read;
    }
    let message = format!("{what} is left out: nothing is divided by it");
    let help = "correct it; see the findings about it";
    report.add(
        &at.path,
        Finding::warning(Code::StratifierLeftOut, message).help(help),
    );
    None
}

/// Makes warnings of the errors from a place on; whether there were any.
fn only_warnings(report: &mut Report, from: usize) -> bool {
    let mut any = false;
    for issue in report.issues.iter_mut().skip(from) {
        if issue.severity == Severity::Error {
            issue.severity = Severity::Warning;
            any = true;
        }
    }
    any
}

fn understood(
    report: &mut Report,
    at: &At<'_>,
    populations: &[PopulationDefinition],
    what: &str,
    id: Option<String>,
) -> Option<StratifierDefinition> {
    check_extensions(report, at);
    let components = report.objects(at, "component");
    let has_criteria = at.get("criteria").is_some();
    if has_criteria != components.is_empty() {
        let message = match has_criteria {
            true => format!("{what} has both `criteria` and `component`"),
            false => format!("{what} has neither `criteria` nor `component`"),
        };
        let help = "give it `criteria`, or components each with `criteria`";
        report.add(
            &at.path,
            Finding::error(Code::Stratifier, message).help(help),
        );
        return None;
    }
    let expression = match has_criteria {
        true => Some(criteria(report, at, what)?),
        false => None,
    };
    let component = |part: &At<'_>| {
        let what = format!("a component of {what}");
        Some(StratifierComponent {
            expression: criteria(report, part, &what)?,
            id: report.text(part, "id"),
            code: part.get("code").and_then(|c| text_of(c.value)),
            description: report.text(part, "description"),
            path: part.path.clone(),
        })
    };
    let components = components.iter().filter_map(component).collect();
    Some(StratifierDefinition {
        code: at.get("code").and_then(|c| text_of(c.value)),
        description: report.text(at, "description"),
        applies_to: applies_to(report, at, populations, what),
        expression,
        components,
        path: at.path.clone(),
        id,
    })
}

fn applies_to(
    report: &mut Report,
    at: &At<'_>,
    populations: &[PopulationDefinition],
    what: &str,
) -> Vec<PopulationCode> {
    let mut codes = vec![];
    for one in extensions(at, "appliesTo") {
        let word = code_of(one.value, |c| PopulationCode::of(c).is_some()).unwrap_or_default();
        let Some(code) = PopulationCode::of(&word) else {
            let message = format!("{what} applies to the unknown population `{word}`");
            let otherwise = format!("one of {}", super::population::codes());
            let issue = Finding::error(Code::StratifierAppliesTo, message);
            report.add(
                &one.path,
                issue.meant(super::population::near(&word), otherwise),
            );
            continue;
        };
        if !populations.iter().any(|p| p.code == code) {
            let message = format!("{what} applies to `{word}`, which the group has not");
            let help = "remove the extension, or add the population";
            report.add(
                &one.path,
                Finding::warning(Code::StratifierAppliesTo, message).help(help),
            );
        }
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// Reads one entry of supplemental data. No score depends on it, so what is wrong with it is a warning
/// and it is left out.
pub(super) fn supplemental(report: &mut Report, at: &At<'_>) -> Option<SupplementalDefinition> {
    let id = report.text(at, "id");
    let what = match &id {
        Some(id) => format!("supplemental data `{id}`"),
        None => "an entry of supplemental data".to_owned(),
    };
    let before = report.issues.len();
    let expression = criteria(report, at, &what);
    only_warnings(report, before);
    let Some(expression) = expression else {
        let message = format!("{what} is left out of the reports");
        let help = "correct its criteria";
        report.add(
            &at.path,
            Finding::warning(Code::SupplementalLeftOut, message).help(help),
        );
        return None;
    };
    let mut usage = vec![];
    for one in report.objects(at, "usage") {
        let word = code_of(one.value, |c| Usage::of(c).is_some()).unwrap_or_default();
        match Usage::of(&word) {
            Some(known) if usage.contains(&known) => {}
            Some(known) => usage.push(known),
            None => {
                let message = format!("unknown usage `{word}` of {what}");
                let otherwise = format!("one of {}", Usage::list());
                let issue = Finding::warning(Code::SupplementalUsage, message)
                    .meant(Usage::near(&word), otherwise);
                report.add(&one.path, issue);
            }
        }
    }
    if usage.is_empty() {
        usage.push(Usage::SupplementalData);
    }
    let report_types = extensions(at, "includeInReportType");
    let report_types = report_types
        .iter()
        .filter_map(|e| code_of(e.value, |_| true));
    Some(SupplementalDefinition {
        code: at.get("code").and_then(|c| text_of(c.value)),
        description: report.text(at, "description"),
        report_types: report_types.collect(),
        expression,
        usage,
        path: at.path.clone(),
        id,
    })
}
