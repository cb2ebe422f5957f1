//! From the prefetch of a request to a record in which what is not known is marked so.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine_patient::bundle::{Bundle, Context, References, resolved};
use engine_patient::contained::Beside;
use engine_patient::fhir::names::Name;
use engine_patient::record::{Age, Element, PatientRecord};
use serde_json::Value;

use super::along::Along;
use super::bundle::{Found, Shortfall, contents, next_page};
use super::lacking::Lacking;
use super::left_out::{LeftOut, Why};
use super::mend::{Mended, mended, uncoded};
use super::structure;
use super::subject::{Patient, Urls, Whose};
use super::template::{Template, Templates};
use crate::seams::{KeyFailure, KeyState};

/// A patient's record, and what it lacks.
pub(crate) struct Prefetched {
    /// What the service may read.
    pub(crate) record: PatientRecord,
    /// What is lacking and why. Holds nothing of the patient.
    pub(crate) lacking: Vec<Lacking>,
    /// How many entries were left out.
    pub(crate) left_out: usize,
    /// Parts of entries that could not be read, where the entries were taken.
    pub(crate) unread: Option<String>,
    /// References that name nothing: searches, another server's, urns that no entry has.
    pub(crate) unresolved: u64,
    /// What stood under each template, in their order.
    pub(crate) keys: Vec<KeyRead>,
    /// Types that are not known in full, and by which key.
    gaps: Vec<Gap>,
}

/// What stood under a key.
pub(crate) struct KeyRead {
    pub(crate) state: KeyState,
    /// There is more that was not sent.
    pub(crate) has_more: bool,
    /// The URL of the next page, where the Bundle has one.
    pub(crate) next: Option<String>,
    /// Nothing came along that it refers to: the search was made without its `_include`.
    pub(crate) without_include: bool,
}

/// A type that is not known in full.
struct Gap {
    ty: Name,
    /// Not even what is here counts.
    is_unavailable: bool,
    /// The template it is about; `None` for all.
    template: Option<usize>,
}

impl Prefetched {
    /// Lets the record say what is not known to one who needs only some of the templates.
    pub(crate) fn show_to(&mut self, needs: &[usize]) {
        self.record.set_all_available();
        for gap in &self.gaps {
            let concerns = |template: usize| needs.contains(&template);
            if !gap.template.is_none_or(concerns) {
                continue;
            }
            match gap.is_unavailable {
                true => self.record.set_unavailable(gap.ty),
                false => self.record.set_incomplete(gap.ty),
            }
        }
    }

    /// Puts what may be seen in the place of the record. `unjudged`: the types that the filter had to read, where
    /// it took all since it could not.
    pub(crate) fn withhold(&mut self, seen: PatientRecord, types: Vec<Name>, unjudged: &[Name]) {
        self.record = seen;
        let gaps = types.iter().map(|ty| Gap {
            ty: *ty,
            is_unavailable: !self.record.is_known_in_part(*ty),
            template: None,
        });
        let gaps: Vec<Gap> = gaps.collect();
        for gap in &self.gaps {
            match gap.is_unavailable {
                true => self.record.set_unavailable(gap.ty),
                false => self.record.set_incomplete(gap.ty),
            }
        }
        self.gaps.extend(gaps);
        // What the filter lacks all rules lack.
        for lacking in &mut self.lacking {
            if lacking.types.iter().any(|ty| unjudged.contains(ty)) {
                (lacking.types, lacking.template) = (vec![], None);
            }
        }
        if !types.is_empty() {
            self.lacking.push(match unjudged.is_empty() {
                true => Lacking::withheld_by_consent(types),
                false => Lacking::without_consents(types),
            });
        }
    }
}

