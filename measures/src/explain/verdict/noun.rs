//! What a list is of, by its retrieves: `Encounter of "Office Visit", "Home Visit" or 5 more`.

use engine_elm::expressions::{ExpressionKind, ExpressionView};

use super::{DEPTH, Verdicts};

/// Most value sets and codes that are named.
const NAMED: usize = 2;

/// The resources of a type that a list takes.
struct Taken<'u> {
    resource: &'static str,
    names: Vec<&'u str>,
}

impl<'u> Verdicts<'_, 'u, '_> {
    /// What a list is of; its text where that cannot be told.
    pub(super) fn noun(&self, place: ExpressionView<'u>) -> String {
        match taken_text(&taken(place)) {
            Some(noun) => noun,
            None => self.text(place),
        }
    }

    /// What a definition's list is of: its name, and what it is made of.
    pub(super) fn named_noun(&self, place: ExpressionView<'u>, name: Option<&str>) -> String {
        match (name, taken_text(&taken(place))) {
            (Some(name), Some(noun)) => format!("\"{name}\" ({noun})"),
            (Some(name), None) => format!("\"{name}\""),
            (None, Some(noun)) => noun,
            (None, None) => self.text(place),
        }
    }
}

/// Through definitions, calls, queries and unions to the retrieves.
fn taken<'u>(place: ExpressionView<'u>) -> Vec<Taken<'u>> {
    let mut out: Vec<Taken<'u>> = vec![];
    let mut stack = vec![(place, 0)];
    while let Some((place, depth)) = stack.pop() {
        let place = place.unconverted();
        if depth > DEPTH {
            continue;
        }
        match place.kind() {
            ExpressionKind::Retrieve(retrieve) => {
                let resource = retrieve.resource_type.as_str();
                let wanted = retrieve.wanted.as_ref().map_or(&[][..], |w| &w.names);
                let names = wanted.iter().map(|n| &**n);
                match out.iter_mut().find(|t| t.resource == resource) {
                    Some(taken) => names.for_each(|name| {
                        if !taken.names.contains(&name) {
                            taken.names.push(name);
                        }
                    }),
                    None => out.push(Taken {
                        resource,
                        names: names.collect(),
                    }),
                }
            }
            ExpressionKind::Definition(_) => {
                stack.extend(place.referred().map(|s| (s.body, depth + 1)));
            }
            ExpressionKind::Query => {
                let sources = place.parts().into_iter().rev();
                let sources = sources
                    .filter(|(role, _)| matches!(role, engine_elm::expressions::Role::Source(_)));
                stack.extend(sources.map(|(_, part)| (part, depth + 1)));
            }
            _ => {
                let below = place.parts().into_iter().rev();
                stack.extend(below.map(|(_, part)| (part, depth + 1)));
            }
        }
    }
    out
}

fn taken_text(all: &[Taken<'_>]) -> Option<String> {
    let one = |taken: &Taken<'_>| {
        let mut named: Vec<String> = taken.names.iter().map(|n| format!("\"{n}\"")).collect();
        let more = named.len().saturating_sub(NAMED);
        if more > 1 {
            named.truncate(NAMED);
            named.push(format!("{more} more"));
        }
        let last = named.pop();
        match (named.is_empty(), last) {
            (_, None) => taken.resource.to_owned(),
            (true, Some(last)) => format!("{} of {last}", taken.resource),
            (false, Some(last)) => format!("{} of {} or {last}", taken.resource, named.join(", ")),
        }
    };
    let texts: Vec<String> = all.iter().take(3).map(one).collect();
    let more = all.len().saturating_sub(3);
    match (texts.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(texts.join(" or ")),
        (false, n) => Some(format!("{} or {n} more kinds", texts.join(", "))),
    }
}
