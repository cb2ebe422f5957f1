//! The expressions of a file, checked; problems come with their place in it.

use engine_cel::{Checker, Compiled, Ty};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, Finding, Severity, Span};
use engine_patient::terminology::TerminologyProvider;

use super::elsewhere;
use super::fields::Report;
use crate::program::{Fragment, Template};
use crate::template::{Part, SUMMARY_LENGTH, parse};
use crate::yaml::Node;

/// Stands for a definition that is wrong, so that its users are not blamed too: of type "anything".
pub(super) const ANYTHING: &str = "[][0]";

/// Checks the expressions of a rule, one after the other.
pub(super) struct Compiler<'r, 't> {
    pub report: &'r mut Report<'t>,
    pub checker: Checker,
    pub terminology: &'r dyn TerminologyProvider,
}

impl Compiler<'_, '_> {
    /// The expression at a node.
    pub fn expression(&mut self, node: Option<&Node>, wanted: Option<&Ty>) -> Option<Compiled> {
        let node = node?;
        let source = match node.scalar() {
            // That an expression is empty the language tells.
            Some(scalar) => scalar.text.clone(),
            None => self.report.text_of(node)?,
        };
        if let Some(inner) = held(&source) {
            let message = "an expression stands here by itself, without `{{ }}`".to_owned();
            let help = format!("write `{inner}`; `{{{{ }}}}` is for expressions within a text");
            return self.report.wrong(Code::Template, message, node, &help);
        }
        self.part(node, &source, 0, wanted)
    }

    /// An expression that begins at a character of a node's text.
    fn part(
        &mut self,
        node: &Node,
        source: &str,
        start: usize,
        wanted: Option<&Ty>,
    ) -> Option<Compiled> {
        match self.checker.compile(source, wanted) {
            Ok(mut compiled) => {
                for warning in std::mem::take(&mut compiled.warnings) {
                    self.tell(node, start, warning);
                }
                Some(compiled)
            }
            Err(problems) => {
                for problem in problems {
                    self.tell(node, start, problem);
                }
                None
            }
        }
    }

    fn tell(&mut self, node: &Node, start: usize, finding: Finding) {
        let (from, to) = finding.chars();
        let span = self.report.text.span_in(node, (start + from, start + to));
        let written = self
            .report
            .text
            .chars()
            .get(span.0..span.1)
            .unwrap_or_default();
        let written: String = written.iter().collect();
        let finding = elsewhere::told(of_rule(finding), &written, self.terminology);
        self.report.add(finding, span);
    }

    /// A text with expressions in it.
    pub fn template(&mut self, node: Option<&Node>) -> Option<Template> {
        self.parts(node, showable)
    }

    /// The same for a value of a resource of a FHIR type, which may also be a copy of an element.
    pub fn hole(&mut self, node: &Node, wanted: &str) -> Option<Template> {
        self.parts(Some(node), |compiled| match &compiled.ty {
            Ty::Bool if wanted == "boolean" => None,
            Ty::Element(ty) if Model::r4().is_a(ty, wanted) => None,
            Ty::Element(ty) => {
                let message = format!("this is a `{ty}`, and a `{wanted}` is wanted");
                let help = match wanted {
                    "Reference" => "of a resource: `{{ reference(x) }}`",
                    _ => "name an element of that type, or write its value",
                };
                Some(marked(compiled, message, help))
            }
            _ => showable(compiled),
        })
    }

    fn parts(
        &mut self,
        node: Option<&Node>,
        refused: impl Fn(&Compiled) -> Option<Finding>,
    ) -> Option<Template> {
        let node = node?;
        let parts = parts(self.report, node)?;
        let mut fragments = vec![];
        let mut whole = true;
        for part in parts {
            match part {
                Part::Text(text) => {
                    single_braces(self.report, node, &text);
                    fragments.push(Fragment::Text(text));
                }
                Part::Expression(source, start) => {
                    let compiled = self.part(node, &source, start, None);
                    match compiled.as_ref().map(&refused) {
                        None => whole = false,
                        Some(Some(problem)) => {
                            self.tell(node, start, problem);
                            whole = false;
                        }
                        Some(None) => fragments.extend(compiled.map(Fragment::Value)),
                    }
                }
            }
        }
        whole.then_some(fragments)
    }
}