/// Reads what the client sent for the templates, by their keys, or what was fetched in its place. Keys that
/// no template has are passed over. `failures`: keys that were to be fetched and could not be.
pub(crate) fn read(
    templates: &Templates,
    sent: &[(&str, &str)],
    patient: &Patient,
    failures: &[(&str, &KeyFailure)],
) -> Prefetched {
    let mut reader = Reader::new(patient, &templates.along);
    let mut document = PatientRecord::new();
    for ty in &templates.out_of_reach {
        reader.unavailable(*ty);
        reader.lacking.push(Lacking::out_of_reach(*ty));
    }
    for (number, template) in templates.list.iter().enumerate() {
        let found = sent.iter().find(|(key, _)| *key == template.key);
        reader.template = Some(number);
        reader.next = None;
        let json = found.map(|(_, json)| *json);
        if template.is_sample {
            let state = match json {
                None => KeyState::Absent,
                Some("null") => KeyState::Null,
                Some(json) => reader.sample(json, template, &mut document),
            };
            reader.keys.push(KeyRead {
                state,
                has_more: false,
                next: None,
                without_include: false,
            });
            continue;
        }
        let shortfall = match json {
            None => Some(Shortfall::NotSent),
            // Asked, and there is nothing; but there is always a patient.
            Some("null") => template.is_read.then_some(Shortfall::NoPatient),
            Some(json) => reader.key(json, template, &mut document),
        };
        let state = match (json, shortfall) {
            (Some("null"), _) => KeyState::Null,
            (_, shortfall) => shortfall.map_or(KeyState::Honoured, Shortfall::state),
        };
        let next = reader.next.take();
        reader.keys.push(KeyRead {
            state,
            has_more: shortfall == Some(Shortfall::MorePages),
            next,
            without_include: false,
        });
        if let Some(shortfall) = shortfall {
            // What came is so. There may be more.
            reader.incomplete(template.resource_type);
            let failure = failures.iter().find(|(key, _)| *key == template.key);
            let lacking = Lacking::of_key(shortfall, template, failure.map(|(_, why)| *why));
            reader.lacking.push(lacking.of_template(number));
        }
    }
    reader.template = None;
    if reader.servers.len() > 1 {
        reader.forget(templates);
    } else {
        let taken = |ty, id: &str| reader.taken.contains_key(&(ty, id.to_owned()));
        let along = Along::of(templates, &reader.record, taken);
        for ty in along.unavailable {
            reader.unavailable(ty);
        }
        reader.lacking.extend(along.lacking);
        for (number, key) in reader.keys.iter_mut().enumerate() {
            key.without_include = along.without_include.contains(&number);
            // The metrics tell which clients leave it out.
            if key.without_include && key.state == KeyState::Honoured {
                key.state = KeyState::Partial;
            }
        }
    }
    reader.finish()
}

/// The key under which each resource came, by `Type/id`; of several the first.
pub(crate) fn origins(templates: &Templates, sent: &[(&str, &str)]) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut document = PatientRecord::new();
    for template in &templates.list {
        let Some((key, json)) = sent.iter().find(|(key, _)| *key == template.key) else {
            continue;
        };
        document.clear();
        let Ok(root) = document.push_document(json) else {
            continue;
        };
        for resource in contents(root, template).resources {
            let resource = resource.resource;
            let ty = resource.and_then(Element::resource_type);
            let id = resource.and_then(|r| r.get_str("id"));
            if let (Some(ty), Some(id)) = (ty, id) {
                let name = format!("{}/{id}", ty.as_str());
                found.entry(name).or_insert_with(|| (*key).to_owned());
            }
        }
    }
    found
}

/// A resource that was taken.
struct Taken {
    /// Its root.
    root: u32,
    /// What it says, once another of its type and id came: parsed once, however many come.
    content: Option<Content>,
}

struct Reader<'p> {
    patient: &'p Patient,
    /// Types that the service asks for as they are, and that come along with others.
    along: &'p [Name],
    record: PatientRecord,
    lacking: Vec<Lacking>,
    /// The patient, kept back until it is certain that nothing contradicts it.
    themselves: PatientRecord,
    /// Where the request does not say it: the servers that the Bundles are from.
    servers: BTreeSet<String>,
    /// Each resource taken, by type and id: a Patient's in `themselves`, others' in the record.
    taken: HashMap<(Name, String), Taken>,
    /// Whether something came in several versions, as where pages changed while they were read.
    has_versions: bool,
    left_out: BTreeMap<Why, LeftOut>,
    /// Those of which a part could not be read: of which it cannot be told what they are, and others.
    open: LeftOut,
    unread: LeftOut,
    references: References,
    /// The number of the template that is read.
    template: Option<usize>,
    /// The next page of what is under its key.
    next: Option<String>,
    keys: Vec<KeyRead>,
    gaps: Vec<Gap>,
}

impl<'p> Reader<'p> {
    fn new(patient: &'p Patient, along: &'p [Name]) -> Self {
        Reader {
            patient,
            along,
            record: PatientRecord::new(),
            lacking: vec![],
            themselves: PatientRecord::new(),
            servers: BTreeSet::new(),
            taken: HashMap::new(),
            has_versions: false,
            left_out: BTreeMap::new(),
            open: LeftOut::default(),
            unread: LeftOut::default(),
            references: References::default(),
            template: None,
            next: None,
            keys: vec![],
            gaps: vec![],
        }
    }

