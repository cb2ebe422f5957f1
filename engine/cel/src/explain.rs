//! Why an expression came out as it did: its clauses, each with its own outcome.

use super::evaluate::Evaluation;
use super::functions::{Returns, Role};
use super::nodes::{Compiled, Fold, Node, NodeKind, Span};
use super::value::Val;
use engine_patient::describe::{Described, described, text_of};
use engine_patient::program::EvaluationError;
use engine_patient::system::truth::Truth;
use engine_patient::terminology::ValueSet;

/// A part of a criterion. Shows values of the patient: for the clinician's eyes, never for a log.
#[derive(Clone, Default, Debug)]
pub struct Clause {
    /// The source text.
    pub text: String,
    /// `true`, `false` or `unknown`; `None` where it is not a yes or no.
    pub truth: Option<Truth>,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// Its value, where it is no truth value: a number, a date, a resource, how many items.
    pub value: Option<String>,
    /// The items of a list, a resource with its code, date and value; at most [`ITEMS`].
    pub items: Vec<String>,
    /// Of `exists`, `all` and the like: what each item came to, and which part of the condition decided. Of a
    /// step that narrows a list, as `.active()`: the items that it leaves out. At most [`ITEMS`], the latest
    /// first.
    pub tried: Vec<Tried>,
    /// Of how many items that is not told.
    pub more: usize,
    /// What it was compared with: the value set with its url and how many codes it has, the drugs or class.
    pub compared: Option<String>,
    /// Whether it is the name of a definition: a reader needs its parts once.
    pub is_definition: bool,
    /// The parts it is made of.
    pub clauses: Vec<Clause>,
}

/// What an item of a list came to in a condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// The item: a resource with its code, date and value.
    pub item: String,
    /// Whether the condition holds for it.
    pub truth: Truth,
    /// The part of the condition that decided, with the values that it compared.
    pub because: String,
}

