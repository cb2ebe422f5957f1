//! What is not wrong with a rule and still worth a look before it is shipped: dates that have passed, a
//! summary that may not fit, data without a bound.

use engine_cel::Val;
use engine_patient::finding::{Code, Finding};
use engine_patient::system::date_time::DateTime;

use crate::every_expression::Expression;
use crate::program::Question;
use crate::rule::Rule;
use crate::template::SUMMARY_LENGTH;
use crate::written::{Written, field};
use crate::yaml::Node;

/// A source may be so many years old.
const YEARS: i32 = 10;

/// Types of which a patient may have thousands. Encounters are some dozens or hundreds, and the codes by which they
/// are told apart, their classes, are none that a value set can ask for.
const MANY: &[&str] = &[
    "Claim",
    "DiagnosticReport",
    "DocumentReference",
    "ExplanationOfBenefit",
    "MedicationAdministration",
    "Observation",
];

impl Rule {
    /// What is worth a look on a day, in the order of the file.
    pub fn lint(&self, file: &Written, today: DateTime) -> Vec<Finding> {
        let mut found = vec![];
        self.dates(file, today, &mut found);
        self.todos(file, &mut found);
        if file.field("owner").is_none() {
            let finding = Finding::info(Code::NoOwner, "nobody answers for this rule");
            let finding = finding.help("name a team: `owner: Diabetes working group`");
            found.push(file.text.placed(finding, (file.root.at, file.root.at + 1)));
        }
        let expressions = self.every_expression();
        self.unbounded(file, &expressions, &mut found);
        self.long_summary(file, &expressions, &mut found);
        found.sort_by_key(|f| (f.line(), f.column()));
        found
    }

    /// What the author has still to write.
    fn todos(&self, file: &Written, found: &mut Vec<Finding>) {
        for node in file.texts() {
            let text = node.scalar().map_or("", |s| s.text.trim());
            if text.contains("TODO") {
                let finding = Finding::error(Code::Todo, "this is still to be written");
                let finding = finding.help("write it, and remove `TODO`");
                found.push(file.text.placed(finding, (node.at, node.end)));
            }
        }
    }

    fn dates(&self, file: &Written, today: DateTime, found: &mut Vec<Finding>) {
        let day: String = today.to_string().chars().take(10).collect();
        let mut warn = |code, message: String, help: &str, node: &Node| {
            let finding = Finding::warning(code, message).help(help);
            found.push(file.text.placed(finding, (node.at, node.end)));
        };
        if let Some(node) = file.field("review")
            && let Some(review) = node.scalar().map(|s| s.text.trim())
            && review < day.as_str()
        {
            let message = format!("this rule should have been looked at again by {review}");
            let help = "read the source again, and set the date of the next time";
            warn(Code::ReviewDue, message, help, node);
        }
        let node = file.field("source").and_then(|n| field(n, "year"));
        let year: Option<i32> = day.get(..4).and_then(|y| y.parse().ok());
        if let (Some(node), Some(year)) = (node, year) {
            let old = year - i32::from(self.source.year);
            if old > YEARS {
                let of = self.source.year;
                let message = format!("the source is of {of}, {old} years ago");
                let help = "look for the edition that holds now";
                warn(Code::OldSource, message, help, node);
            }
        }
    }

    fn unbounded(&self, file: &Written, all: &[Expression<'_>], found: &mut Vec<Finding>) {
        for expression in all {
            let Some(place) = file.place_of(expression) else {
                continue;
            };
            for (index, span) in expression.compiled.retrieves() {
                let Some(requirement) = self.requirements.get(index) else {
                    continue;
                };
                let ty = requirement.resource_type.as_str();
                if requirement.codes.is_some() || !MANY.contains(&ty) {
                    continue;
                }
                let message =
                    format!("every {ty} of the patient is asked for, which may be thousands");
                let help =
                    format!("name a value set: `{ty}(\"…\")` asks for what is coded in it only");
                let finding = Finding::warning(Code::Unbounded, message).help(help);
                let finding = finding.in_file(self.file.as_str());
                found.push(finding.spanning(file.span(&place, span)));
            }
        }
    }

    fn long_summary(&self, file: &Written, all: &[Expression<'_>], found: &mut Vec<Finding>) {
        let node = file.field("card").and_then(|n| field(n, "summary"));
        let Some((node, text)) = node.and_then(|n| Some((n, &n.scalar()?.text))) else {
            return;
        };
        let values = all.iter().filter(|e| e.field == "card.summary");
        let values: usize = values
            .map(|e| e.compiled.longest(&|c| self.longest_cell(c)))
            .sum();
        let length = fixed(text) + values;
        if values > 0 && length > SUMMARY_LENGTH {
            let message = format!(
                "the summary can have {length} characters once its values are in it, {SUMMARY_LENGTH} is the most"
            );
            let finding = Finding::warning(Code::LongSummary, message)
                .help("put the longest part in `detail`: what is over is cut off at a word");
            found.push(file.text.placed(finding, (node.at, node.end)));
        }
    }

    /// The longest text of a column of the rule's table.
    fn longest_cell(&self, column: usize) -> usize {
        let Question::Alert(alert) = &self.program.expressions.question else {
            return 0;
        };
        let rows = alert.table.iter().flat_map(|table| &table.rows);
        let lengths = rows.filter_map(|row| match row.get(column) {
            Some(Val::Str(text)) => Some(text.chars().count()),
            _ => None,
        });
        lengths.max().unwrap_or(0)
    }
}

/// How many characters stand outside `{{ }}`.
fn fixed(text: &str) -> usize {
    use crate::template::{Part, parse};
    let parts = parse(text.trim()).unwrap_or_default();
    let lengths = parts.iter().map(|part| match part {
        Part::Text(text) => text.chars().count(),
        Part::Expression(..) => 0,
    });
    lengths.sum()
}
