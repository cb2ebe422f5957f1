//! What a translator made of the author's text, recognised: conversions, queries over single elements,
//! choices by type. A reader is shown what the author wrote.

use crate::inspect::expressions::ExpressionView;
use crate::operators::operator::Spelling;
use crate::tree::constant::Constant;
use crate::tree::libraries::CompiledLibraries;
use crate::tree::node::{IntervalNode, Kind, Node};
use crate::tree::query::Query;

/// The last step of a property, through conversions.
pub fn last_step(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Property(_, path) => path.segments.last().map(|s| &*s.name),
        _ => None,
    }
}

pub fn is_birth_date(node: &Node, compiled: &CompiledLibraries) -> bool {
    let of = ExpressionView::new(compiled, node).unconverted().node;
    match &of.kind {
        Kind::Property(source, path) => {
            let named = path.segments.iter().any(|s| &*s.name == "birthDate");
            named || is_birth_date(source, compiled)
        }
        _ => false,
    }
}

/// What a conversion or cast is of.
fn bare(node: &Node) -> &Node {
    match &node.kind {
        Kind::As(inner, ..) | Kind::Once(_, inner) => bare(inner),
        Kind::Op(operator, args, _) => match (operator.spelling, &**args) {
            (Spelling::Nothing, [inner]) => bare(inner),
            _ => node,
        },
        _ => node,
    }
}

/// The interval whose bounds these are: `Interval[X.low, X.high]` with its own ends.
pub fn whole_of(interval: &IntervalNode) -> Option<&Node> {
    let of = |node: &'_ Node, step: &str| match &node.kind {
        Kind::Property(_, path) => matches!(&*path.segments, [one] if &*one.name == step),
        _ => false,
    };
    let closed = of(bare(&interval.low_closed), "lowClosed");
    match &bare(&interval.low).kind {
        Kind::Property(source, path) => {
            let low = matches!(&*path.segments, [one] if &*one.name == "low");
            (closed && low).then_some(&**source)
        }
        _ => None,
    }
}

/// The source of a query that a translator made: it gives each item of it, converted.
pub fn source_of_query(query: &Query) -> Option<&Node> {
    let [source] = &*query.sources else {
        return None;
    };
    let plain = query.lets.is_empty()
        && query.relationships.is_empty()
        && query.condition.is_none()
        && query.aggregate.is_none()
        && query.sort.is_empty();
    let made = matches!(&*source.alias, "X" | "$this") && plain;
    let (result, _) = query.result.as_ref()?;
    let itself = matches!(bare(result).kind, Kind::Local(slot) if slot == source.slot);
    (made && itself).then_some(&source.expression)
}

pub fn source_of_made(node: &Node) -> Option<&Node> {
    match &node.kind {
        Kind::Query(query) => source_of_query(query).map(bare),
        Kind::Case(..) => choice_of(node).map(bare),
        _ => None,
    }
}

/// What a `case` converts that only asks what type a choice is of: `performed`, as whatever it is.
pub fn choice_of(node: &Node) -> Option<&Node> {
    let Kind::Case(None, items, otherwise) = &node.kind else {
        return None;
    };
    let nothing = matches!(bare(otherwise).kind, Kind::Const(Constant::Null));
    let mut found = None;
    for (when, then) in items {
        let Kind::Is(asked, _) = &when.kind else {
            return None;
        };
        let (asked, given) = (bare(asked), bare(then));
        let same = match (&asked.kind, &given.kind) {
            (Kind::Property(_, a), Kind::Property(_, b)) => {
                let names = |p: &crate::fhir::property::Path| -> Vec<Box<str>> {
                    p.segments.iter().map(|s| s.name.clone()).collect()
                };
                names(a) == names(b)
            }
            (Kind::Local(a), Kind::Local(b)) => a == b,
            (Kind::Def(a), Kind::Def(b)) => a == b,
            _ => false,
        };
        if !same {
            return None;
        }
        found = Some(asked);
    }
    found.filter(|_| nothing)
}

/// `X.extension('url').value`, where a translator made a query of an element of a profile: the
/// extensions, the url, the steps after it.
pub fn extension_of(query: &Query) -> Option<(&Node, &str, Vec<&str>)> {
    let [source] = &*query.sources else {
        return None;
    };
    let others = query.lets.is_empty()
        && query.relationships.is_empty()
        && query.aggregate.is_none()
        && query.sort.is_empty();
    let extensions = last_step(bare(&source.expression)).is_some_and(|s| s.ends_with("xtension"));
    let Kind::Op(operator, args, _) = &bare(query.condition.as_ref()?).kind else {
        return None;
    };
    let [left, right] = &**args else {
        return None;
    };
    let Kind::Const(Constant::String(url)) = &bare(right).kind else {
        return None;
    };
    let by_url =
        matches!(operator.name, "Equal" | "Equivalent") && of_item(left, source.slot, "url");
    let steps = match query.result.as_ref().map(|(node, _)| bare(node)) {
        None => vec![],
        Some(node) if matches!(node.kind, Kind::Local(slot) if slot == source.slot) => vec![],
        Some(node) if of_item(node, source.slot, "value") => vec!["value"],
        Some(_) => return None,
    };
    (others && extensions && by_url).then_some((&source.expression, &**url, steps))
}

/// Whether it is an element of the item in a slot, `url` or `url.value`.
fn of_item(node: &Node, slot: u32, step: &str) -> bool {
    let Kind::Property(inner, path) = &bare(node).kind else {
        return false;
    };
    let first = path.segments.first().is_some_and(|s| &*s.name == step);
    match &bare(inner).kind {
        Kind::Local(own) => *own == slot && first,
        _ => of_item(inner, slot, step),
    }
}

impl<'u> ExpressionView<'u> {
    /// Whose extension it looks for, and by which url, where it is a query that a translator made of an
    /// element of a profile.
    pub fn extension(self) -> Option<(ExpressionView<'u>, &'u str)> {
        let Kind::Query(query) = &self.node.kind else {
            return None;
        };
        let (source, url, _) = extension_of(query)?;
        let source = ExpressionView::new(self.compiled, source).unconverted();
        match &source.node.kind {
            Kind::Property(owner, _) => {
                let owner = ExpressionView::new(self.compiled, owner);
                Some((owner.unconverted(), url))
            }
            _ => None,
        }
    }
}
