//! Whether a resource is of the profile that an ELM Retrieve names in `templateId`.
//!
//! Real exports carry no `meta.profile`, or that of another guide; test decks carry wrong and
//! misspelled ones. So the tag decides where it names a profile that is known for the type, and the
//! profiles' own constraints decide where it does not:
//!
//! | tag | asked for | decision |
//! |---|---|---|
//! | the profile itself, or one derived from it | | yes, but see *not done* |
//! | a known sibling | | no, but see *not done* |
//! | none, its base, a misspelled or unknown one | Condition, Observation, DiagnosticReport | by `category` or `code`; where they are silent undecidable |
//! | the same | a profile of what was not done | yes if the content says so |
//! | the same | its positive sibling | no if the content says so |
//! | any | a profile unknown here | yes |
//! | any | the only profile of its type | yes |
//!
//! Undecidable counts as yes and is reported, because the Retrieve also asks for a code: losing a
//! finding that lacks a category would be the larger error. So is an Observation of another category
//! than QI-Core's laboratory or screening profile requires: the published decks themselves file CT
//! doses and tumour stages, which measures ask for as laboratory observations, as imaging and
//! procedure (50 of 180), and only the code tells.
//!
//! **Not done.** The status of an event (`not-done`, `cancelled`, `rejected`, `declined`, or the old
//! modifier extension `qicore-notDone`) beats a positive tag: what did not happen never counts as
//! done, and counts as not done. A tag that says "not done" is believed whatever the status. With
//! requests the tag decides alone where there is one: published measures look for rejected tasks
//! whose focus is an order tagged `qicore-servicerequest` that says `doNotPerform` (CMS108).

mod content;
mod table;

use rustc_hash::FxHashMap;

use crate::fhir::names::Name;
use crate::record::Element;
use content::{Names, Negation};
use table::{Guide, Known, Rules};

/// How far tags are trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProfileMode {
    /// Only resources whose `meta.profile` lists the profile.
    Strict,
    /// See the module.
    #[default]
    Decide,
}

/// Whether a resource is of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Neither tag nor content tells, for this reason. Counts as yes; to be counted and reported.
    Undecidable(&'static str),
}

/// The content has no category that says which profile it is.
pub const NO_CATEGORY: &str = "no tag that decides, and no category that does";
/// The content has a category that the profile does not allow, but the code may say more.
pub const OTHER_CATEGORY: &str = "no tag that decides, and another category than the profile's";
/// The profile requires nothing that its siblings do not.
pub const TAG_ONLY: &str = "no tag that decides, and the profile requires nothing else of its own";

impl Decision {
    /// Whether the Retrieve takes the resource.
    pub fn is_taken(self) -> bool {
        self != Self::No
    }

    /// Why it could not be decided.
    pub fn undecidable(self) -> Option<&'static str> {
        match self {
            Self::Undecidable(reason) => Some(reason),
            Self::Yes | Self::No => None,
        }
    }

    fn of(yes: bool) -> Decision {
        if yes { Self::Yes } else { Self::No }
    }
}

/// A profile, ready to decide about resources of its type.
#[derive(Debug)]
pub struct Profile {
    /// Without `|version`.
    url: Box<str>,
    known: bool,
    /// Nothing to tell apart: every resource of the type is of it.
    whole_type: bool,
    /// The url is that of the type itself, which no resource needs to be tagged with.
    base_type: bool,
    /// What each known profile of the type says about this one.
    tags: FxHashMap<Box<str>, Tag>,
    side: Side,
    rules: Rules,
    /// Siblings fit the same content.
    tag_only: bool,
    /// Another category is no proof: see the module.
    loose_category: bool,
    meta: Name,
    profile: Name,
    names: Names,
}

/// What a tag says about the asked profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tag {
    /// It is it.
    Is,
    /// It is another one.
    Other,
    /// It says that what the asked profile is about was not done.
    Contrary,
    /// It leaves it open.
    Open,
}

/// Where the asked profile stands towards what was not done.
#[derive(Debug)]
enum Side {
    Plain,
    Positive(Negation),
    Negative(Negation),
}