/// The parts of a text with expressions in it.
pub(super) fn parts(report: &mut Report<'_>, node: &Node) -> Option<Vec<Part>> {
    let text = report.text_of(node)?;
    match parse(&text) {
        Ok(parts) => Some(parts),
        Err(open) => {
            let span = report.text.span_in(node, (open, open + 2));
            let help = "write `}}` after the expression".to_owned();
            let message = "`{{` is never closed".to_owned();
            report.error(Code::Template, message, span, Some(help));
            None
        }
    }
}

/// `x` in `{{ x }}`, where that is all.
fn held(source: &str) -> Option<&str> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    Some(inner.trim())
}

/// Warns of `{ drugName(order) }`, which the card would show as it is written.
fn single_braces(report: &mut Report<'_>, node: &Node, text: &str) {
    for (at, _) in text.match_indices('{') {
        let Some((inner, _)) = text.get(at + 1..).and_then(|rest| rest.split_once('}')) else {
            continue;
        };
        let spaced = inner.starts_with(' ') && inner.ends_with(' ');
        let called = inner.contains('(') && inner.trim_end().ends_with(')');
        let begins = inner.trim().starts_with(|c: char| c.is_ascii_alphabetic());
        if !begins || !(spaced || called) {
            continue;
        }
        let inner = inner.trim();
        let written = report
            .text
            .chars()
            .get(node.at..node.end)
            .unwrap_or_default();
        let written: String = written.iter().collect();
        let marked = written
            .find(&format!("{{{inner}}}"))
            .or_else(|| written.find(&format!("{{ {inner} }}")));
        let from = marked.map_or(node.at, |at| {
            node.at + written.get(..at).map_or(0, |before| before.chars().count())
        });
        let message = format!("`{{ {inner} }}` is shown as it is written");
        let help = format!("write `{{{{ {inner} }}}}` to show the value");
        report.warning(Code::Template, message, (from, from + 1), Some(help));
    }
}

/// Refuses a summary whose fixed text alone is too long for a card.
pub(super) fn summary_length(report: &mut Report<'_>, node: Option<&Node>) {
    let Some(text) = node.and_then(Node::scalar) else {
        return;
    };
    let (Some(node), Ok(parts)) = (node, parse(&text.text)) else {
        return;
    };
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Part::Expression(..) => None,
    });
    let length: usize = texts.map(|t| t.chars().count()).sum();
    if length > SUMMARY_LENGTH {
        let message = format!("the summary has {length} characters, {SUMMARY_LENGTH} is the most");
        let help = "put the rest in `detail`".to_owned();
        report.error(Code::TooLong, message, (node.at, node.end), Some(help));
    }
}

/// A condition with one outcome may stand in an expression, and in no rule.
fn of_rule(mut finding: Finding) -> Finding {
    if matches!(finding.code, Code::NeverHolds | Code::AlwaysHolds) {
        finding.severity = Severity::Error;
    }
    finding
}

/// What is wrong with showing this on a card.
fn showable(compiled: &Compiled) -> Option<Finding> {
    let help = match &compiled.ty {
        Ty::String | Ty::Int | Ty::Double | Ty::Time | Ty::Any | Ty::Drugs => return None,
        Ty::Bool => "choose a text: `x ? \"yes\" : \"no\"`",
        Ty::List(_) => "say which: `.latest()`, `.first()`, or how many: `.size()`",
        _ => "take the number of a quantity: `quantityIn(x.value, \"%\")`",
    };
    let message = format!(
        "a card can show a text, a number or a date, this is {}",
        compiled.ty
    );
    Some(marked(compiled, message, help))
}

/// An error at a whole expression.
fn marked(compiled: &Compiled, message: String, help: &str) -> Finding {
    let source = compiled.source.as_ref();
    let length = source.trim_end().chars().count();
    let start = source.chars().take_while(|c| c.is_whitespace()).count();
    let error = Finding::error(Code::WrongType, message).help(help);
    error.spanning(Span::chars(start, length))
}
