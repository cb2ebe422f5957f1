//! What a list is of, by its retrieves: `Encounter of "Office Visit", "Home Visit" or 5 more`.

use engine_elm::expressions::{ExpressionKind, ExpressionView};

use super::super::Fact;
use super::{DEPTH, Verdicts};

/// Most value sets and codes that are named.
const NAMED: usize = 2;

/// QI-Core's profiles of what was not done, by their names.
const NEGATIONS: [&str; 13] = [
    "CommunicationNotDone",
    "DeviceNotRequested",
    "ImmunizationNotDone",
    "MedicationAdministrationNotDone",
    "MedicationDispenseDeclined",
    "MedicationDispenseNotDone",
    "MedicationNotRequested",
    "MedicationStatementNotTaken",
    "ObservationCancelled",
    "ObservationNotDone",
    "ProcedureNotDone",
    "ServiceNotRequested",
    "TaskRejected",
];

/// Whether `qicore-medicationrequest` is the profile of that name.
fn is_of_type(profile: &str, name: &str) -> bool {
    let own = profile.split_once('-').map_or(profile, |(_, own)| own);
    own.replace('-', "").eq_ignore_ascii_case(name)
}

/// The resources of a type that a list takes.
struct Taken<'u> {
    resource: &'static str,
    /// The profile, where it says what the resources are.
    profile: Option<&'u str>,
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

    /// What these members of a list are.
    pub(super) fn noun_of(&self, place: ExpressionView<'u>, members: &[Fact]) -> String {
        let mut all = taken(place);
        all.retain(|taken| {
            let of = |m: &Fact| {
                let (ty, _) = m.resource.as_deref()?.split_once('/')?;
                Some(ty == taken.resource)
            };
            members.iter().any(|m| of(m) == Some(true))
        });
        taken_text(&all).unwrap_or_else(|| self.noun(place))
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
                let profile = retrieve.profile.as_ref();
                let profile = profile
                    .filter(|p| p.is_negative() || (!p.is_whole_type() && wanted.is_empty()));
                let profile = profile.and_then(|p| p.url().rsplit('/').next());
                let profile = profile.filter(|p| !is_of_type(p, resource));
                let same = |t: &&mut Taken<'u>| t.resource == resource && t.profile == profile;
                match out.iter_mut().find(same) {
                    Some(taken) => names.for_each(|name| {
                        if !taken.names.contains(&name) {
                            taken.names.push(name);
                        }
                    }),
                    None => out.push(Taken {
                        resource,
                        profile,
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
            // Elements of a resource are not the resource.
            _ if place.name() == "Property" => {}
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
        let resource = match taken.profile {
            Some(profile) => match NEGATIONS.iter().find(|n| is_of_type(profile, n)) {
                Some(name) => (*name).to_owned(),
                None => format!("{profile} {}", taken.resource),
            },
            None => taken.resource.to_owned(),
        };
        match (named.is_empty(), last) {
            (_, None) => resource,
            (true, Some(last)) => format!("{resource} of {last}"),
            (false, Some(last)) => format!("{resource} of {} or {last}", named.join(", ")),
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