    /// What is here of a type counts; there may be more.
    fn incomplete(&mut self, ty: Name) {
        self.record.set_incomplete(ty);
        self.gap(ty, false, self.template);
    }

    /// Nothing of a type counts.
    fn unavailable(&mut self, ty: Name) {
        self.record.set_unavailable(ty);
        self.gap(ty, true, self.template);
    }

    fn gap(&mut self, ty: Name, is_unavailable: bool, template: Option<usize>) {
        let known = |gap: &Gap| {
            (gap.ty, gap.is_unavailable, gap.template) == (ty, is_unavailable, template)
        };
        if !self.gaps.iter().any(known) {
            self.gaps.push(Gap {
                ty,
                is_unavailable,
                template,
            });
        }
    }

    /// Takes what stands under one key; says what is wrong with the key as a whole.
    fn key(
        &mut self,
        json: &str,
        template: &Template,
        document: &mut PatientRecord,
    ) -> Option<Shortfall> {
        document.clear();
        let Ok(root) = document.push_document(json) else {
            return Some(Shortfall::WrongStructure);
        };
        let contents = contents(root, template);
        if contents.shortfall == Some(Shortfall::MorePages) {
            self.next = next_page(root);
        }
        if contents.subsetted {
            // What a resource does not say, it may say in full.
            self.unavailable(template.resource_type);
        }
        self.entries(root, contents.resources, template);
        let read = template.is_read && contents.shortfall.is_none();
        let empty = read && self.left_out() == 0 && self.themselves.is_empty();
        contents.shortfall.or(empty.then_some(Shortfall::NoPatient))
    }

    /// Takes what a sample shows. That the search failed is no matter but for whoever counts: it only adds to
    /// what the other keys gave. That there is more is how it was asked for.
    fn sample(
        &mut self,
        json: &str,
        template: &Template,
        document: &mut PatientRecord,
    ) -> KeyState {
        document.clear();
        let Ok(root) = document.push_document(json) else {
            return KeyState::Failed;
        };
        let found = contents(root, template);
        self.entries(root, found.resources, template);
        match found.shortfall.map(Shortfall::state) {
            Some(KeyState::Failed) => KeyState::Failed,
            _ => KeyState::Honoured,
        }
    }