fn without_version(canonical: &str) -> &str {
    canonical.split_once('|').map_or(canonical, |(url, _)| url)
}

/// What a resource tagged as `tag` is, seen from `asked`.
fn relation(asked: &'static Known, tag: &'static Known) -> Tag {
    let same = |a: &'static Known, b: &'static Known| a.rules() == b.rules();
    if std::ptr::eq(asked, tag) {
        return Tag::Is;
    }
    // The newest QI-Core derives negations from the profile that 6.0 uses for the positive one. Here
    // they are siblings, as 6.0 has it; only US Core's profile is the base of both.
    let across = asked.guide != tag.guide;
    if tag.negation && !asked.negation && !(across && tag.is_a(asked)) {
        return Tag::Contrary;
    }
    if asked.negation && !tag.negation && !across {
        return Tag::Other;
    }
    if tag.is_a(asked) {
        return Tag::Is;
    }
    if asked.is_a(tag) {
        let adds = asked.negation || !same(asked, tag);
        return if adds { Tag::Open } else { Tag::Is };
    }
    // FHIR's own vital signs fix the codes that those of the guides fix, which do not derive from
    // them.
    if across && (asked.guide == Guide::Fhir || tag.guide == Guide::Fhir) {
        let twins = asked.guide == Guide::Fhir && same(asked, tag);
        return if twins { Tag::Is } else { Tag::Open };
    }
    // A QI-Core profile that adds nothing to one of US Core accepts what that one accepts: tagged as
    // US Core's laboratory result, asked for QI-Core's clinical result.
    if asked.guide == Guide::QiCore && tag.guide == Guide::UsCore && !asked.negation {
        let mut chain = asked.chain();
        if chain.any(|twin| twin.guide == tag.guide && same(twin, asked) && tag.is_a(twin)) {
            return Tag::Is;
        }
    }
    Tag::Other
}

impl Profile {
    /// The profile of this url, asked for among resources of this type.
    pub fn of(url: &str, resource_type: Name) -> Profile {
        let url = without_version(url);
        let ty = resource_type.as_str();
        let base_type = url
            .strip_prefix("http://hl7.org/fhir/StructureDefinition/")
            .is_some_and(|name| name == ty);
        let mut profile = Profile {
            url: url.into(),
            known: base_type,
            whole_type: true,
            base_type,
            tags: FxHashMap::default(),
            side: Side::Plain,
            rules: Rules::default(),
            tag_only: false,
            loose_category: false,
            meta: Name::of("meta").unwrap_or(Name::UNKNOWN),
            profile: Name::of("profile").unwrap_or(Name::UNKNOWN),
            names: Names::new(),
        };
        if let Some(asked) = table::of_type(ty).find(|k| k.urls().any(|u| u == url)) {
            profile.fill(asked);
        }
        profile
    }

    fn fill(&mut self, asked: &'static Known) {
        let siblings = || table::of_type(asked.ty).filter(move |k| !std::ptr::eq(*k, asked));
        self.known = true;
        for known in std::iter::once(asked).chain(siblings()) {
            let tag = relation(asked, known);
            let urls = known.urls().map(|u| (u.into_boxed_str(), tag));
            self.tags.extend(urls);
        }
        let negation = table::of_type(asked.ty).find(|k| k.negation);
        let negation = negation.map(|k| Negation {
            status: k.status,
            do_not_perform: k.do_not_perform,
        });
        // US Core has one profile for procedures done and not done, and whoever asks for it reads the
        // status. Its observation profiles are what QI-Core itself uses for vital signs.
        let split = asked.guide == Guide::QiCore || asked.ty == "Observation";
        self.side = match negation {
            Some(negation) if asked.negation => Side::Negative(negation),
            Some(negation) if split => Side::Positive(negation),
            _ => Side::Plain,
        };
        self.rules = asked.rules();
        let free = self.rules == Rules::default() && !asked.negation;
        self.tag_only = free && siblings().any(|k| relation(asked, k) == Tag::Other);
        self.loose_category = asked.guide == Guide::QiCore && asked.ty == "Observation";
        self.whole_type = free && !self.tag_only && matches!(self.side, Side::Plain);
    }

