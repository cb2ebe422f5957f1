//! Chunks to rows: check, read the envelope, route to the patient's bucket.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use engine_patient::bundle::{Bundle, Context, References, resolved, restore_text};
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind, PatientRecord, ResourceError};
use engine_population::lake::bucket_of;
use engine_population::lake::envelope::{Envelope, Owner};
use engine_population::lake::rows::Tally;
use engine_population::lake::writer::CodeTexts;
use rustc_hash::FxHashMap;

use super::chunks::{Chunk, ChunkKind, SHOWN};
use super::deletions::Read;
use super::ids::{IdShards, IdWriter, id_hash};
use super::limits::{LARGE, Limits};
use super::progress::Progress;
use super::rejects::{Reject, RejectWriter, Rejects};
use super::spill::{Spill, SpillWriter};
use super::unreadable::{Unreadable, UnreadableCounts, UnreadableWriter};

/// What a type is called in the table where it cannot be told.
pub const NO_TYPE: &str = "(no resource)";

/// What all workers share.
#[derive(Clone, Copy)]
pub struct Sinks<'a> {
    pub buckets: u32,
    /// Servers whose resources these are.
    pub bases: &'a [String],
    pub limits: Limits,
    /// Per file: resources that came of it.
    pub kept: &'a [AtomicU64],
    pub spill: &'a Spill,
    pub ids: &'a IdShards,
    pub rejects: &'a Rejects,
    pub unreadable: &'a Unreadable,
    pub progress: &'a Progress,
}

/// One thread's share of the reading.
pub struct Worker<'a> {
    sinks: Sinks<'a>,
    spill: SpillWriter<'a>,
    ids: IdWriter<'a>,
    rejects: RejectWriter<'a>,
    unreadable: UnreadableWriter<'a>,
    /// Resources of this chunk.
    kept: u64,
    record: PatientRecord,
    /// For a resource whose text was changed.
    changed: PatientRecord,
    pub result: WorkerResult,
}

/// What a worker found.
#[derive(Default)]
pub struct WorkerResult {
    pub tallies: BTreeMap<String, Tally>,
    pub codes: FxHashMap<i64, CodeTexts>,
    pub collision: Option<String>,
    /// Resources of a type that is about a patient, without a patient that can be resolved.
    pub unlinked: BTreeMap<String, u64>,
    pub patients: u64,
    pub references: References,
    pub unreadable: UnreadableCounts,
    /// Manifests of bulk exports.
    pub manifests: u64,
    /// Resources that came without an id.
    pub given_ids: u64,
    pub deletions: Vec<Read>,
    /// Resources whose codes are text only, on their primary code path.
    pub uncoded: BTreeMap<String, u64>,
}

/// Where a resource stands, for errors.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    offset: u64,
    /// Where the file begins among all that is read.
    base: u64,
}

impl Place {
    /// The place behind a text that starts here.
    fn after(self, text: &str) -> Place {
        let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        Place {
            line: self.line + lines as u64,
            offset: self.offset + text.len() as u64,
            ..self
        }
    }

    /// Later in the input is greater: its place among all bytes that are read, unpacked.
    fn sequence(self) -> u64 {
        self.base.saturating_add(self.offset)
    }
}

impl<'a> Worker<'a> {
    pub fn new(sinks: Sinks<'a>) -> Self {
        Worker {
            sinks,
            spill: SpillWriter::new(sinks.spill),
            ids: IdWriter::new(sinks.ids),
            rejects: RejectWriter::new(sinks.rejects),
            unreadable: UnreadableWriter::new(sinks.unreadable),
            kept: 0,
            record: PatientRecord::new(),
            changed: PatientRecord::new(),
            result: WorkerResult::default(),
        }
    }

    /// Writes what is buffered.
    pub fn finish(self) -> std::io::Result<WorkerResult> {
        self.spill.finish()?;
        self.ids.finish()?;
        Ok(self.result)
    }

