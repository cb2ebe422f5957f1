//! `Measure`.

use serde_json::Value;

use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::UTC;

use super::concept::{check_extensions, code_of, text_of};
use super::definition::{
    EffectivePeriod, ImprovementNotation, MeasureDefinition, NotationTexts, Scoring,
};
use super::element::{At, Report};
use super::group::{
    Common, displayed, group, notation_of, rate_of, scoring_of, stated_basis, stated_texts,
};
use super::stratifier::supplemental;
use engine_patient::finding::{Code, Finding};

/// Reads a Measure. What is returned is usable unless the report has errors.
pub(super) fn measure(report: &mut Report, at: &At<'_>) -> MeasureDefinition {
    let mut measure = MeasureDefinition {
        id: report.text(at, "id"),
        url: report.text(at, "url"),
        version: report.text(at, "version"),
        name: report.text(at, "name"),
        title: report.text(at, "title"),
        identifiers: identifiers(report, at),
        period: None,
        libraries: vec![],
        main_library: None,
        scoring: None,
        basis: None,
        improvement_notation: None,
        better: None,
        called: None,
        handle: String::new(),
        texts: texts(at),
        rate_aggregation: report.text(at, "rateAggregation").and_then(rate_of),
        groups: vec![],
        supplemental_data: vec![],
        publisher: report.text(at, "publisher"),
        authors: vec![],
        description: report.text(at, "description"),
        copyright: report.text(at, "copyright"),
        disclaimer: report.text(at, "disclaimer"),
        source: report.file.clone(),
        path: at.path.clone(),
    };
    report.measure = Some(measure.label().to_owned());
    for issue in &mut report.issues {
        issue.measures = report.measure.clone().into_iter().collect();
    }
    names(report, at, &measure);
    check_extensions(report, at);
    measure.period = period(report, at);
    measure.authors = authors(report, at);
    measure.libraries = report
        .texts(at, "library")
        .into_iter()
        .map(|(l, _)| l)
        .collect();
    measure.basis = stated_basis(report, at);
    measure.improvement_notation = notation(report, at);
    if is_composite(at) {
        composite(report, at);
        return measure;
    }
    libraries(report, at, &measure);
    let scoring = scoring(report, at);
    measure.scoring = scoring.flatten();
    let common = Common {
        scoring,
        basis: measure.basis.clone(),
        improvement_notation: measure.improvement_notation,
        notation: notation_texts(at),
        rate_aggregation: measure.rate_aggregation.clone(),
    };
    let groups = report.objects(at, "group");
    if groups.is_empty() {
        let issue = Finding::error(Code::NoGroup, "the measure has no `group`");
        let help = "a measure without groups counts nothing; list its populations in a group";
        report.add(&at.path, issue.help(help));
    }
    measure.groups = groups
        .iter()
        .filter_map(|g| group(report, g, &common))
        .collect();
    let supplements = report.objects(at, "supplementalData");
    let supplements = supplements.iter().filter_map(|s| supplemental(report, s));
    measure.supplemental_data = supplements.collect();
    measure
}

fn names(report: &mut Report, at: &At<'_>, measure: &MeasureDefinition) {
    let named = [
        ("url", &measure.url, "reports refer to a measure by its url"),
        (
            "version",
            &measure.version,
            "without it, results of two editions cannot be told apart",
        ),
        ("id", &measure.id, "reports name it"),
        ("name", &measure.name, "reports name it"),
    ];
    for (element, value, help) in named {
        if value.is_none() {
            let message = format!("the measure has no `{element}`");
            report.add(
                &at.path,
                Finding::warning(Code::MeasureIdentity, message).help(help),
            );
        }
    }
}

fn identifiers(report: &mut Report, at: &At<'_>) -> Vec<String> {
    let all = report.objects(at, "identifier");
    let values = all.iter().filter_map(|i| report.text(i, "value"));
    values.filter(|v| !v.starts_with("urn:")).collect()
}

fn authors(report: &mut Report, at: &At<'_>) -> Vec<String> {
    let all = report.objects(at, "author");
    all.iter().filter_map(|a| report.text(a, "name")).collect()
}

