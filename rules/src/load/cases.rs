//! The tests in a rule's file.

use engine_patient::finding::Code;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::truth::Truth;

use super::fields::{Fields, Report};
use super::resource;
use crate::case::{Case, Expectation};
use crate::document::{CASE, EXPECT};
use crate::outcome::Applicability;
use crate::words::{Hook, Kind, OnUnknown};
use crate::yaml::Node;

const TRUTH: &[(&str, Truth)] = &[
    ("true", Truth::True),
    ("false", Truth::False),
    ("unknown", Truth::Unknown),
];
const APPLIES: &[(&str, Applicability)] = &[
    ("yes", Applicability::Applies),
    ("no", Applicability::DoesNotApply),
    ("unknown", Applicability::Unknown),
];

/// Reads the cases, and demands one that applies, one that does not, and, of a care gap and of what tells
/// that it could not be checked, one with data missing.
pub(super) fn cases(
    report: &mut Report<'_>,
    node: &Node,
    kind: Option<Kind>,
    hooks: &[Hook],
    on_unknown: Option<OnUnknown>,
) -> Vec<Case> {
    let before = report.errors();
    let items = report.items(node, "`cases`");
    let mut cases: Vec<Case> = vec![];
    for item in items {
        let Some(case) = case(report, item, kind, hooks) else {
            continue;
        };
        if cases.iter().any(|c| c.name == case.name) {
            report.wrong::<()>(
                Code::DuplicateCase,
                format!("there is another case `{}`", case.name),
                item,
                "give each its own name",
            );
        }
        cases.push(case);
    }
    if report.errors() == before {
        let wanted = [
            (Applicability::Applies, "a patient for whom the rule fires"),
            (
                Applicability::DoesNotApply,
                "a patient for whom it does not fire",
            ),
            (Applicability::Unknown, "a patient whose data is missing"),
        ];
        let silent = kind != Some(Kind::CareGap) && on_unknown != Some(OnUnknown::Card);
        for (applies, what) in wanted {
            if silent && applies == Applicability::Unknown {
                continue;
            }
            if !cases.iter().any(|c| c.expect.applies == applies) {
                let message = format!("no case shows {what}");
                let help = format!("add one with `expect: {{applies: {}}}`", applies.as_str());
                report.error(
                    Code::MissingCase,
                    message,
                    (node.at, node.at + 1),
                    Some(help),
                );
            }
        }
    }
    cases
}

fn case(report: &mut Report<'_>, node: &Node, kind: Option<Kind>, hooks: &[Hook]) -> Option<Case> {
    let fields = report.fields(node, &CASE, kind)?;
    let name = report.paragraph(fields.get("name"));
    let at = fields.get("at").and_then(|n| moment(report, n));
    let mut resources = vec![];
    if let Some(patient) = fields.get("patient") {
        resources.extend(resource::of_type(
            report,
            patient,
            "Patient",
            Some("patient"),
        ));
    }
    if let Some(list) = fields.get("resources") {
        for (index, item) in report.items(list, "`resources`").iter().enumerate() {
            resources.extend(resource::any(report, item, index + 1));
        }
    }
    let mut unavailable = vec![];
    if let Some(list) = fields.get("unavailable") {
        for item in report.items(list, "`unavailable`") {
            unavailable.extend(resource::resource_type(report, item));
        }
    }
    let hook = hook(report, &fields, hooks);
    let user = fields.get("user").and_then(|n| reference(report, n));
    let mut drafts = vec![];
    if let Some(list) = fields.get("drafts") {
        for (index, item) in report.items(list, "`drafts`").iter().enumerate() {
            drafts.extend(resource::draft(report, item, index + 1));
        }
        // Of hooks that were not understood nothing is known.
        if !hooks.is_empty() && !hook.is_none_or(Hook::has_drafts) {
            let message = "this hook has no drafts".to_owned();
            let help = "write `hook: order-sign`, or put the resources into `resources`";
            report.wrong::<()>(Code::WrongValue, message, list, help);
        }
    }
    let mut selections = None;
    if let Some(list) = fields.get("selections") {
        let mut selected = vec![];
        for item in report.items(list, "`selections`") {
            selected.extend(reference(report, item));
        }
        if hook.is_some_and(|h| h != Hook::OrderSelect) {
            let message = "only `order-select` has selections".to_owned();
            let help = "write `hook: order-select`, or remove them: all drafts are meant";
            report.wrong::<()>(Code::WrongValue, message, list, help);
        }
        selections = Some(selected);
    }
    let expect = fields
        .get("expect")
        .and_then(|n| expectation(report, n, kind));
    let (line, _) = report.text.position(node.at);
    Some(Case {
        name: name?,
        line,
        at: at?,
        resources,
        unavailable,
        hook: hook?,
        user,
        drafts,
        selections,
        expect: expect?,
    })
}