    pub fn chunk(&mut self, chunk: &Chunk) -> std::io::Result<()> {
        let place = Place {
            line: chunk.line,
            offset: chunk.offset,
            base: chunk.base,
        };
        self.rejects.start(chunk.file);
        self.unreadable.start(chunk.file);
        match chunk.kind {
            ChunkKind::Lines => self.lines(&chunk.bytes, place)?,
            ChunkKind::Document => self.document(&chunk.bytes, place)?,
            ChunkKind::LongLine(length) => {
                let reason = too_long(length, self.sinks.limits.resource);
                self.reject_beginning(place, &reason, (&chunk.bytes, length))?;
            }
            ChunkKind::LargeDocument(length) => {
                let reason = format!(
                    "a document of {length} bytes, more than the limit of {} bytes (--max-document-size): give a larger one, or export it as NDJSON",
                    self.sinks.limits.document
                );
                self.reject_beginning(place, &reason, (&chunk.bytes, length))?;
            }
            ChunkKind::Damaged => {
                let reason = String::from_utf8_lossy(&chunk.bytes).into_owned();
                self.reject(NO_TYPE, place, &reason, b"")?;
            }
        }
        self.rejects.flush()?;
        self.unreadable.flush()?;
        if let Some(kept) = self.sinks.kept.get(chunk.file) {
            kept.fetch_add(std::mem::take(&mut self.kept), Ordering::Relaxed);
        }
        if chunk.bytes.len() > LARGE {
            // What something large took is not kept for the small.
            self.record = PatientRecord::new();
            self.changed = PatientRecord::new();
        }
        Ok(())
    }

