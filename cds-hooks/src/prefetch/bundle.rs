//! What stands under one prefetch key: a resource, a searchset Bundle, an error.

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind};

use super::template::Template;

/// Why what stands under a key cannot be taken as all there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shortfall {
    /// The key is not there: the client did not ask, or failed.
    NotSent,
    /// `null` for the patient, who must exist.
    NoPatient,
    /// An OperationOutcome says that it failed, or that something was held back.
    Failed,
    /// `link.relation = next`, or a `total` of more than what is here.
    MorePages,
    /// Neither the resource nor the Bundle that was asked for, or no valid FHIR JSON.
    WrongShape,
}

impl Shortfall {
    /// For people, about a key; holds nothing of the patient.
    pub(super) fn explain(self, key: &str) -> String {
        match self {
            Self::NotSent => format!("`{key}` was not sent"),
            Self::NoPatient => format!("`{key}` was sent without a patient"),
            Self::Failed => format!("the search for `{key}` failed or was incomplete"),
            Self::MorePages => format!("`{key}` has further pages that were not sent"),
            Self::WrongShape => format!("`{key}` is not the FHIR data that was asked for"),
        }
    }
}

/// A resource and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Found<'r> {
    /// The number of its entry; `None` where it stands alone.
    pub(super) entry: Option<usize>,
    pub(super) resource: Option<Element<'r>>,
}

/// The entries under a key, and whether they are all there is.
pub(super) struct Contents<'r> {
    /// The resource of each entry; `None` for an entry without one.
    pub(super) resources: Vec<Found<'r>>,
    pub(super) shortfall: Option<Shortfall>,
}

/// Sorts out what stands under a key. `OperationOutcome`s never come out as resources.
pub(super) fn contents<'r>(root: Element<'r>, template: &Template) -> Contents<'r> {
    let only = |shortfall| Contents {
        resources: vec![],
        shortfall: Some(shortfall),
    };
    match root.get_str("resourceType").as_deref() {
        Some("Bundle") => bundle(root, template.resource_type),
        Some("OperationOutcome") => only(Shortfall::Failed),
        Some(_) if template.is_read => Contents {
            resources: vec![Found {
                entry: None,
                resource: Some(root),
            }],
            shortfall: None,
        },
        _ => only(Shortfall::WrongShape),
    }
}

fn bundle(bundle: Element<'_>, asked: Name) -> Contents<'_> {
    let mut out = Contents {
        resources: vec![],
        shortfall: None,
    };
    // The specification's own example is a `collection`; some clients leave the type out.
    let fits = match bundle.get_named("type") {
        None => true,
        Some(ty) => ty.is_str("searchset") || ty.is_str("collection"),
    };
    let entries = bundle.get_named("entry");
    if !fits || entries.is_some_and(|e| e.kind() != Kind::Array) {
        out.shortfall = Some(Shortfall::WrongShape);
        return out;
    }
    let mut matches = 0;
    for (number, entry) in entries.into_iter().flat_map(Element::items).enumerate() {
        let resource = entry.get_named("resource");
        let mode = entry.path(&["search", "mode"]);
        let ty = resource.and_then(|r| r.get_str("resourceType"));
        if ty.as_deref() == Some("OperationOutcome") {
            if !resource.is_some_and(is_harmless) {
                out.shortfall = Some(Shortfall::Failed);
            }
            continue;
        }
        if mode.is_some_and(|m| m.is_str("outcome")) {
            continue;
        }
        let included = mode.is_some_and(|m| m.is_str("include"));
        matches += i64::from(!included && ty.as_deref() == Some(asked.as_str()));
        out.resources.push(Found {
            entry: Some(number),
            resource,
        });
    }
    let mut links = bundle
        .get_named("link")
        .into_iter()
        .flat_map(Element::items);
    let next = links.any(|l| l.get_named("relation").is_some_and(|r| r.is_str("next")));
    let total = bundle.get_named("total").and_then(Element::as_i64);
    if next || total.is_some_and(|total| total > matches) {
        out.shortfall.get_or_insert(Shortfall::MorePages);
    }
    out
}

/// Whether an OperationOutcome beside results only comments on them: no error, and nothing that
/// says results are missing.
fn is_harmless(outcome: Element<'_>) -> bool {
    const INCOMPLETE: [&str; 10] = [
        "incomplete",
        "suppressed",
        "forbidden",
        "security",
        "timeout",
        "too-costly",
        "throttled",
        "transient",
        "exception",
        "no-store",
    ];
    let issues = outcome.get_named("issue");
    issues.is_some_and(|issues| {
        issues.items().all(|issue| {
            let severity = issue.get_str("severity");
            let mild = matches!(severity.as_deref(), Some("information" | "warning"));
            let code = issue.get_str("code");
            mild && !code.is_some_and(|code| INCOMPLETE.contains(&&*code))
        })
    })
}