/// What is written there, on one line.
pub(crate) fn written(source: &[char], (start, end): Span) -> String {
    let text: String = source.get(start..end).unwrap_or_default().iter().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Most items of a list that are told, the latest first.
pub const ITEMS: usize = 5;

/// Yes, no or unknown; a value of another kind is unknown with a reason.
pub fn truth_of(value: &Val<'_>) -> (Truth, Option<String>) {
    match value {
        Val::Bool(true) => (Truth::True, None),
        Val::Bool(false) => (Truth::False, None),
        Val::Unknown(reason) => (Truth::Unknown, Some(reason.to_string())),
        _ => (
            Truth::Unknown,
            Some("the criterion is not true or false".into()),
        ),
    }
}

impl<'r> Evaluation<'r> {
    /// The outcome of an expression, part by part.
    ///
    /// # Errors
    /// Where something is not as the checker left it: our bug.
    pub fn explain(&self, compiled: &'r Compiled) -> Result<Clause, EvaluationError> {
        self.rest();
        let clause = self.whole(compiled, 0);
        self.sound(clause)
    }

    /// The outcome of an expression or definition.
    fn whole(&self, compiled: &'r Compiled, depth: usize) -> Clause {
        let source: Vec<char> = compiled.source.chars().collect();
        let mut locals = compiled.locals();
        self.within(compiled, || {
            self.clause(&compiled.node, &source, &mut locals, depth)
        })
    }

    fn clause(
        &self,
        node: &'r Node,
        source: &[char],
        locals: &mut Vec<Val<'r>>,
        depth: usize,
    ) -> Clause {
        let value = self.node(node, locals);
        let (start, end) = node.span;
        let text = written(source, (start, end));
        let (truth, reason, shown) = match &value {
            Val::Bool(_) => (Some(truth_of(&value).0), None, None),
            Val::Unknown(reason) => (Some(Truth::Unknown), Some(reason.to_string()), None),
            other => (None, None, Some(told(other))),
        };
        let items = match &value {
            Val::List(items) => latest(items),
            _ => vec![],
        };
        let parts: Vec<&'r Node> = match &node.kind {
            NodeKind::And(terms) | NodeKind::Or(terms) => terms.iter().collect(),
            NodeKind::Not(inner) => vec![inner.as_ref()],
            NodeKind::Order(_, pair) | NodeKind::Equal(pair) | NodeKind::NotEqual(pair) => {
                pair.iter().collect()
            }
            NodeKind::Call(_, args) => args.iter().collect(),
            NodeKind::Conditional(parts) => parts.iter().collect(),
            // What its condition comes to is told by item.
            NodeKind::Fold(_, inner) => vec![&inner.range],
            NodeKind::Select(select) => vec![&select.operand],
            _ => vec![],
        };
        let interesting = |n: &&Node| match &n.kind {
            NodeKind::Constant(_) | NodeKind::Local(_) | NodeKind::Patient | NodeKind::At => false,
            // `years(10)` says what it is.
            NodeKind::Call(info, _) => info.returns != Returns::Duration,
            _ => true,
        };
        let (tried, more) = match &node.kind {
            NodeKind::Fold(fold, inner) if depth < 12 && *fold != Fold::Filter => {
                self.tried(inner, source, locals)
            }
            NodeKind::Call(row, args) if depth < 12 && row.role == Role::Filter => {
                self.left_out(node, args, &value, source, locals)
            }
            _ => (vec![], 0),
        };
        let mut clauses = vec![];
        if depth < 12 {
            for part in parts.into_iter().filter(interesting) {
                clauses.push(self.clause(part, source, locals, depth + 1));
            }
            // The latest of the list, which the number is taken of.
            if let NodeKind::Call(info, _) = &node.kind
                && info.role == Role::LatestValue
                && shown.is_some()
                && let Some(list) = clauses.first()
                && let Some(latest) = list.items.first()
            {
                let latest = Clause {
                    text: format!("{}.latest()", list.text),
                    value: Some(latest.clone()),
                    ..Clause::default()
                };
                clauses.insert(0, latest);
            }
            if let NodeKind::Define(index) = node.kind
                && let Some(definition) = self.definition(index)
            {
                clauses.push(self.whole(definition, depth + 1));
            }
        }
        Clause {
            text,
            truth,
            reason,
            value: shown,
            items,
            tried,
            more,
            compared: self.compared_with(node, locals),
            is_definition: matches!(node.kind, NodeKind::Define(_)),
            clauses,
        }
    }
}

impl<'r> Evaluation<'r> {
    /// Which value sets, drugs or classes a node asks for; of `exists` and the like, its condition.
    fn compared_with(&self, node: &'r Node, locals: &mut Vec<Val<'r>>) -> Option<String> {
        match &node.kind {
            NodeKind::Retrieve(index) => {
                let codes = self.requirement(*index)?.codes.as_ref()?;
                Some(set_told(&codes.value_set))
            }
            NodeKind::InValueSet(_, index, _) => Some(set_told(self.value_set(*index)?)),
            NodeKind::Call(_, args) => {
                let told = drugs_told(args)?;
                let has = match self.node(args.first()?, locals) {
                    Val::Element(resource) => self.ingredient_names(resource),
                    _ => vec![],
                };
                Some(match has.is_empty() {
                    true => told,
                    false => format!("{told}; its own: {}", has.join(", ")),
                })
            }
            NodeKind::Fold(_, inner) => {
                let (mut told, mut open) = (vec![], vec![&inner.body]);
                while let Some(part) = open.pop() {
                    told.extend(match &part.kind {
                        NodeKind::InValueSet(_, index, _) => {
                            self.value_set(*index).map(|set| set_told(set))
                        }
                        NodeKind::Call(_, args) => drugs_told(args),
                        _ => None,
                    });
                    open.extend(part.parts().into_iter().rev());
                }
                told.dedup();
                (!told.is_empty()).then(|| told.join("; "))
            }
            _ => None,
        }
    }
}

