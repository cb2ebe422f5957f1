//! The expressions of a file, checked; problems come with their place in it.

use engine_cel::{Checker, Compiled, Ty};
use engine_patient::fhir::model::Model;
use engine_patient::finding::{Code, Finding, Severity, Span};

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
        let finding = of_rule(finding);
        let (from, to) = finding.chars();
        let span = self.report.text.span_in(node, (start + from, start + to));
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
                Part::Text(text) => fragments.push(Fragment::Text(text)),
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