    fn lines(&mut self, bytes: &[u8], mut place: Place) -> std::io::Result<()> {
        // Checked once for the chunk; only where that fails line by line.
        let whole = simdutf8::basic::from_utf8(bytes);
        let mut at = 0;
        let mut resources = 0;
        for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            let line = bytes.get(at..end).unwrap_or_default();
            if line.is_empty() {
                place.line += 1;
                at = end + 1;
                continue;
            }
            let text = match &whole {
                Ok(text) => text.get(at..end),
                Err(_) => simdutf8::basic::from_utf8(line).ok(),
            };
            place.offset += at as u64;
            match text {
                None => {
                    resources += 1;
                    self.reject(NO_TYPE, place, not_utf8(bytes), line)?;
                }
                Some(text) => {
                    let text = trimmed(text);
                    if !text.is_empty() {
                        resources += 1;
                        self.line(text, place)?;
                    }
                }
            }
            place.offset -= at as u64;
            place.line += 1;
            at = end + 1;
        }
        self.sinks.progress.add_resources(resources);
        Ok(())
    }

    fn line(&mut self, text: &str, place: Place) -> std::io::Result<()> {
        let (length, limit) = (text.len() as u64, self.sinks.limits.resource);
        if length > limit {
            let start = text.as_bytes().get(..SHOWN).unwrap_or(text.as_bytes());
            return self.reject_beginning(place, &too_long(length, limit), (start, length));
        }
        if let Some(why) = too_many_values(text.as_bytes(), limit) {
            let start = text.as_bytes().get(..SHOWN).unwrap_or_default();
            return self.reject_beginning(place, &why, (start, length));
        }
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        let done = self.parsed(&mut record, text, place);
        self.record = record;
        done
    }

    /// A resource or a Bundle; or several, where files were put one after the other and a byte order
    /// mark starts each.
    fn parsed(
        &mut self,
        record: &mut PatientRecord,
        text: &str,
        place: Place,
    ) -> std::io::Result<()> {
        match record.push(text) {
            Err(ResourceError::NoResourceType) if is_manifest(text) => {
                self.result.manifests += 1;
                Ok(())
            }
            Err(error) => {
                let parts = match error {
                    ResourceError::Json(_) => joined(text),
                    _ => vec![],
                };
                if parts.is_empty() {
                    return self.reject(
                        &type_of(&error),
                        place,
                        &error.to_string(),
                        text.as_bytes(),
                    );
                }
                self.sinks.progress.add_resources(parts.len() as u64 - 1);
                let (mut here, mut at) = (place, 0);
                for (start, part) in parts {
                    here = here.after(text.get(at..start).unwrap_or(""));
                    at = start;
                    record.clear();
                    match record.push(part) {
                        Ok(()) => self.pushed(record, here)?,
                        Err(error) => {
                            let ty = type_of(&error);
                            self.reject(&ty, here, &error.to_string(), part.as_bytes())?;
                        }
                    }
                }
                Ok(())
            }
            Ok(()) => self.pushed(record, place),
        }
    }

    fn pushed(&mut self, record: &PatientRecord, place: Place) -> std::io::Result<()> {
        match record.resources().next() {
            Some(resource) if is_bundle(resource) => self.bundle(resource, place),
            Some(resource) => self.alone(resource, place),
            None => Ok(()),
        }
    }

    /// A resource on a line or in a file of its own.
    fn alone(&mut self, resource: Element<'_>, place: Place) -> std::io::Result<()> {
        let context = Context::Line {
            own: self.sinks.bases,
        };
        self.resource(resource, None, &context, place, place.sequence())
    }

    fn document(&mut self, bytes: &[u8], place: Place) -> std::io::Result<()> {
        let Ok(whole) = simdutf8::basic::from_utf8(bytes) else {
            return self.reject(NO_TYPE, place, not_utf8(bytes), bytes);
        };
        if let Some(why) = too_many_values(bytes, self.sinks.limits.document) {
            let start = (bytes.get(..SHOWN).unwrap_or_default(), bytes.len() as u64);
            return self.reject_beginning(place, &why, start);
        }
        let start = whole.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
        let skipped = whole.len() - start.len();
        let text = start.trim_end();
        let place = place.after(whole.get(..skipped).unwrap_or(""));
        let mut record = PatientRecord::new();
        match record.push(text) {
            // More than one document: lines.
            Err(ResourceError::Json(_)) if looks_like_lines(text) => {
                self.lines(text.as_bytes(), place)
            }
            _ => {
                // A Bundle counts its entries.
                let bundle = record.resources().next().is_some_and(is_bundle);
                self.sinks.progress.add_resources(u64::from(!bundle));
                record.clear();
                self.parsed(&mut record, text, place)
            }
        }
    }

    /// Every entry of a Bundle of any type, references resolved within it.
    fn bundle(&mut self, root: Element<'_>, place: Place) -> std::io::Result<()> {
        let bundle = Bundle::read(root, self.sinks.bases);
        bundle.count_foreign(&mut self.result.references);
        // Where the last entry stood, so that line ends are counted once.
        let (text, mut at, mut here) = (root.raw(), 0, place);
        for (index, entry) in bundle.entries().iter().enumerate() {
            let element = entry.resource.unwrap_or(entry.element);
            let next = element.position() as usize - root.position() as usize;
            here = here.after(text.get(at..next).unwrap_or(""));
            at = next;
            // In a history the newest stands first.
            let sequence = match bundle.newest_first() {
                true => place.sequence() + (text.len() - at) as u64,
                false => here.sequence(),
            };
            let raw = || entry.element.raw().as_bytes();
            match (&entry.deletes, entry.resource) {
                (Some(Ok(deletion)), _) => {
                    self.tally(deletion.ty.as_str()).read += 1;
                    self.result.deletions.push(Read {
                        deletion: deletion.clone(),
                        sequence,
                    });
                }
                (Some(Err(why)), _) => self.reject(NO_TYPE, here, &why.to_string(), raw())?,
                (None, None) => {
                    let why = "a Bundle entry without a resource, that is no DELETE";
                    self.reject(NO_TYPE, here, why, raw())?;
                }
                (None, Some(resource)) if entry.collides => {
                    let why = "another server's resource with the type and id of one of this Bundle's own, of one that these refer to, or of a third server's";
                    let ty = resource.resource_type().map_or(NO_TYPE, Name::as_str);
                    self.reject(ty, here, why, resource.raw().as_bytes())?;
                }
                (None, Some(resource)) => {
                    let id = entry.given_id.as_deref();
                    let context = Context::Entry(&bundle, index);
                    self.resource(resource, id, &context, here, sequence)?;
                }
            }
        }
        self.sinks
            .progress
            .add_resources(bundle.entries().len() as u64);
        Ok(())
    }

    fn resource(
        &mut self,
        resource: Element<'_>,
        id: Option<&str>,
        context: &Context<'_, '_>,
        place: Place,
        sequence: u64,
    ) -> std::io::Result<()> {
        let raw = resource.raw().as_bytes();
        let (length, limit) = (raw.len() as u64, self.sinks.limits.resource);
        if length > limit {
            let start = raw.get(..SHOWN).unwrap_or(raw);
            return self.reject_beginning(place, &too_long(length, limit), (start, length));
        }
        let Some(text) = resource
            .get_str("resourceType")
            .filter(|_| resource.kind() == Kind::Object)
        else {
            let error = ResourceError::NoResourceType;
            return self.reject(NO_TYPE, place, &error.to_string(), raw);
        };
        let known = engine_patient::fhir::model::Model::r4().resource(&text);
        let Some(ty) = known.and_then(|t| Name::of(t.name)) else {
            let error = ResourceError::UnknownResourceType(text.into_owned());
            return self.reject(&type_of(&error), place, &error.to_string(), raw);
        };
        let mut references = References::default();
        let new = resolved(resource, id, true, context, &mut references);
        let restore = restore_text(&new.restore).unwrap_or_default();
        let mut changed = std::mem::take(&mut self.changed);
        let read = match restore.is_empty() {
            true => self.envelope(ty, resource),
            false => {
                changed.clear();
                match changed.push(&new.text) {
                    Ok(()) => match changed.resources().next() {
                        Some(resource) => self.envelope(ty, resource),
                        None => Err(ResourceError::NotAnObject.to_string()),
                    },
                    Err(error) => Err(error.to_string()),
                }
            }
        };
        self.changed = changed;
        let envelope = match read {
            Ok(envelope) => envelope,
            Err(why) => return self.reject(ty.as_str(), place, &why, raw),
        };
        self.result.references.add(&references);
        self.result.references.bound();
        self.result.given_ids += u64::from(id.is_some());
        let counts = &mut self.result.unreadable;
        let look = &mut self.unreadable;
        look.look(ty, &envelope.id, resource, place.sequence(), counts)?;
        self.route(&envelope, &new.text, &restore, sequence)
    }

    /// Reads the envelope, and remembers what its codes stand for.
    fn envelope(&mut self, ty: Name, resource: Element<'_>) -> Result<Envelope, String> {
        let codes = &mut self.result.codes;
        let collision = &mut self.result.collision;
        let mut see = |key: i64, system: &str, code: &str, display: Option<&str>| {
            match codes.get_mut(&key) {
                Some((s, c, d)) => {
                    let canonical = engine_patient::terminology::canonical_system;
                    if canonical(s) != canonical(system) || c != code {
                        *collision = Some(format!("`{s}|{c}` and `{system}|{code}`"));
                    }
                    // The least text, so that the order of reading does not matter.
                    if let Some(display) = display
                        && d.as_deref().is_none_or(|d| display < d)
                    {
                        *d = Some(display.to_owned());
                    }
                    if system < s.as_str() {
                        *s = system.to_owned();
                    }
                }
                None => {
                    codes.insert(
                        key,
                        (
                            system.to_owned(),
                            code.to_owned(),
                            display.map(str::to_owned),
                        ),
                    );
                }
            }
        };
        Envelope::read(ty, resource, &mut see).map_err(|e| e.to_string())
    }

    /// Hands a resource to its patient's bucket.
    fn route(
        &mut self,
        envelope: &Envelope,
        text: &str,
        restore: &str,
        sequence: u64,
    ) -> std::io::Result<()> {
        let ty = envelope.ty;
        self.tally(ty.as_str()).read += 1;
        let bucket = match &envelope.owner {
            Owner::Patient(patient) => bucket_of(patient, self.sinks.buckets),
            // For the moves of ids all resources without a patient are in one bucket.
            Owner::Shared => self.sinks.buckets,
            Owner::Unlinked => {
                *self
                    .result
                    .unlinked
                    .entry(ty.as_str().to_owned())
                    .or_default() += 1;
                self.sinks.buckets
            }
        };
        if envelope.codes.len() == 1 && has_primary_code(ty) {
            *self
                .result
                .uncoded
                .entry(ty.as_str().to_owned())
                .or_default() += 1;
        }
        self.result.patients += u64::from(ty.as_str() == "Patient");
        self.kept += 1;
        let hash = id_hash(ty, &envelope.id);
        self.ids.add(hash, bucket)?;
        let place = match bucket == self.sinks.buckets {
            true => self.sinks.spill.place_of_shared(hash),
            false => bucket as usize,
        };
        self.spill.write(place, envelope, text, restore, sequence)
    }

    fn tally(&mut self, ty: &str) -> &mut Tally {
        if !self.result.tallies.contains_key(ty) {
            self.result.tallies.insert(ty.to_owned(), Tally::default());
            if self.result.tallies.len() > TYPES {
                few_unknown(&mut self.result.tallies, TYPES);
            }
        }
        self.result.tallies.entry(ty.to_owned()).or_default()
    }

    fn reject(&mut self, ty: &str, place: Place, reason: &str, raw: &[u8]) -> std::io::Result<()> {
        self.rejected(ty, place, reason, (raw, raw.len() as u64))
    }

    /// Of something too large the beginning is kept, and its length.
    fn reject_beginning(
        &mut self,
        place: Place,
        reason: &str,
        raw: (&[u8], u64),
    ) -> std::io::Result<()> {
        self.rejected(NO_TYPE, place, reason, raw)
    }

    fn rejected(
        &mut self,
        ty: &str,
        place: Place,
        reason: &str,
        (raw, length): (&[u8], u64),
    ) -> std::io::Result<()> {
        let tally = self.tally(ty);
        tally.read += 1;
        tally.rejected += 1;
        self.rejects.add(&Reject {
            sequence: place.sequence(),
            line: place.line,
            offset: place.offset,
            ty,
            reason,
            raw,
            length,
        })
    }
}

