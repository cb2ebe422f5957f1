//! From a file to a [`Rule`]: all problems at once, each with its place.

mod card;
mod cases;
mod codes;
mod compile;
mod content;
mod csv;
mod defines;
mod elsewhere;
mod fields;
mod library;
mod question;
mod resource;
pub(crate) mod scalar;
mod slips;
mod table;
mod units;
mod urgency;
mod value_sets;

use std::cell::RefCell;
use std::sync::Arc;

use engine_cel::Checker;
use engine_patient::finding::{Code, Finding, Span};
use engine_patient::program::Artifact;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::terminology::{DrugDictionary, TerminologyProvider, ValueSet};

use crate::case::Case;
use crate::document::{RULE, SOURCE, SURVIVOR};
use crate::mutants::RuleMutant;
use crate::places::Places;
use crate::program::{Expressions, Program, Question};
use crate::rule::{Rule, Source};
use crate::surroundings::Surroundings;
use crate::words::{Hook, Kind, Status};
use crate::written::Written;
use crate::yaml::{self, Node, Text, Value};
use compile::Compiler;
use content::Content;
use fields::{Fields, Report};
use value_sets::value_sets;

/// Where the built-in rules' canonical URLs begin: a care gap is a measure.
const MEASURES: &str = "https://tandem-cds.dev/Measure/";
const ALERTS: &str = "https://tandem-cds.dev/PlanDefinition/";

/// What `eligible` asks for beside what the author wrote, unless the file says otherwise.
const ALIVE: &str = "!deceased(at)";

/// Reads and checks a rule file, with the drugs that are built in, no library and no tables. `file` is its
/// name for diagnostics; its last part without `.yaml` must be the rule's id.
///
/// # Errors
/// Everything that is wrong, in the order of the file. Warnings do not stand in the way: they are
/// in [`Rule::warnings`].
pub fn load(
    file: &str,
    text: &str,
    terminology: &dyn TerminologyProvider,
) -> Result<Rule, Vec<Finding>> {
    load_with(file, text, &Surroundings::plain(terminology))
}

