//! The tests in a rule's file.

use engine_patient::finding::Code;
use engine_patient::system::date_time::{DateTime, Precision};
use engine_patient::system::truth::Truth;

use super::fields::Report;
use super::resource;
use crate::case::{Case, Expectation};
use crate::outcome::Applicability;
use crate::yaml::Node;

const CASE: &[&str] = &[
    "name",
    "at",
    "expect",
    "patient",
    "resources",
    "unavailable",
];
const EXPECT: &[&str] = &[
    "applies",
    "eligible",
    "excluded",
    "satisfied",
    "summary",
    "reason",
    "due",
];
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

/// Reads the cases, and demands one that applies, one that does not, and one with data missing.
pub(super) fn cases(report: &mut Report<'_>, node: &Node) -> Vec<Case> {
    let before = report.errors();
    let items = report.items(node, "`cases`");
    let mut cases: Vec<Case> = vec![];
    for item in items {
        let Some(case) = case(report, item) else {
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
        for (applies, what) in wanted {
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

fn case(report: &mut Report<'_>, node: &Node) -> Option<Case> {
    let fields = report.fields(node, "a case", CASE, 3)?;
    let name = report.paragraph(fields.get("name"));
    let at = fields.get("at").and_then(|n| moment(report, n));
    let mut resources = vec![];
    if let Some(patient) = fields.get("patient") {
        resources.extend(resource::of_type(report, patient, "Patient", "patient"));
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
    let expect = fields.get("expect").and_then(|n| expectation(report, n));
    let (line, _) = report.text.position(node.at);
    Some(Case {
        name: name?,
        line,
        at: at?,
        resources,
        unavailable,
        expect: expect?,
    })
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

fn expectation(report: &mut Report<'_>, node: &Node) -> Option<Expectation> {
    let fields = report.fields(node, "`expect`", EXPECT, 1)?;
    let mut truth = |name: &str| fields.get(name).and_then(|n| report.word(n, TRUTH));
    let (eligible, excluded, satisfied) =
        (truth("eligible"), truth("excluded"), truth("satisfied"));
    let applies = fields.get("applies").and_then(|n| report.word(n, APPLIES));
    let summary = report.paragraph(fields.get("summary"));
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
        reason,
        due,
    })
}