/// The hook that calls: one of the rule's.
fn hook(report: &mut Report<'_>, fields: &Fields<'_>, hooks: &[Hook]) -> Option<Hook> {
    let Some(node) = fields.get("hook") else {
        // A rule without hooks was told already.
        return Some(hooks.first().copied().unwrap_or(Hook::PatientView));
    };
    let hook = report.hook(node)?;
    if !hooks.is_empty() && !hooks.contains(&hook) {
        let message = format!("`{}` is none of the rule's `hooks`", hook.as_str());
        return report.wrong(
            Code::WrongValue,
            message,
            node,
            "add it to `hooks`, or name one of them",
        );
    }
    Some(hook)
}

/// `Type/id`
fn reference(report: &mut Report<'_>, node: &Node) -> Option<String> {
    let text = report.line(node)?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let right = text.split_once('/').is_some_and(|(ty, id)| {
        engine_patient::fhir::model::Model::r4()
            .resource(ty)
            .is_some()
            && !id.is_empty()
            && id.chars().all(good)
    });
    if !right {
        let message = format!("`{text}` does not name a resource");
        let help = "its type and id, as in `MedicationRequest/draft-1`";
        return report.wrong(Code::WrongValue, message, node, help);
    }
    Some(text)
}

fn moment(report: &mut Report<'_>, node: &Node) -> Option<DateTime> {
    let text = report.line(node)?;
    let time = DateTime::parse(&text);
    let exact = time.filter(|t| t.precision() >= Precision::Second && t.offset().is_some());
    exact.or_else(|| {
        let message = format!("`{text}` is not an exact moment");
        report.wrong(
            Code::WrongValue,
            message,
            node,
            "date, time and offset, as in `2025-12-31T12:00:00Z`",
        )
    })
}

fn expectation(report: &mut Report<'_>, node: &Node, kind: Option<Kind>) -> Option<Expectation> {
    let fields = report.fields(node, &EXPECT, kind)?;
    let mut truth = |name: &str| fields.get(name).and_then(|n| report.word(n, TRUTH));
    let (eligible, excluded, satisfied) =
        (truth("eligible"), truth("excluded"), truth("satisfied"));
    let applies = fields.get("applies").and_then(|n| report.word(n, APPLIES));
    let summary = report.paragraph(fields.get("summary"));
    let summaries = texts(report, &fields, "summaries");
    let cards = fields.get("cards").and_then(|n| report.whole(n, 0, 10_000));
    let indicator = fields.get("indicator").and_then(|n| report.enumerated(n));
    let suggestions = texts(report, &fields, "suggestions");
    let reason = report.paragraph(fields.get("reason"));
    let due = fields.get("due").and_then(|n| {
        let text = report.line(n)?;
        let date = DateTime::parse(&text).map(|_| text.clone());
        date.or_else(|| {
            report.wrong(
                Code::WrongValue,
                format!("`{text}` is not a date"),
                n,
                "as in FHIR: `2025-12-31`",
            )
        })
    });
    Some(Expectation {
        eligible,
        excluded,
        satisfied,
        applies: applies?,
        summary,
        summaries,
        cards,
        indicator,
        suggestions,
        reason,
        due,
    })
}

fn texts(report: &mut Report<'_>, fields: &Fields<'_>, name: &str) -> Option<Vec<String>> {
    let node = fields.get(name)?;
    let items = report.items(node, &format!("`{name}`")).iter();
    let texts = items.map(|item| report.paragraph(Some(item)));
    texts.collect()
}
