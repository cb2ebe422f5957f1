//! What stands under one prefetch key: a resource, a searchset Bundle, an error.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use engine_patient::record::{Element, Kind};
use rules::text::plain;

use super::template::Template;
use crate::seams::KeyState;

/// Entries of one Bundle: what is larger takes too much memory, and a call of 10 MB has fewer.
pub(super) const MOST_ENTRIES: usize = 100_000;

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
    /// A `total` of less than what is here: one of the two is wrong.
    TooMany,
    /// A resource says of itself that it is only a part (`SUBSETTED`), or may say so.
    Partial,
    /// Resources of a type that was not asked for, and that are not there because a match refers to them.
    OtherTypes,
    /// More than [`MOST_ENTRIES`].
    TooManyEntries,
    /// Neither the resource nor the Bundle that was asked for, or no valid FHIR JSON.
    WrongStructure,
}

impl Shortfall {
    /// For metrics.
    pub(super) fn state(self) -> KeyState {
        match self {
            Self::NotSent => KeyState::Absent,
            Self::NoPatient | Self::Failed | Self::WrongStructure | Self::OtherTypes => {
                KeyState::Failed
            }
            Self::MorePages | Self::TooMany | Self::Partial | Self::TooManyEntries => {
                KeyState::Partial
            }
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
    /// A resource, or all of them, may be without some of their elements.
    pub(super) subsetted: bool,
}

/// Sorts out what stands under a key. `OperationOutcome`s never come out as resources.
pub(super) fn contents<'r>(root: Element<'r>, template: &Template) -> Contents<'r> {
    let only = |shortfall| Contents {
        resources: vec![],
        shortfall: Some(shortfall),
        subsetted: false,
    };
    match root.get_str("resourceType").as_deref() {
        Some("Bundle") => bundle(root, template),
        Some("OperationOutcome") => only(Shortfall::Failed),
        Some(ty) if template.is_read && ty == template.resource_type.as_str() => Contents {
            resources: vec![Found {
                entry: None,
                resource: Some(root),
            }],
            shortfall: is_subsetted(root).then_some(Shortfall::Partial),
            subsetted: is_subsetted(root),
        },
        _ => only(Shortfall::WrongStructure),
    }
}

fn bundle<'r>(bundle: Element<'r>, template: &Template) -> Contents<'r> {
    let asked = template.resource_type;
    let mut out = Contents {
        resources: vec![],
        shortfall: None,
        subsetted: is_subsetted(bundle),
    };
    // The specification's own example is a `collection`; some clients leave the type out.
    let fits = match bundle.get_named("type") {
        None => true,
        Some(ty) => ty.is_str("searchset") || ty.is_str("collection"),
    };
    let entries = bundle.get_named("entry");
    if !fits || entries.is_some_and(|e| e.kind() != Kind::Array) {
        out.shortfall = Some(Shortfall::WrongStructure);
        return out;
    }
    let first = entries.into_iter().flat_map(Element::items);
    if first.take(MOST_ENTRIES + 1).count() > MOST_ENTRIES {
        out.shortfall = Some(Shortfall::TooManyEntries);
        return out;
    }
    let total = match bundle.get_named("total").map(whole_number) {
        None => None,
        Some(Some(total)) => Some(total),
        Some(None) => {
            out.shortfall = Some(Shortfall::WrongStructure);
            None
        }
    };
    let mut matches = Matches::default();
    for (number, entry) in entries.into_iter().flat_map(Element::items).enumerate() {
        let resource = entry.get_named("resource");
        let ty = resource.and_then(|r| r.get_str("resourceType"));
        if ty.as_deref() == Some("OperationOutcome") {
            if !resource.is_some_and(is_harmless) {
                out.shortfall = Some(Shortfall::Failed);
            }
            continue;
        }
        let mode = match mode(entry) {
            // What is no OperationOutcome is no outcome.
            Mode::Wrong | Mode::Outcome => {
                out.shortfall.get_or_insert(Shortfall::WrongStructure);
                Mode::Wrong
            }
            mode => mode,
        };
        if ty.as_deref().is_some_and(|ty| !belongs(ty, mode, template)) {
            out.shortfall.get_or_insert(Shortfall::OtherTypes);
        }
        if total.is_some() && mode != Mode::Include && ty.as_deref() == Some(asked.as_str()) {
            matches.add(resource);
        }
        if resource.is_some_and(is_subsetted) {
            out.subsetted = true;
            out.shortfall.get_or_insert(Shortfall::Partial);
        }
        out.resources.push(Found {
            entry: Some(number),
            resource,
        });
    }
    let sent = out.resources.len() as u64;
    let found = match links(bundle) {
        Links::Wrong => Some(Shortfall::WrongStructure),
        Links::OtherPages => Some(Shortfall::MorePages),
        Links::Complete if is_subsetted(bundle) => Some(Shortfall::Partial),
        // Some servers count what came along, too.
        Links::Complete if !template.includes.is_empty() && total == Some(sent) => None,
        Links::Complete => total.and_then(|total| matches.against(total)),
    };
    if let Some(shortfall) = found {
        out.shortfall.get_or_insert(shortfall);
    }
    out
}

/// Whether a resource of this type can stand among the results: one of the type that was asked for, or
/// one that came along with those. What was asked to come along needs no `search.mode` to say so. Never
/// what holds resources of its own: nobody looks into it.
fn belongs(ty: &str, mode: Mode, template: &Template) -> bool {
    let holds_others = matches!(ty, "Bundle" | "Parameters");
    let asked_along = || template.includes.iter().any(|i| i.target.as_str() == ty);
    ty == template.resource_type.as_str()
        || (!holds_others && (mode == Mode::Include || (mode == Mode::Match && asked_along())))
}