/// `value set “Diabetes”, https://…|2025.1, 280 codes`
fn set_told(set: &ValueSet) -> String {
    let title = set.title.as_ref().or(set.name.as_ref());
    let title = title
        .map(|title| format!("“{title}”, "))
        .unwrap_or_default();
    let codes = match set.len() {
        1 => "1 code".to_owned(),
        n => format!("{n} codes"),
    };
    format!("value set {title}{}, {codes}", set.canonical())
}

/// The drugs or class that a function is called with.
fn drugs_told(args: &[Node]) -> Option<String> {
    let [_, drugs] = args else { return None };
    let NodeKind::Constant(Val::Drugs(set)) = &drugs.kind else {
        return None;
    };
    let members = match set.members().len() {
        1 => "1 ingredient".to_owned(),
        n => format!("{n} ingredients"),
    };
    Some(format!("drugs “{}”, {members}", set.name))
}

/// What is said of an empty list.
pub const NONE: &str = "no items";

/// A value as an explanation has it: of a list how many items, of a resource what it is known by.
pub(crate) fn told(value: &Val<'_>) -> String {
    match value {
        Val::List(items) if items.is_empty() => NONE.to_owned(),
        Val::List(items) if items.iter().any(is_resource) => match items.len() {
            1 => "1 item".to_owned(),
            n => format!("{n} items"),
        },
        Val::Element(e) => described(*e)
            .map_or_else(|| text_of(*e), |d| Some(d.to_string()))
            .unwrap_or_else(|| show(value)),
        other => show(other),
    }
}

fn is_resource(value: &Val<'_>) -> bool {
    matches!(value.item().0, Val::Element(e) if e.resource_type().is_some())
}

/// The resources of a list, those of the latest date first.
fn latest(items: &[Val<'_>]) -> Vec<String> {
    let resources = items.iter().filter_map(|item| match item.item().0 {
        Val::Element(e) => described(*e),
        _ => None,
    });
    let mut resources: Vec<Described> = resources.collect();
    resources.sort_by(|a, b| b.date.cmp(&a.date));
    let told = resources.iter().take(ITEMS).map(ToString::to_string);
    told.collect()
}

/// A value for people.
pub fn show(value: &Val<'_>) -> String {
    show_within(value, 0)
}

/// Lists within lists within lists are only counted.
fn show_within(value: &Val<'_>, lists: usize) -> String {
    match value {
        Val::Bool(b) => b.to_string(),
        Val::Int(i) => i.to_string(),
        Val::Decimal(d) => d.normalize().to_string(),
        Val::Str(s) => s.to_string(),
        Val::Time(t) => t.to_string(),
        Val::Duration(d) => {
            let parts = [
                (i64::from(d.months), "months"),
                (i64::from(d.days), "days"),
                (d.millis / 3_600_000, "hours"),
            ];
            let parts = parts
                .iter()
                .filter(|(n, _)| *n != 0)
                .map(|(n, unit)| format!("{n} {unit}"));
            parts.collect::<Vec<_>>().join(" ")
        }
        Val::Drugs(drugs) => drugs.name.to_string(),
        Val::Element(e) => match (e.resource_type(), e.get_str("id")) {
            (Some(ty), Some(id)) => format!("{}/{id}", ty.as_str()),
            (Some(ty), None) => ty.as_str().to_owned(),
            _ => e.raw().chars().take(120).collect(),
        },
        Val::List(items) if lists > 1 => format!("{} […]", items.len()),
        Val::List(items) => {
            let shown = items.iter().take(8).map(|i| show_within(i, lists + 1));
            let shown: Vec<String> = shown.collect();
            let more = items.len().saturating_sub(shown.len());
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("{} [{}{more}]", items.len(), shown.join(", "))
        }
        Val::Either(all, _) => {
            let all: Vec<Val<'_>> = all.iter().map(|one| Val::Element(*one)).collect();
            format!("one of {}", show_within(&Val::List(all.into()), lists))
        }
        Val::Maybe(value, _) => format!("perhaps {}", show_within(value, lists)),
        Val::Between(..) => value.bounds_in_words().unwrap_or_default(),
        Val::Unknown(reason) => format!("unknown: {reason}"),
    }
}