/// Why something that is too large is no resource.
fn too_long(length: u64, limit: u64) -> String {
    format!(
        "{length} bytes, more than the limit of {limit} bytes (--max-resource-size): give a larger one, or split it"
    )
}

/// A value takes 16 bytes, in a text of two: what is large must not consist of nothing but the smallest
/// values. FHIR has one in ten bytes or fewer.
fn too_many_values(text: &[u8], limit: u64) -> Option<String> {
    let most = limit / 8;
    if text.len() <= LARGE || text.len() as u64 <= most {
        return None;
    }
    let count = |byte| memchr::memchr_iter(byte, text).count() as u64;
    let values = count(b',') + count(b'[') + count(b'{');
    (values > most).then(|| {
        format!(
            "about {values} values, more than {most}, an eighth of the limit of {limit} bytes: this cannot be FHIR"
        )
    })
}

/// Rows of the ledger while reading: more than R4 has types, and [`UNKNOWN`] that it has not.
const TYPES: usize = 400;
/// Rows of the ledger for types that R4 does not have. The first by name, whatever the threads did:
/// one that another thread gave up has as many before it.
pub const UNKNOWN: usize = 100;

/// Counts types that R4 does not have, beyond so many rows, as [`NO_TYPE`].
pub fn few_unknown(tallies: &mut BTreeMap<String, Tally>, rows: usize) {
    while tallies.len() > rows {
        let known = |ty: &String| {
            engine_patient::fhir::model::Model::r4()
                .resource(ty)
                .is_some()
        };
        let last = tallies.keys().rev().find(|ty| !known(ty) && *ty != NO_TYPE);
        let Some(last) = last.cloned() else { return };
        if let Some(tally) = tallies.remove(&last) {
            tallies.entry(NO_TYPE.to_owned()).or_default().add(&tally);
        }
    }
}