/// The same with what stands around it.
///
/// # Errors
/// Everything that is wrong, in the order of the file; what is wrong in a table or in the library with its
/// place there.
pub fn load_with(
    file: &str,
    text: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Rule, Vec<Finding>> {
    let (text, root) = yaml::read(file, text)?;
    load_tree(&text, &root, surroundings, None)
}

/// A rule with a small change of its file, with what stands around it.
///
/// # Errors
/// Where the changed rule is refused: then nobody would ship it.
pub fn load_changed(
    file: &Written,
    mutant: &RuleMutant,
    surroundings: &Surroundings<'_>,
) -> Result<Rule, Vec<Finding>> {
    load_tree(
        &file.text,
        &mutant.tree(file),
        surroundings,
        Some(mutant.cases()),
    )
}

fn load_tree(
    text: &Text,
    root: &Node,
    surroundings: &Surroundings<'_>,
    known: Option<&[Case]>,
) -> Result<Rule, Vec<Finding>> {
    let mut report = Report::new(text);
    let content = RefCell::new(Content::of(text));
    let tables = |name: &str| {
        let bytes = (surroundings.tables)(name)?;
        content.borrow_mut().add(&bytes);
        Some(bytes)
    };
    let surroundings = Surroundings {
        tables: &tables,
        ..surroundings.clone()
    };
    let rule = rule(&mut report, root, &surroundings, known);
    let errors = report.errors();
    let found = report.into_findings();
    match rule {
        Some(mut rule) if errors == 0 => {
            rule.warnings = found;
            rule.content = content.borrow().name();
            Ok(rule)
        }
        _ => Err(found),
    }
}

/// A checker with these value sets and drugs.
fn checker(sets: Vec<(String, Arc<ValueSet>)>, drugs: &Arc<DrugDictionary>) -> Checker {
    Checker::new(sets).with_drugs(Arc::clone(drugs))
}

/// What `rule new` left to be written is not for clinicians.
fn unfinished(report: &mut Report<'_>, node: &Node) {
    match &node.value {
        Value::Scalar(text) if text.text.split(['/', ' ', '\n']).any(|word| word == "TODO") => {
            let message = "a rule in use has a text that is still to be written".to_owned();
            let help = "write it, or set `status: draft`";
            report.wrong::<()>(Code::WrongValue, message, node, help);
        }
        Value::Scalar(_) => {}
        Value::Mapping(entries) => {
            let shown = entries.iter().filter(|e| e.key != "cases");
            shown.for_each(|entry| unfinished(report, &entry.value));
        }
        Value::Sequence(items) => items.iter().for_each(|item| unfinished(report, item)),
    }
}

/// `known`: its cases, where they were read before.
fn rule(
    report: &mut Report<'_>,
    root: &Node,
    surroundings: &Surroundings<'_>,
    known: Option<&[Case]>,
) -> Option<Rule> {
    let written = kind(report, root);
    // Where it is misspelt, the rest is looked at as what it seems to be.
    let kind = written.or_else(|| guessed(root));
    let fields = report.fields(root, &RULE, kind)?;
    let id = id(report, &fields);
    let version = fields.get("version").and_then(|n| version(report, n));
    let title = report.paragraph(fields.get("title"));
    let description = report.paragraph(fields.get("description"));
    let rationale = report.paragraph(fields.get("rationale"));
    let source = fields.get("source").and_then(|n| source(report, n));
    let status = fields.get("status").map(|n| report.enumerated(n));
    if matches!(status, None | Some(Some(Status::Active))) {
        unfinished(report, root);
    }
    let owner = report.paragraph(fields.get("owner"));
    let review = fields.get("review").and_then(|n| review(report, n));
    let hooks = hooks(report, &fields, kind);
    let improvement = fields.get("improvement").and_then(|n| report.enumerated(n));
    let cooldown_days = fields.get("cooldown").and_then(|n| cooldown(report, n));
    let on_unknown = fields.get("unknown").and_then(|n| report.enumerated(n));
    let include_deceased = report.flag(fields.get("include_deceased"));
    let survivors = fields.get("survivors");
    for item in survivors
        .map(|n| report.items(n, "`survivors`"))
        .unwrap_or_default()
    {
        let fields = report.fields(item, &SURVIVOR, None);
        for text in ["change", "reason"] {
            report.paragraph(fields.as_ref().and_then(|f| f.get(text)));
        }
    }
    let library = surroundings.library;
    let named = defines::named(root, &RULE, library);
    let own_sets = fields
        .get("value_sets")
        .map(|n| value_sets(report, n, surroundings.terminology))
        .unwrap_or_default();
    let mut sets = value_sets::shared(report, library, &named, &own_sets, surroundings.terminology);
    sets.extend(own_sets);
    let table = fields.get("table");
    let table = table.map(|n| table::table(report, n, surroundings));
    let cases = match known {
        Some(known) => known.to_vec(),
        None => fields
            .get("cases")
            .map(|n| cases::cases(report, n, kind, &hooks, on_unknown))
            .unwrap_or_default(),
    };
    // Without its table nothing is known of the names in its expressions, without its kind not which they
    // are.
    if matches!(table, Some(None)) {
        return None;
    }
    let before = report.errors();
    let mut compiler = Compiler {
        checker: checker(sets.clone(), &surroundings.drugs),
        terminology: surroundings.terminology,
        report,
    };
    let table = table.flatten();
    if let Some(node) = fields.get("define") {
        compiler.report.entries(node, "`define`");
    }
    let mut defines = compiler.library_defines(&fields, library, &named);
    compiler.defines(&fields, false, &mut defines);
    let unknown_detail = compiler.unknown_detail(fields.get("card"));
    let items = compiler.for_each(&fields, table.as_ref());
    compiler.defines(&fields, true, &mut defines);
    let alive = match include_deceased {
        true => Some(None),
        false => compiler.checker.compile(ALIVE, None).ok().map(Some),
    };
    let question = kind.and_then(|kind| compiler.question(&fields, kind, items, table));
    let card = fields
        .get("card")
        .and_then(|n| compiler.card(n, kind, unknown_detail));
    if compiler.report.errors() == before {
        compiler.unused(&fields);
    }
    let Compiler {
        checker, report, ..
    } = compiler;

    let (kind, id, card) = (written?, id?, card?);
    let at = match kind {
        Kind::CareGap => MEASURES,
        Kind::Alert | Kind::Family => ALERTS,
    };
    let artifact = Artifact {
        url: format!("{at}{id}").into(),
        id: id.into(),
        version: version?.into(),
        title: title?.into(),
    };
    let expressions = Expressions {
        defines: defines.compiled.into_iter().collect::<Option<_>>()?,
        alive: alive?,
        question: question?,
        card: card.program?,
    };
    let program = Program {
        define_names: defines.names,
        of_library: defines.of_library,
        sets: sets.iter().map(|(_, set)| Arc::clone(set)).collect(),
        drugs: Arc::clone(&surroundings.drugs),
        expressions,
    };
    let requirements = checker.requirements().to_vec();
    let compared = checker.compared();
    let mut coded_elements: Vec<_> = compared.iter().map(|(element, _)| *element).collect();
    coded_elements.dedup();
    let rule = Rule {
        artifact,
        kind,
        status: match status {
            Some(status) => status?,
            None => Status::default(),
        },
        owner,
        review,
        hooks,
        description: description?,
        rationale: rationale?,
        source: source?,
        improvement,
        cooldown_days,
        include_deceased,
        on_unknown: on_unknown?,
        unknown_summary: card.unknown_summary?,
        needed: needed(&program, &requirements),
        coded_elements,
        compared,
        value_sets: sets,
        cases,
        warnings: vec![],
        content: String::new(),
        places: places(report, &fields, &program, defines.spans),
        file: report.text.file().to_owned(),
        draft_types: checker.draft_types().to_vec(),
        requirements,
        program,
    };
    let card = fields.get("card").map(|n| &n.value);
    if let Some(Value::Mapping(entries)) = card {
        let from = entries.iter().find(|e| e.key == "indicator_from");
        urgency::check(report, &rule, from.map(|e| &e.value));
    }
    Some(rule)
}

/// The kind, by which the other fields are looked at.
fn kind(report: &mut Report<'_>, root: &Node) -> Option<Kind> {
    let Value::Mapping(entries) = &root.value else {
        return None;
    };
    let entry = entries.iter().find(|e| e.key == "kind")?;
    (!entry.value.is_nothing()).then_some(())?;
    report.enumerated(&entry.value)
}

/// The kind that the fields are of.
fn guessed(root: &Node) -> Option<Kind> {
    let Value::Mapping(entries) = &root.value else {
        return None;
    };
    let has = |name: &str| entries.iter().any(|e| e.key == name);
    match (has("when"), has("table")) {
        (_, true) => Some(Kind::Family),
        (true, false) => Some(Kind::Alert),
        (false, false) => has("eligible").then_some(Kind::CareGap),
    }
}

/// The hooks; a care gap is asked when the chart is opened.
fn hooks(report: &mut Report<'_>, fields: &Fields<'_>, kind: Option<Kind>) -> Vec<Hook> {
    let Some(node) = fields.get("hooks") else {
        return match kind {
            Some(Kind::CareGap) => vec![Hook::PatientView],
            _ => vec![],
        };
    };
    let mut hooks = vec![];
    for item in report.items(node, "`hooks`") {
        let Some(hook) = report.hook(item) else {
            continue;
        };
        if hooks.contains(&hook) {
            let message = format!("`{}` stands here a second time", hook.as_str());
            report.wrong::<()>(Code::WrongValue, message, item, "keep one of them");
        }
        hooks.push(hook);
    }
    if let Value::Sequence(items) = &node.value
        && items.is_empty()
    {
        let help = "as in `[order-select, order-sign]`";
        report.wrong::<()>(Code::MissingField, "`hooks` is empty".into(), node, help);
    }
    hooks
}

fn cooldown(report: &mut Report<'_>, node: &Node) -> Option<u32> {
    let object = RULE.field("cooldown").map(|f| f.shape)?;
    let crate::document::Shape::Object(object) = object else {
        return None;
    };
    let fields = report.fields(node, object, None)?;
    fields.get("days").and_then(|n| report.whole(n, 1, 3650))
}

fn review(report: &mut Report<'_>, node: &Node) -> Option<DateTime> {
    let text = report.line(node)?;
    let date = DateTime::parse(&text).filter(|d| d.precision() == Precision::Day);
    date.or_else(|| {
        let message = format!("`{text}` is not a date");
        report.wrong(Code::WrongValue, message, node, "as in `2027-01-01`")
    })
}

/// Where what cases are about stands.
fn places(
    report: &Report<'_>,
    fields: &Fields<'_>,
    program: &Program,
    defines: Vec<Span>,
) -> Places {
    let at = |node: &Node| report.text.span((node.at, node.end));
    let nowhere = || Span::line(1, None);
    let of = |name: &str| fields.get(name).map_or_else(nowhere, at);
    let terms = |name: &str, compiled: &engine_cel::Compiled| {
        let node = fields.get(name);
        let terms = compiled.alternatives().into_iter().map(|term| match node {
            Some(node) => report.text.span(report.text.span_in(node, term)),
            None => nowhere(),
        });
        terms.collect()
    };
    let (excluded_terms, satisfied_terms) = match &program.expressions.question {
        Question::Gap(gap) => (
            terms("excluded", &gap.excluded),
            terms("satisfied", &gap.satisfied),
        ),
        Question::Alert(_) => (vec![], vec![]),
    };
    Places {
        cases: fields
            .get("cases")
            .map_or_else(nowhere, |n| report.text.span((n.at, n.at + 1))),
        eligible: of("eligible"),
        excluded: of("excluded"),
        satisfied: of("satisfied"),
        for_each: of("for_each"),
        table: of("table"),
        when: of("when"),
        acted_on: of("acted_on"),
        due: of("due"),
        excluded_terms,
        satisfied_terms,
        defines,
    }
}

/// The requirements of which each patient who is eligible has a match: those of the patient's own
/// resources by their own codes. A medication's code may stand behind a reference.
fn needed(program: &Program, requirements: &[DataRequirement]) -> Vec<usize> {
    let expressions = &program.expressions;
    let asked = match &expressions.question {
        Question::Gap(gap) => &gap.eligible,
        Question::Alert(alert) => &alert.when,
    };
    let needs = asked.needs(&expressions.defines);
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
    let fields = report.fields(node, &SOURCE, None)?;
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
    let url = fields.get("url").and_then(|n| report.url(n));
    Some(Source {
        title: title?,
        publisher: publisher?,
        year: year?,
        url: url?,
        strength: strength?,
    })
}
