//! From a file to a [`Rule`]: all problems at once, each with its place.

mod cases;
mod codes;
mod expressions;
mod fields;
mod resource;
mod scalar;
mod slips;
mod units;
mod value_sets;

use engine_cel::Compiled;
use engine_patient::finding::{Code, Finding, Span};
use engine_patient::program::Artifact;
use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::TerminologyProvider;

use crate::mutants::RuleMutant;
use crate::places::Places;
use crate::program::Program;
use crate::rule::{Rule, Source};
use crate::written::Written;
use crate::yaml::{self, Node, Text, Value};
use expressions::{expressions, summary_length};
use fields::{Fields, Report};
use value_sets::value_sets;

/// Where the built-in rules' canonical URLs begin.
const CANONICAL: &str = "https://tandem-cds.dev/Measure/";

const ROOT: &[&str] = &[
    "id",
    "version",
    "kind",
    "title",
    "description",
    "rationale",
    "source",
    "improvement",
    "eligible",
    "excluded",
    "satisfied",
    "unknown",
    "card",
    "cases",
    "value_sets",
    "define",
    "due",
    "include_deceased",
    "survivors",
];
/// How many of [`ROOT`] must be there; the same for the others.
const ROOT_REQUIRED: usize = 14;
const SOURCE: &[&str] = &["title", "publisher", "year", "url", "strength"];
const CARD: &[&str] = &["indicator", "summary", "detail", "unknown_summary"];

/// Reads and checks a rule file. `file` is its name for diagnostics; its last part without `.yaml`
/// must be the rule's id.
///
/// # Errors
/// Everything that is wrong, in the order of the file. Warnings do not stand in the way: they are
/// in [`Rule::warnings`].
pub fn load(
    file: &str,
    text: &str,
    terminology: &dyn TerminologyProvider,
) -> Result<Rule, Vec<Finding>> {
    let (text, root) = yaml::read(file, text)?;
    load_tree(&text, &root, terminology)
}

/// A rule with a small change of its file.
///
/// # Errors
/// Where the changed rule is refused: then nobody would ship it.
pub fn load_changed(
    file: &Written,
    mutant: &RuleMutant,
    terminology: &dyn TerminologyProvider,
) -> Result<Rule, Vec<Finding>> {
    load_tree(&file.text, &mutant.tree(file), terminology)
}

fn load_tree(
    text: &Text,
    root: &Node,
    terminology: &dyn TerminologyProvider,
) -> Result<Rule, Vec<Finding>> {
    let mut report = Report::new(text);
    let rule = rule(&mut report, root, terminology);
    let errors = report.errors();
    let found = report.into_findings();
    match rule {
        Some(mut rule) if errors == 0 => {
            rule.warnings = found;
            Ok(rule)
        }
        _ => Err(found),
    }
}

fn rule(
    report: &mut Report<'_>,
    root: &Node,
    terminology: &dyn TerminologyProvider,
) -> Option<Rule> {
    let fields = report.fields(root, "a rule", ROOT, ROOT_REQUIRED)?;
    let id = id(report, &fields);
    let version = fields.get("version").and_then(|n| version(report, n));
    if let Some(kind) = fields.get("kind") {
        report.word(kind, &[("care-gap", ())]);
    }
    let title = report.paragraph(fields.get("title"));
    let description = report.paragraph(fields.get("description"));
    let rationale = report.paragraph(fields.get("rationale"));
    let source = fields.get("source").and_then(|n| source(report, n));
    let improvement = fields.get("improvement").and_then(|n| report.enumerated(n));
    let on_unknown = fields.get("unknown").and_then(|n| report.enumerated(n));
    let value_sets = fields
        .get("value_sets")
        .map(|n| value_sets(report, n, terminology))
        .unwrap_or_default();
    let card = fields
        .get("card")
        .and_then(|n| report.fields(n, "`card`", CARD, CARD.len()));
    let card_field = |name: &str| card.as_ref().and_then(|c| c.get(name));
    let indicator = card_field("indicator").and_then(|n| report.enumerated(n));
    let unknown_summary = report.paragraph(card_field("unknown_summary"));
    let templates = [card_field("summary"), card_field("detail")];
    let expressions = expressions(report, &fields, templates, &value_sets);
    let cases = fields
        .get("cases")
        .map(|n| cases::cases(report, n))
        .unwrap_or_default();
    if let Some(node) = card_field("unknown_summary") {
        summary_length(report, node, unknown_summary.iter().map(String::as_str));
    }

    let id = id?;
    let artifact = Artifact {
        url: format!("{CANONICAL}{id}").into(),
        id: id.into(),
        version: version?.into(),
        title: title?.into(),
    };
    let (program, checker) = expressions?;
    let requirements = checker.requirements().to_vec();
    Some(Rule {
        artifact,
        description: description?,
        rationale: rationale?,
        source: source?,
        improvement: improvement?,
        include_deceased: program.sources.include_deceased,
        on_unknown: on_unknown?,
        indicator: indicator?,
        unknown_summary: unknown_summary?,
        needed: needed(&program, &requirements),
        coded_elements: checker.coded_elements(),
        value_sets,
        cases,
        warnings: vec![],
        places: places(report, &fields, &program),
        file: report.text.file().to_owned(),
        requirements,
        program,
    })
}