/// At most [`UNKNOWN`] of them.
pub fn shorten(tallies: &mut BTreeMap<String, Tally>) {
    let known = |ty: &String| {
        engine_patient::fhir::model::Model::r4()
            .resource(ty)
            .is_some()
    };
    let known = tallies
        .keys()
        .filter(|ty| known(ty) || *ty == NO_TYPE)
        .count();
    few_unknown(tallies, known + UNKNOWN);
}

fn has_primary_code(ty: Name) -> bool {
    !engine_population::lake::paths::coded_paths(ty).is_empty()
}

fn is_bundle(resource: Element<'_>) -> bool {
    resource
        .get_named("resourceType")
        .is_some_and(|t| t.is_str("Bundle"))
}

fn type_of(error: &ResourceError) -> String {
    match error {
        // Shown in a table: only what looks like the name of a type.
        ResourceError::UnknownResourceType(t)
            if t.len() <= 40 && t.chars().all(char::is_alphanumeric) =>
        {
            t.clone()
        }
        _ => NO_TYPE.to_owned(),
    }
}

/// Whether a text that is no JSON document is several lines that each begin one.
fn looks_like_lines(text: &str) -> bool {
    let mut lines = text.lines().map(trimmed).filter(|l| !l.is_empty());
    let all = lines.clone().count() > 1;
    all && lines.all(|l| l.starts_with('{'))
}