fn libraries(report: &mut Report, at: &At<'_>, measure: &MeasureDefinition) {
    let path = format!("{}.library", at.path);
    match measure.libraries.as_slice() {
        [] => {
            let issue = Finding::error(Code::NoLibraryNamed, "the measure names no `library`");
            let help = "list the canonical url of the library that defines its populations";
            report.add(&at.path, issue.help(help));
        }
        [_] => {}
        [first, ..] => {
            let count = measure.libraries.len();
            let message = format!(
                "the measure names {count} libraries; expressions are looked up in the first, `{first}`"
            );
            let help = "name one library that includes the others";
            report.add(
                &path,
                Finding::warning(Code::SeveralLibraries, message).help(help),
            );
        }
    }
}

/// The outer `None`: not said. The inner: said, wrong, told.
fn scoring(report: &mut Report, at: &At<'_>) -> Option<Option<Scoring>> {
    let concept = report.object(at, "scoring")?;
    let word = code_of(concept.value, |c| Scoring::of(c).is_some())?;
    Some(scoring_of(report, &word, &concept.path))
}

fn notation(report: &mut Report, at: &At<'_>) -> Option<ImprovementNotation> {
    let concept = report.object(at, "improvementNotation")?;
    let word = code_of(concept.value, |c| ImprovementNotation::of(c).is_some())?;
    let display = text_of(concept.value);
    notation_of(report, &word, display.as_deref(), &concept.path)
}

/// What stands beside the notation of the measure.
fn notation_texts(at: &At<'_>) -> NotationTexts {
    let mut texts = stated_texts(at);
    let concept = at.get("improvementNotation");
    let display = concept.and_then(|c| text_of(c.value));
    texts.display = texts
        .display
        .or_else(|| display.as_deref().and_then(displayed));
    texts
}

/// Texts of the measure that may say which way is better.
fn texts(at: &At<'_>) -> Vec<(&'static str, String)> {
    let names = [
        "title",
        "subtitle",
        "description",
        "guidance",
        "usage",
        "purpose",
    ];
    let text = |name: &'static str| {
        let text = at.get(name)?.value.as_str()?.to_owned();
        Some((name, text))
    };
    names.into_iter().filter_map(text).collect()
}

fn is_composite(at: &At<'_>) -> bool {
    let Some(concept) = at.get("scoring") else {
        return false;
    };
    let word = code_of(concept.value, |c| Scoring::of(c).is_some());
    word.is_some_and(|w| w.eq_ignore_ascii_case("composite"))
}

/// A composite measure has components instead of populations: they are what can be evaluated.
fn composite(report: &mut Report, at: &At<'_>) {
    let mut components = vec![];
    for related in report.objects(at, "relatedArtifact") {
        if report.text(&related, "type").as_deref() == Some("composed-of") {
            components.extend(report.text(&related, "resource"));
        }
    }
    let help = match components.as_slice() {
        [] => "evaluate the component measures one by one".to_owned(),
        some => format!(
            "evaluate its component measures one by one: `{}`",
            some.join("`, `")
        ),
    };
    let issue = Finding::error(
        Code::CompositeScoring,
        "`composite` scoring is not supported",
    );
    let path = format!("{}.scoring", at.path);
    report.add(&path, issue.not_supported().help(help));
}

fn period(report: &mut Report, at: &At<'_>) -> Option<EffectivePeriod> {
    let at = report.object(at, "effectivePeriod")?;
    let mut date = |name: &str| {
        let text = report.text(&at, name)?;
        let parsed = DateTime::parse(&text);
        if parsed.is_none() {
            let message = format!("`{text}` is not a FHIR date");
            let help = "write it as `2026-01-01`; it is taken as not given";
            report.add(
                &format!("{}.{name}", at.path),
                Finding::warning(Code::EffectivePeriod, message).help(help),
            );
        }
        Some((text, parsed?))
    };
    let (start, end) = (date("start"), date("end"));
    if let (Some((from, start)), Some((to, end))) = (&start, &end)
        && start.earliest(&UTC) > end.latest(&UTC)
    {
        let message = format!("the period ends (`{to}`) before it begins (`{from}`)");
        let help = "correct it, or give the period of the run";
        report.add(
            &at.path,
            Finding::warning(Code::EffectivePeriod, message).help(help),
        );
        return None;
    }
    if start.is_none() && end.is_none() {
        return None;
    }
    Some(EffectivePeriod {
        start: start.map(|(text, _)| text),
        end: end.map(|(text, _)| text),
    })
}

/// The resource as an element.
pub(super) fn top(value: &Value, path: String) -> At<'_> {
    At { value, path }
}