    /// Takes all resources under a key.
    fn entries<'d>(&mut self, root: Element<'d>, all: Vec<Found<'d>>, template: &Template) {
        if all.is_empty() {
            return;
        }
        // The server of the request is this data's, and no other.
        let own: Vec<String> = self.patient.server.iter().cloned().collect();
        let bundle = match &self.patient.server {
            Some(server) => Bundle::read_of_server(root, server),
            None => Bundle::read(root, &[]),
        };
        if self.patient.server.is_none() {
            self.servers.extend(bundle.servers().iter().cloned());
        }
        let urls = self.patient.urls(bundle.entries());
        for found in all {
            let context = match found.entry {
                Some(entry) => Context::Entry(&bundle, entry),
                None => Context::Line { own: &own },
            };
            self.entry(found, &context, &urls, template);
        }
    }

    /// Takes one resource, its references resolved, or leaves it out and marks its type.
    fn entry(
        &mut self,
        found: Found<'_>,
        context: &Context<'_, '_>,
        urls: &Urls,
        template: &Template,
    ) {
        let ty = found.resource.and_then(Element::resource_type);
        let (Some(came), Some(ty)) = (found.resource, ty) else {
            let flaw = match found.resource {
                Some(_) => "its `resourceType` is none of FHIR R4",
                None => "there is no `resource`",
            };
            let broken = self.left_out.entry(Why::Broken).or_default();
            broken.add(&template.key, found.entry, None, Some(flaw));
            broken.types.insert(template.resource_type);
            self.incomplete(template.resource_type);
            return;
        };
        let entry = match context {
            Context::Entry(bundle, number) => bundle.entries().get(*number),
            Context::Line { .. } => None,
        };
        let foreign = match context {
            Context::Entry(bundle, number) => bundle.is_of_another_server(*number),
            Context::Line { .. } => false,
        };
        let id = entry.and_then(|e| e.given_id.as_deref());
        let text = resolved(came, id, false, context, &mut self.references).text;
        // What nothing was changed of is parsed already.
        let mut changed = PatientRecord::new();
        let resource = match &text {
            Cow::Owned(text) if changed.push(text).is_ok() => changed.resources().next(),
            _ => None,
        };
        let resource = resource.unwrap_or(came);
        // Whose it is was said as it came; where that is a urn of the Bundle, it is resolved now.
        let resolved = || self.patient.whose(resource, ty.as_str(), urls);
        let whose = match self.patient.whose(came, ty.as_str(), urls) {
            Whose::Unsaid if entry.is_some() => resolved(),
            // `Patient/1` in an entry of another server is that server's (FHIR R4 §2.36.4.1).
            Whose::Theirs if resolved() != Whose::Theirs => Whose::Anothers,
            // And a Patient of that id is a patient of that server.
            Whose::Theirs if foreign && ty.as_str() == "Patient" => Whose::Anothers,
            whose => whose,
        };
        let mut flaw = None;
        let why = match whose {
            _ if entry.is_some_and(|e| e.collides) => Why::Contradicting,
            Whose::Anothers => Why::Anothers,
            Whose::TwoPatients => Why::TwoPatients,
            Whose::UnknownServer => Why::UnknownServer,
            Whose::Unsaid => Why::Unsaid,
            Whose::Theirs | Whose::Nobodys => {
                match self.as_far_as_read(resource, ty, found, template) {
                    Ok(()) => return,
                    Err((why, what)) => {
                        flaw = what;
                        why
                    }
                }
            }
        };
        let entries = self.left_out.entry(why).or_default();
        entries.add(&template.key, found.entry, Some(ty), flaw.as_deref());
        // What is left out is missing among what was asked for, too.
        entries.types.insert(template.resource_type);
        match why {
            // It says nothing of the patient, who comes under a key of their own, nor of what is asked for here.
            Why::Anothers if ty.as_str() == "Patient" && !template.is_read => {}
            // Which of the two holds, nobody can tell.
            Why::Contradicting => {
                // The other may be of another key.
                let number = self.template.take();
                self.unavailable(ty);
                self.unavailable(template.resource_type);
                self.template = number;
            }
            _ => {
                self.incomplete(ty);
                self.incomplete(template.resource_type);
            }
        }
    }

    /// Takes a resource, without what cannot be read of it; or why not, and what is wrong with it.
    fn as_far_as_read(
        &mut self,
        resource: Element<'_>,
        ty: Name,
        found: Found<'_>,
        template: &Template,
    ) -> Result<(), (Why, Option<String>)> {
        let place = format!("{} {}", template.key, found.entry.unwrap_or_default());
        let mut own = PatientRecord::new();
        let (resource, told) = self.readable(resource, ty, &mut own)?;
        let bare = |why| (why, None);
        match Beside::of(resource, self.along, &place) {
            None => self.take(resource, ty).map_err(bare)?,
            Some(beside) => {
                let inner = beside.contained.iter().map(|(ty, text)| (*ty, text));
                let all = std::iter::once((ty, &beside.resource)).chain(inner);
                for (number, (ty, text)) in all.enumerate() {
                    let mut alone = PatientRecord::new();
                    let element = alone.push_document(text);
                    let element = element.map_err(|_| bare(Why::Broken))?;
                    let mut own = PatientRecord::new();
                    let (element, told) = self
                        .readable(element, ty, &mut own)
                        .inspect_err(|_| self.incomplete(ty))?;
                    self.take(element, ty).map_err(bare)?;
                    // What is wrong with the one that contains them is told below.
                    if number > 0 {
                        self.tell(&told, ty, found, template);
                    }
                }
            }
        }
        self.tell(&told, ty, found, template);
        Ok(())
    }

    /// The resource as far as it can be read, as it came or in a record of its own; and what of it cannot.
    fn readable<'e>(
        &self,
        resource: Element<'e>,
        ty: Name,
        own: &'e mut PatientRecord,
    ) -> Result<(Element<'e>, Mended), (Why, Option<String>)> {
        // Who reads Consents is strict about each of their elements: none of them is mended before.
        if ty.as_str() == "Consent" || structure::flaw(resource, ty.as_str()).is_none() {
            let mut mended = Mended::default();
            mended.open.extend(uncoded(resource, ty.as_str()));
            return Ok((resource, mended));
        }
        let mended = mended(resource, ty.as_str()).map_err(|flaw| (Why::Broken, Some(flaw)))?;
        let read = own.push_document(&mended.text);
        Ok((read.map_err(|_| (Why::Broken, None))?, mended))
    }

    /// Says what of a resource that was taken is not known.
    fn tell(&mut self, mended: &Mended, ty: Name, found: Found<'_>, template: &Template) {
        for (flaws, told) in [
            (&mended.open, &mut self.open),
            (&mended.unread, &mut self.unread),
        ] {
            if !flaws.is_empty() {
                let flaws = flaws.join(", ");
                told.add(&template.key, found.entry, Some(ty), Some(&flaws));
                told.types.insert(template.resource_type);
            }
        }
        if !mended.open.is_empty() {
            self.incomplete(ty);
            self.incomplete(template.resource_type);
        }
    }

    /// A resource that comes under two keys counts once.
    fn take(&mut self, resource: Element<'_>, ty: Name) -> Result<(), Why> {
        let key = resource.get_str("id").map(|id| (ty, id.into_owned()));
        let record = match ty.as_str() {
            "Patient" => &mut self.themselves,
            _ => &mut self.record,
        };
        let mut content = None;
        if let Some(taken) = key.as_ref().and_then(|key| self.taken.get_mut(key)) {
            let known = Element {
                record: &*record,
                index: taken.root,
            };
            if known.raw() == resource.raw() {
                return Ok(());
            }
            let before = taken.content.get_or_insert_with(|| Content::of(known));
            let new = Content::of(resource);
            match later(known, before, resource, &new) {
                Some(Ordering::Less) => {}
                Some(_) => return Ok(()),
                None => return Err(Why::Contradicting),
            }
            // Both are there until it is sealed.
            self.has_versions = true;
            content = Some(new);
        }
        let root = record.append(resource).map_err(|_| Why::Broken)?;
        self.taken
            .extend(key.map(|key| (key, Taken { root, content })));
        Ok(())
    }

    /// The Bundles are from several servers, and nothing says which of them has this patient: the
    /// same id is another patient's on the other. Nothing is taken.
    fn forget(&mut self, templates: &Templates) {
        self.record = PatientRecord::new();
        self.themselves = PatientRecord::new();
        let types = templates.list.iter().map(|t| t.resource_type);
        let others = templates.out_of_reach.iter().chain(&templates.along);
        for ty in types.chain(others.copied()) {
            self.unavailable(ty);
        }
        self.lacking.push(Lacking::several_servers());
    }

    fn left_out(&self) -> usize {
        self.left_out.values().map(|entries| entries.count).sum()
    }

    fn finish(mut self) -> Prefetched {
        if self.has_versions {
            self.record.seal();
            self.themselves.seal();
        }
        let known = Name::of("Patient").is_some_and(|ty| self.record.is_available(ty));
        let patient = self.themselves.resources().next();
        if let Some(patient) = patient.filter(|_| known)
            && self.record.append(patient).is_err()
        {
            let broken = self.left_out.entry(Why::Broken).or_default();
            broken.add("patient", None, Name::of("Patient"), None);
        }
        for (why, entries) in &self.left_out {
            self.lacking.push(Lacking::left_out(*why, entries));
        }
        for (entries, open) in [(&self.open, true), (&self.unread, false)] {
            if entries.count > 0 {
                self.lacking.push(Lacking::in_part(entries, open));
            }
        }
        let left_out = self.left_out();
        let unread =
            (self.unread.count > 0).then(|| Lacking::in_part(&self.unread, false).technical);
        Prefetched {
            unread,
            record: self.record,
            lacking: self.lacking,
            left_out,
            unresolved: self.references.unresolved(),
            keys: self.keys,
            gaps: self.gaps,
        }
    }
}