/// White space and byte order marks around a text are no part of it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(blank)
}

/// Documents that were put one after the other with a byte order mark between them, and where each
/// starts. Nothing where it is not so.
fn joined(text: &str) -> Vec<(usize, &str)> {
    const MARK: &str = "\u{feff}";
    if !text.contains(MARK) {
        return vec![];
    }
    let (mut starts, mut in_string, mut escaped) = (vec![0], false, false);
    for (at, c) in text.char_indices() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '\u{feff}' {
            starts.push(at);
        } else {
            in_string = c == '"';
        }
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let parts = starts.iter().copied().zip(ends);
    let parts: Vec<(usize, &str)> = parts
        .filter_map(|(start, end)| {
            let part = text.get(start..end)?;
            let skipped = part.len() - part.trim_start_matches(blank).len();
            let part = trimmed(part);
            (!part.is_empty()).then_some((start + skipped, part))
        })
        .collect();
    let documents = parts.len() > 1 && parts.iter().all(|(_, p)| p.starts_with('{'));
    if documents { parts } else { vec![] }
}

/// The manifest of a bulk export beside its files (Bulk Data Access, "Response - Complete Status").
fn is_manifest(text: &str) -> bool {
    if text.len() > LARGE {
        return false;
    }
    let mut document = PatientRecord::new();
    document.push_document(text).is_ok_and(|root| {
        let output = root.get_named("output");
        root.get_named("transactionTime").is_some()
            && output.is_some_and(|o| o.kind() == Kind::Array)
    })
}

fn blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{feff}'
}

/// Why bytes are no text; the encoding where a byte order mark names it.
fn not_utf8(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "UTF-16 text, not UTF-8: save the file as UTF-8",
        _ => "not UTF-8 text",
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::string_slice,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    #[test]
    fn byte_order_marks_split_what_was_joined() {
        let text = "{\"a\":\"\\\"\u{feff}\"}\u{feff} {\"b\":2}";
        let parts: Vec<&str> = joined(text).into_iter().map(|(_, p)| p).collect();
        assert_eq!(parts, ["{\"a\":\"\\\"\u{feff}\"}", "{\"b\":2}"]);
        assert!(
            joined(text)
                .iter()
                .all(|(at, p)| text[*at..].starts_with(p))
        );
        for other in ["{} x", "\u{feff}{}", "{\"a\":\u{feff}1}"] {
            assert_eq!(joined(other), [], "{other}");
        }
        assert_eq!(trimmed("\u{feff} {}\r\n"), "{}");
    }
}