    /// Its url, without version.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether this engine knows the profile. Of one that it does not know, every resource of the
    /// type is taken in [`ProfileMode::Decide`].
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Whether it is of what was not done.
    pub fn is_negative(&self) -> bool {
        matches!(self.side, Side::Negative(_))
    }

    /// Whether every resource of the type is of it in [`ProfileMode::Decide`]: nothing to ask.
    pub fn is_whole_type(&self) -> bool {
        self.whole_type
    }

    /// Whether a resource, which must be of the type, is of this profile.
    pub fn decide(&self, resource: Element<'_>, mode: ProfileMode) -> Decision {
        match mode {
            ProfileMode::Strict => Decision::of(self.base_type || self.is_tagged(resource)),
            ProfileMode::Decide if self.whole_type => Decision::Yes,
            ProfileMode::Decide => self.by_tag_and_content(resource),
        }
    }

    /// Whether a resource that is not taken would be without its tag: that names a sibling profile,
    /// though the content fits this one. To be counted and reported.
    pub fn is_left_out_by_tag(&self, resource: Element<'_>) -> bool {
        matches!(self.tag(resource), Tag::Other | Tag::Contrary)
            && self.as_tagged(Tag::Open, resource).is_taken()
    }

    fn is_tagged(&self, resource: Element<'_>) -> bool {
        self.tags_of(resource, |tag| tag == &*self.url)
    }

    /// Whether one of the resource's tags, without version, passes the test.
    fn tags_of(&self, resource: Element<'_>, mut test: impl FnMut(&str) -> bool) -> bool {
        let meta = resource.get(self.meta);
        let Some(tags) = meta.and_then(|m| m.get(self.profile)) else {
            return false;
        };
        let mut items = tags.items();
        items.any(|t| t.as_str().is_some_and(|t| test(without_version(&t))))
    }

    /// What the tags say together: one that says "not done" beats all, then one that fits.
    fn tag(&self, resource: Element<'_>) -> Tag {
        let (mut is, mut other) = (false, false);
        let contrary = self.tags_of(resource, |tag| {
            let tag = self.tags.get(tag).copied().unwrap_or(Tag::Open);
            is |= tag == Tag::Is;
            other |= tag == Tag::Other;
            tag == Tag::Contrary
        });
        match (contrary, is, other) {
            (true, ..) => Tag::Contrary,
            (false, true, _) => Tag::Is,
            (false, false, true) => Tag::Other,
            (false, false, false) => Tag::Open,
        }
    }

    fn by_content(&self, resource: Element<'_>) -> Decision {
        if self.tag_only {
            return Decision::Undecidable(TAG_ONLY);
        }
        match self.names.by_rules(&self.rules, resource) {
            Decision::Undecidable(OTHER_CATEGORY) if !self.loose_category => Decision::No,
            decision => decision,
        }
    }

    fn by_tag_and_content(&self, resource: Element<'_>) -> Decision {
        self.as_tagged(self.tag(resource), resource)
    }

    fn as_tagged(&self, tag: Tag, resource: Element<'_>) -> Decision {
        match (&self.side, tag) {
            (_, Tag::Contrary) | (Side::Plain | Side::Positive(_), Tag::Other) => Decision::No,
            (Side::Plain, Tag::Is) | (Side::Negative(_), Tag::Is) => Decision::Yes,
            (Side::Plain, Tag::Open) => self.by_content(resource),
            (Side::Positive(negation), Tag::Is) => {
                Decision::of(!self.names.did_not_happen(negation, resource))
            }
            (Side::Positive(negation), Tag::Open) => {
                if self.names.is_negated(negation, resource) {
                    return Decision::No;
                }
                self.by_content(resource)
            }
            (Side::Negative(negation), Tag::Other) => {
                Decision::of(self.names.did_not_happen(negation, resource))
            }
            (Side::Negative(negation), Tag::Open) => {
                Decision::of(self.names.is_negated(negation, resource))
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod conformance;