/// The value of an `unsignedInt`: digits and no more. One that is too large for us is larger than
/// anything that is here.
fn whole_number(element: Element<'_>) -> Option<u64> {
    let text = element.raw();
    let digits = element.kind() == Kind::Number && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The matches of a search. One resource that comes twice is one match.
#[derive(Default)]
struct Matches<'r> {
    ids: HashSet<Cow<'r, str>>,
    without_id: usize,
}

impl<'r> Matches<'r> {
    fn add(&mut self, resource: Option<Element<'r>>) {
        match resource.and_then(|r| r.get_str("id")) {
            Some(id) => {
                self.ids.insert(id);
            }
            None => self.without_id += 1,
        }
    }

    fn against(&self, total: u64) -> Option<Shortfall> {
        let here = (self.ids.len() + self.without_id) as u64;
        match total.cmp(&here) {
            Ordering::Greater => Some(Shortfall::MorePages),
            Ordering::Less => Some(Shortfall::TooMany),
            Ordering::Equal => None,
        }
    }
}

/// `entry.search.mode`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A match, or it does not say.
    Match,
    Include,
    Outcome,
    /// Something that FHIR R4 does not know.
    Wrong,
}

fn mode(entry: Element<'_>) -> Mode {
    let Some(search) = entry.get_named("search") else {
        return Mode::Match;
    };
    if search.kind() != Kind::Object {
        return Mode::Wrong;
    }
    match search.get_named("mode") {
        None => Mode::Match,
        Some(mode) if mode.is_str("match") => Mode::Match,
        Some(mode) if mode.is_str("include") => Mode::Include,
        Some(mode) if mode.is_str("outcome") => Mode::Outcome,
        Some(_) => Mode::Wrong,
    }
}

/// What a Bundle's links say about its pages.
enum Links {
    Complete,
    OtherPages,
    Wrong,
}

/// Every link must have the structure FHIR gives it: in one that has not, `next` could hide.
fn links(bundle: Element<'_>) -> Links {
    let Some(all) = bundle.get_named("link") else {
        return Links::Complete;
    };
    if all.kind() != Kind::Array {
        return Links::Wrong;
    }
    let mut other_pages = false;
    for link in all.items() {
        let text = |name| link.get_named(name).and_then(Element::as_str);
        let (Some(relation), Some(url)) = (text("relation"), text("url")) else {
            return Links::Wrong;
        };
        // In whatever case, also as `self next`, `nextPage`, quoted, or with something invisible in
        // it. No relation that IANA knows has these letters and means that all is here.
        let relation = plain(&relation).to_ascii_lowercase();
        let name = match relation.contains("://") {
            // A name that is written as a URL, whose host says nothing.
            true => relation.rsplit(['/', '#', ':']).next().unwrap_or(""),
            false => &relation,
        };
        if name.is_empty() || url.trim().is_empty() {
            return Links::Wrong;
        }
        other_pages |= name.contains("next") || name.contains("prev");
    }
    match other_pages {
        true => Links::OtherPages,
        false => Links::Complete,
    }
}

/// The URL of the next page, where one link says so plainly.
pub(super) fn next_page(bundle: Element<'_>) -> Option<String> {
    let links = bundle.get_named("link")?.items();
    let mut next =
        links.filter(|link| link.get_named("relation").is_some_and(|r| r.is_str("next")));
    let url = next.next()?.get_str("url")?;
    next.next().is_none().then(|| url.into_owned())
}

/// Whether `meta.tag` says that elements were left out (`_summary`, `_elements`; FHIR R4 §3.1.1.5.8).
/// Where `meta`, a tag or its code has not the structure FHIR gives it, the tag could hide in that:
/// it may be so.
fn is_subsetted(resource: Element<'_>) -> bool {
    let Some(meta) = resource.get_named("meta") else {
        return false;
    };
    if meta.kind() != Kind::Object {
        return true;
    }
    let Some(tags) = meta.get_named("tag") else {
        return false;
    };
    let whole = |tag: Element<'_>| {
        let code = tag.get_named("code");
        tag.kind() == Kind::Object
            && code.is_none_or(|code| {
                let text = code.as_str();
                text.is_some_and(|t| !plain(&t).eq_ignore_ascii_case("subsetted"))
            })
    };
    // One tag in place of the list is read alike.
    !matches!(tags.kind(), Kind::Array | Kind::Object) || !tags.items().all(whole)
}

/// Whether an OperationOutcome beside results only comments on them: it has issues, none is an error,
/// and none says that results are missing or is of a kind that FHIR R4 does not know.
fn is_harmless(outcome: Element<'_>) -> bool {
    /// Of the issue types of R4 all but those of access (`security` and below) and of failure
    /// (`transient` and below, `too-costly`).
    const REMARKS: [&str; 16] = [
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "processing",
        "not-supported",
        "duplicate",
        "multiple-matches",
        "not-found",
        "deleted",
        "too-long",
        "code-invalid",
        "extension",
        "business-rule",
        "informational",
    ];
    let issues = outcome.get_named("issue");
    let Some(issues) = issues.filter(|i| i.kind() == Kind::Array) else {
        return false;
    };
    let mut any = false;
    let all = issues.items().all(|issue| {
        any = true;
        let text = |name| issue.get_named(name).and_then(Element::as_str);
        let severity = text("severity");
        let mild = matches!(severity.as_deref(), Some("information" | "warning"));
        mild && text("code").is_some_and(|code| REMARKS.contains(&&*code))
    });
    all && any
}