/// Where what cases are about stands.
fn places(report: &Report<'_>, fields: &Fields<'_>, program: &Program) -> Places {
    let at = |node: &Node| report.text.span((node.at, node.end));
    let nowhere = || Span::line(1, None);
    let of = |name: &str| fields.get(name).map_or_else(nowhere, at);
    let terms = |name: &str, compiled: &Compiled| {
        let node = fields.get(name);
        let terms = compiled.alternatives().into_iter().map(|term| match node {
            Some(node) => report.text.span(report.text.span_in(node, term)),
            None => nowhere(),
        });
        terms.collect()
    };
    let defines = match fields.get("define").map(|n| &n.value) {
        Some(Value::Mapping(entries)) => entries
            .iter()
            .map(|e| report.text.span((e.at, e.at + e.key.chars().count())))
            .collect(),
        _ => vec![],
    };
    Places {
        cases: fields
            .get("cases")
            .map_or_else(nowhere, |n| report.text.span((n.at, n.at + 1))),
        eligible: of("eligible"),
        excluded: of("excluded"),
        satisfied: of("satisfied"),
        due: of("due"),
        excluded_terms: terms("excluded", &program.expressions.excluded),
        satisfied_terms: terms("satisfied", &program.expressions.satisfied),
        defines,
    }
}

/// The requirements of which each patient who is eligible has a match: those of the patient's own
/// resources by their own codes. A medication's code may stand behind a reference.
fn needed(program: &Program, requirements: &[DataRequirement]) -> Vec<usize> {
    let expressions = &program.expressions;
    let needs = expressions.eligible.needs(&expressions.defines);
    let own = |r: &DataRequirement| r.codes.is_some() && r.shared_type().is_none();
    let needs = needs.into_iter();
    needs
        .filter(|index| requirements.get(*index).is_some_and(own))
        .collect()
}

fn id(report: &mut Report<'_>, fields: &Fields<'_>) -> Option<String> {
    let node = fields.get("id")?;
    let id = report.line(node)?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !id.chars().all(good) || !id.starts_with(|c: char| c.is_ascii_lowercase()) || id.len() > 64 {
        let help = "small letters, digits and `-`, at most 64, as in `hba1c-control`";
        return report.wrong(Code::BadId, format!("`{id}` is not an id"), node, help);
    }
    let name = report
        .text
        .file()
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default();
    // The file may be packed.
    let packed = [".gz", ".zst"].iter().find_map(|e| name.strip_suffix(e));
    let name = packed.unwrap_or(name);
    let stem = name
        .rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned();
    if stem != id {
        let message = format!("the id `{id}` is not the name of the file, `{stem}`");
        return report.wrong(
            Code::BadId,
            message,
            node,
            &format!("rename the file to `{id}.yaml`, or the rule to `{stem}`"),
        );
    }
    Some(id)
}

fn version(report: &mut Report<'_>, node: &Node) -> Option<String> {
    let version = report.line(node)?;
    let parts: Vec<&str> = version.split('.').collect();
    let number = |p: &&str| !p.is_empty() && p.len() < 7 && p.chars().all(|c| c.is_ascii_digit());
    if parts.len() != 3 || !parts.iter().all(number) {
        return report.wrong(
            Code::WrongValue,
            format!("`{version}` is not a version"),
            node,
            "three numbers, as in `1.0.0`",
        );
    }
    Some(version)
}

fn source(report: &mut Report<'_>, node: &Node) -> Option<Source> {
    let fields = report.fields(node, "`source`", SOURCE, SOURCE.len())?;
    let title = report.paragraph(fields.get("title"));
    let publisher = report.paragraph(fields.get("publisher"));
    let strength = report.paragraph(fields.get("strength"));
    let year = fields.get("year").and_then(|n| {
        let text = report.line(n)?;
        let year = text.parse().ok().filter(|y| (1900..=2100).contains(y));
        year.or_else(|| {
            report.wrong(
                Code::WrongValue,
                format!("`{text}` is not a year"),
                n,
                "four digits, as in `2025`",
            )
        })
    });
    let url = fields.get("url").and_then(|n| {
        let url = report.line(n)?;
        let web = url.starts_with("https://") || url.starts_with("http://");
        if !web || url.contains(char::is_whitespace) {
            return report.wrong(
                Code::WrongValue,
                format!("`{url}` is not a web address"),
                n,
                "it begins with `https://`",
            );
        }
        Some(url)
    });
    Some(Source {
        title: title?,
        publisher: publisher?,
        year: year?,
        url: url?,
        strength: strength?,
    })
}
