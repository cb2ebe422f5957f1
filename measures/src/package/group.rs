//! `Measure.group`, and what a group and the whole measure can both say.

use engine_patient::fhir::model::Model;

use super::concept::{check_extensions, extension_code, extensions, text_of};
use super::definition::{
    Basis, GroupDefinition, ImprovementNotation, NotationTexts, PopulationDefinition, Scoring,
};
use super::element::{At, Report};
use super::population::population;
use super::stratifier::stratifier;
use super::{reference, scoring};
use engine_patient::finding::{Code, Finding, did_you_mean};

/// What is said once for all groups, unless a group says otherwise.
pub(super) struct Common {
    /// The outer `None`: not said. The inner: said, wrong, told.
    pub scoring: Option<Option<Scoring>>,
    pub basis: Option<Basis>,
    pub improvement_notation: Option<ImprovementNotation>,
    /// What stands beside it.
    pub notation: NotationTexts,
    pub rate_aggregation: Option<String>,
}

/// Reads one group. `None` only if its scoring is not known, which is told.
pub(super) fn group(report: &mut Report, at: &At<'_>, common: &Common) -> Option<GroupDefinition> {
    check_extensions(report, at);
    let code = at.get("code").and_then(|c| text_of(c.value));
    let scoring = stated_scoring(report, at).or(common.scoring);
    if scoring.is_none() {
        let help = format!(
            "give the measure a `scoring`, or the group the extension `cqfm-scoring`: {}",
            Scoring::list()
        );
        let issue = Finding::error(
            Code::NoScoring,
            "neither the group nor the measure has a scoring",
        );
        report.add(&at.path, issue.help(help));
    }
    let basis = stated_basis(report, at).or_else(|| common.basis.clone());
    let stated = stated_notation(report, at);
    let mut texts = stated_texts(at);
    let notation = match stated {
        Some(_) => stated,
        None => {
            texts.display = texts.display.or(common.notation.display);
            common.improvement_notation
        }
    };
    texts.guidance = texts.guidance.or_else(|| common.notation.guidance.clone());
    let rate = stated_rate(report, at).or_else(|| common.rate_aggregation.clone());
    let (mut populations, all_known) = populations(report, at);
    let listed = report.objects(at, "stratifier");
    let stratifiers = listed
        .iter()
        .filter_map(|s| stratifier(report, s, &populations))
        .collect();
    let scoring = scoring.flatten()?;
    reference::resolve(report, scoring, &mut populations);
    if all_known && !populations.is_empty() {
        scoring::check(report, &at.path, scoring, &populations);
    }
    Some(GroupDefinition {
        id: report.text(at, "id"),
        code,
        description: report.text(at, "description"),
        scoring,
        basis: basis.unwrap_or(Basis::Boolean),
        improvement_notation: notation,
        notation: texts,
        rate_aggregation: rate,
        populations,
        stratifiers,
        path: at.path.clone(),
    })
}

/// The populations, and whether all that are listed are known.
fn populations(report: &mut Report, at: &At<'_>) -> (Vec<PopulationDefinition>, bool) {
    let listed = report.objects(at, "population");
    if listed.is_empty() {
        let issue = Finding::error(Code::NoPopulations, "the group has no populations");
        report.add(&at.path, issue.help("list them in `population`"));
    }
    let mut populations: Vec<PopulationDefinition> = vec![];
    for one in &listed {
        let Some(new) = population(report, one) else {
            continue;
        };
        let same = populations.iter().any(|p| p.id.is_some() && p.id == new.id);
        if same && let Some(id) = &new.id {
            let message = format!("two populations of the group have the id `{id}`");
            let help = "an id stands for one element; give each its own";
            report.add(
                &new.path,
                Finding::warning(Code::IdTwice, message).help(help),
            );
        }
        populations.push(new);
    }
    let all_known = populations.len() == listed.len();
    (populations, all_known)
}

/// The scoring that the element states by its extension.
fn stated_scoring(report: &mut Report, at: &At<'_>) -> Option<Option<Scoring>> {
    let (word, path) = extension_code(report, at, "scoring", |c| Scoring::of(c).is_some())?;
    Some(scoring_of(report, &word, &path))
}

/// A scoring code; one that is not known is told.
pub(super) fn scoring_of(report: &mut Report, word: &str, path: &str) -> Option<Scoring> {
    if word.eq_ignore_ascii_case("composite") {
        let issue = Finding::error(
            Code::CompositeScoring,
            "`composite` scoring is not supported",
        );
        let help = "evaluate the component measures one by one";
        report.add(path, issue.not_supported().help(help));
        return None;
    }
    let scoring = Scoring::of(word);
    if scoring.is_none() {
        let issue = Finding::error(Code::UnknownScoring, format!("unknown scoring `{word}`"));
        let otherwise = format!("one of {}", Scoring::list());
        report.add(path, issue.meant(Scoring::near(word), otherwise));
    }
    scoring
}