/// What a resource says, as JSON with its properties in order, without spaces and `meta`; `None` where it is too
/// deep to be read so. No longer than the resource: of thousands each is kept.
struct Content(Option<String>);

impl Content {
    fn of(resource: Element<'_>) -> Self {
        let parsed = serde_json::from_str::<Value>(resource.raw()).ok();
        Content(parsed.and_then(|mut json| {
            json.as_object_mut()?.remove("meta");
            Some(json.to_string())
        }))
    }

    fn says_the_same(&self, other: &Content) -> bool {
        self.0.is_some() && self.0 == other.0
    }
}

/// How a resource that is known stands to another of its type and id: the same, where only `meta`, spaces and
/// the order of properties differ; else an older or newer version. `None` where that cannot be told.
fn later(
    known: Element<'_>,
    before: &Content,
    other: Element<'_>,
    new: &Content,
) -> Option<Ordering> {
    if before.says_the_same(new) {
        return Some(Ordering::Equal);
    }
    let (a, b) = (Age::of(known), Age::of(other));
    let comparable = match (a.updated.is_some(), b.updated.is_some()) {
        (true, true) => true,
        (false, false) => a.version.is_some() && b.version.is_some(),
        _ => false,
    };
    let order = a.cmp(&b);
    (comparable && order != Ordering::Equal).then_some(order)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
