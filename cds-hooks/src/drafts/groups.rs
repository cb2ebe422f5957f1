//! Which drafts are orders, and which order by way of others: a RequestGroup, a CarePlan.

use engine_patient::fhir::names::Name;
use engine_patient::record::Element;
use engine_patient::requirements::reference_target;

/// The types of orders: where an entry cannot be read, it may be any of them.
pub(super) const ORDERS: [&str; 8] = [
    "CommunicationRequest",
    "DeviceRequest",
    "ImmunizationRecommendation",
    "MedicationRequest",
    "NutritionOrder",
    "ServiceRequest",
    "SupplyRequest",
    "VisionPrescription",
];

/// Whether resources of a type are orders.
pub(crate) fn is_order(ty: Name) -> bool {
    ORDERS.contains(&ty.as_str())
}

/// What a group orders.
pub(super) enum Ordered {
    /// The order of this `Type/id`, or of what was written in its place.
    Named(String),
    /// Something that has no resource of its own; its type, where that is said.
    Within(Option<Name>),
}

/// Whether a type orders by way of others.
pub(super) fn is_group(ty: &str) -> bool {
    matches!(ty, "RequestGroup" | "CarePlan")
}

/// All that a group orders. A RequestGroup that names nothing orders what nobody knows.
pub(super) fn ordered(group: Element<'_>) -> Vec<Ordered> {
    let mut found = vec![];
    if let Some(activities) = group.get_named("activity") {
        activities.items().for_each(|a| activity(a, &mut found));
    }
    if let Some(all) = group.get_named("action") {
        all.items().for_each(|a| action(a, 0, &mut found));
    }
    let is_plan = group
        .resource_type()
        .is_some_and(|ty| ty.as_str() == "CarePlan");
    if found.is_empty() && !is_plan {
        found.push(Ordered::Within(None));
    }
    found
}

/// Actions within actions are not followed further than this; beyond they order what nobody knows.
const DEPTH: usize = 16;

fn action(action: Element<'_>, depth: usize, found: &mut Vec<Ordered>) {
    let resource = action.get_named("resource");
    let inner = action.get_named("action");
    match (resource, inner) {
        (Some(resource), _) => found.push(named(resource)),
        (None, Some(_)) if depth < DEPTH => {}
        (None, _) => found.push(Ordered::Within(None)),
    }
    if depth < DEPTH {
        let inner = inner.into_iter().flat_map(Element::items);
        inner.for_each(|a| self::action(a, depth + 1, found));
    }
}

fn activity(activity: Element<'_>, found: &mut Vec<Ordered>) {
    found.extend(activity.get_named("reference").map(named));
    if let Some(detail) = activity.get_named("detail") {
        let kind = detail.get_str("kind");
        let known = kind.as_deref().filter(|kind| ORDERS.contains(kind));
        found.push(Ordered::Within(known.and_then(Name::of)));
    }
}

fn named(reference: Element<'_>) -> Ordered {
    let text = reference.get_str("reference");
    let target = text.as_deref().and_then(reference_target);
    match target {
        Some((ty, id)) => Ordered::Named(format!("{ty}/{id}")),
        None => {
            let ty = reference.get_str("type");
            Ordered::Within(
                ty.as_deref()
                    .filter(|ty| ORDERS.contains(ty))
                    .and_then(Name::of),
            )
        }
    }
}