/// The population basis that the element states.
pub(super) fn stated_basis(report: &mut Report, at: &At<'_>) -> Option<Basis> {
    let model = Model::r4();
    let known = |c: &str| c == "boolean" || model.resource(c).is_some();
    let (word, path) = extension_code(report, at, "populationBasis", known)?;
    if word == "boolean" {
        return Some(Basis::Boolean);
    }
    if model.resource(&word).is_some() {
        return Some(Basis::Resource(word));
    }
    // `dateTime`, `Period` …: the IG allows them, no published measure has them.
    if model.get(&word).is_some() || PRIMITIVES.contains(&word.as_str()) {
        let message = format!("population basis `{word}` is not supported");
        let help = "`boolean` and resource types such as `Encounter` are";
        report.add(
            &path,
            Finding::error(Code::PopulationBasis, message)
                .not_supported()
                .help(help),
        );
        return None;
    }
    let resources = model.types().filter(|t| t.is_resource).map(|t| t.name);
    let near = did_you_mean(&word, resources.chain(["boolean"]));
    let issue = Finding::error(
        Code::PopulationBasis,
        format!("unknown population basis `{word}`"),
    );
    let otherwise = "`boolean`, or a FHIR R4 resource type such as `Encounter`";
    report.add(&path, issue.meant(near, otherwise));
    None
}

const PRIMITIVES: [&str; 12] = [
    "string",
    "integer",
    "decimal",
    "date",
    "dateTime",
    "time",
    "instant",
    "code",
    "uri",
    "id",
    "positiveInt",
    "unsignedInt",
];

/// The improvement notation that the element states.
fn stated_notation(report: &mut Report, at: &At<'_>) -> Option<ImprovementNotation> {
    let known = |c: &str| ImprovementNotation::of(c).is_some();
    let (word, path) = extension_code(report, at, "improvementNotation", known)?;
    let given = extensions(at, "improvementNotation");
    let display = given.first().and_then(|e| text_of(e.value));
    notation_of(report, &word, display.as_deref(), &path)
}

/// What the element says of it beside the code.
pub(super) fn stated_texts(at: &At<'_>) -> NotationTexts {
    let given = extensions(at, "improvementNotation");
    let display = given.first().and_then(|e| text_of(e.value));
    let guidance = extensions(at, "improvementNotationGuidance");
    let guidance = guidance.first().and_then(|e| e.value.as_str());
    NotationTexts {
        display: display.as_deref().and_then(displayed),
        guidance: guidance.map(str::to_owned),
    }
}

/// What a display says: a code, or words such as "Increased score indicates improvement".
pub(super) fn displayed(text: &str) -> Option<ImprovementNotation> {
    let first = text.split_whitespace().next()?.to_lowercase();
    match first.as_str() {
        word if word.starts_with("increas") || word == "higher" => {
            Some(ImprovementNotation::Increase)
        }
        word if word.starts_with("decreas") || word == "lower" => {
            Some(ImprovementNotation::Decrease)
        }
        _ => None,
    }
}

/// An improvement notation; one that is not known is told, and nothing depends on it.
pub(super) fn notation_of(
    report: &mut Report,
    word: &str,
    display: Option<&str>,
    path: &str,
) -> Option<ImprovementNotation> {
    let notation = ImprovementNotation::of(word);
    // Published measures have this; the code is what a program reads, a person may know better.
    if let Some(shown) = display.and_then(displayed)
        && notation.is_some_and(|n| n != shown)
    {
        let message = format!(
            "the improvement notation has the code `{word}` but is displayed as `{}`: the code is used",
            shown.as_str()
        );
        let help = "look into the text of the measure and correct the one that is wrong";
        report.add(
            path,
            Finding::warning(Code::ImprovementNotation, message).help(help),
        );
    }
    if notation.is_none() {
        let issue = Finding::warning(
            Code::ImprovementNotation,
            format!("unknown improvement notation `{word}`"),
        );
        let otherwise = format!("one of {}", ImprovementNotation::list());
        report.add(
            path,
            issue.meant(ImprovementNotation::near(word), otherwise),
        );
    }
    notation
}

fn stated_rate(report: &mut Report, at: &At<'_>) -> Option<String> {
    let (text, _) = extension_code(report, at, "rateAggregation", |_| true)?;
    rate_of(text)
}

/// MADiE writes `None` where there is nothing to say.
pub(super) fn rate_of(text: String) -> Option<String> {
    (!text.eq_ignore_ascii_case("none")).then_some(text)
}
