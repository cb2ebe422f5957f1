//! Chunks to rows: check, read the envelope, route to the patient's bucket.

use std::collections::BTreeMap;

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind, PatientRecord, ResourceError};
use engine_population::lake::bucket_of;
use engine_population::lake::envelope::{Envelope, Owner};
use engine_population::lake::rows::Tally;
use engine_population::lake::writer::CodeTexts;
use rustc_hash::FxHashMap;

use super::chunks::{Chunk, ChunkKind};
use super::ids::{IdShards, IdWriter, id_hash};
use super::progress::Progress;
use super::rejects::Rejects;
use super::spill::{Spill, SpillWriter};

/// What a type is called in the table where it cannot be told.
pub const NO_TYPE: &str = "(no resource)";

/// One thread's share of the reading.
pub struct Worker<'a> {
    buckets: u32,
    spill: SpillWriter<'a>,
    ids: IdWriter<'a>,
    rejects: &'a Rejects,
    progress: &'a Progress,
    record: PatientRecord,
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
    /// Resources whose codes are text only, on their primary code path.
    pub uncoded: BTreeMap<String, u64>,
}

/// Where a resource stands, for errors.
#[derive(Clone, Copy)]
struct Place {
    file: usize,
    line: u64,
    offset: u64,
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

    /// Later in the input is greater. 2^20 files of 2^44 bytes.
    fn sequence(self) -> u64 {
        ((self.file as u64) << 44) | (self.offset & ((1 << 44) - 1))
    }
}

impl<'a> Worker<'a> {
    pub fn new(
        buckets: u32,
        spill: &'a Spill,
        ids: &'a IdShards,
        rejects: &'a Rejects,
        progress: &'a Progress,
    ) -> Self {
        let (spill, ids) = (SpillWriter::new(spill), IdWriter::new(ids));
        let (record, result) = (PatientRecord::new(), WorkerResult::default());
        Worker {
            buckets,
            spill,
            ids,
            rejects,
            progress,
            record,
            result,
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
            file: chunk.file,
            line: chunk.line,
            offset: chunk.offset,
        };
        match chunk.kind {
            ChunkKind::Lines => self.lines(&chunk.bytes, place),
            ChunkKind::Document => self.document(&chunk.bytes, place),
            ChunkKind::TooLarge => {
                let reason = "larger than 1 GiB: split it, or export it as NDJSON";
                self.reject(NO_TYPE, place, reason, &chunk.bytes)
            }
            ChunkKind::Damaged => {
                let reason = String::from_utf8_lossy(&chunk.bytes).into_owned();
                self.reject(NO_TYPE, place, &reason, b"")
            }
        }
    }

    fn lines(&mut self, bytes: &[u8], mut place: Place) -> std::io::Result<()> {
        // Checked once for the chunk; only where that fails line by line.
        let whole = simdutf8::basic::from_utf8(bytes);
        let mut at = 0;
        let mut resources = 0;
        for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
            let line = bytes.get(at..end).unwrap_or_default();
            let text = match &whole {
                Ok(text) => text.get(at..end),
                Err(_) => simdutf8::basic::from_utf8(line).ok(),
            };
            place.offset += at as u64;
            match text {
                None => {
                    resources += 1;
                    self.reject(NO_TYPE, place, "not UTF-8 text", line)?;
                }
                Some(text) => {
                    // A byte order mark is no part of the text.
                    let text = if place.offset == 0 {
                        text.trim_start_matches('\u{feff}')
                    } else {
                        text
                    };
                    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
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
        self.progress.add_resources(resources);
        Ok(())
    }

    fn line(&mut self, text: &str, place: Place) -> std::io::Result<()> {
        let mut record = std::mem::take(&mut self.record);
        record.clear();
        let done = match record.push(text) {
            Err(error) => {
                let ty = type_of(&error);
                self.reject(&ty, place, &error.to_string(), text.as_bytes())
            }
            Ok(()) => match record.resources().next() {
                Some(resource) if is_bundle(resource) => self.bundle(resource, place),
                Some(resource) => self.resource(resource, text, place, &|_| None),
                None => Ok(()),
            },
        };
        self.record = record;
        done
    }

    /// A `.json` file: a Bundle, a resource, or lines after all.
    fn document(&mut self, bytes: &[u8], place: Place) -> std::io::Result<()> {
        let Ok(whole) = simdutf8::basic::from_utf8(bytes) else {
            return self.reject(NO_TYPE, place, "not UTF-8 text", bytes);
        };
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
            Err(error) => {
                self.progress.add_resources(1);
                self.reject(&type_of(&error), place, &error.to_string(), text.as_bytes())
            }
            Ok(()) => match record.resources().next() {
                Some(resource) if is_bundle(resource) => self.bundle(resource, place),
                Some(resource) => {
                    self.progress.add_resources(1);
                    self.resource(resource, &compact(text), place, &|_| None)
                }
                None => Ok(()),
            },
        }
    }

    /// Every entry of a Bundle of any type. `urn:uuid:` references are resolved within it.
    fn bundle(&mut self, bundle: Element<'_>, place: Place) -> std::io::Result<()> {
        let entries = bundle.get_named("entry");
        let entries = || entries.into_iter().flat_map(Element::items);
        let mut urns: FxHashMap<String, (String, String)> = FxHashMap::default();
        for entry in entries() {
            let resource = entry.get_named("resource");
            let named = entry.get_str("fullUrl").zip(resource);
            if let Some((url, resource)) = named.filter(|(u, _)| u.starts_with("urn:")) {
                let target = resource.get_str("resourceType").zip(resource.get_str("id"));
                if let Some((ty, id)) = target {
                    urns.insert(url.into_owned(), (ty.into_owned(), id.into_owned()));
                }
            }
        }
        let resolve = |urn: &str| urns.get(urn).cloned();
        let mut count = 0;
        // Where the last entry stood, so that line ends are counted once.
        let (text, mut at, mut here) = (bundle.raw(), 0, place);
        for entry in entries() {
            count += 1;
            let element = entry.get_named("resource").unwrap_or(entry);
            let next = element.position() as usize - bundle.position() as usize;
            here = here.after(text.get(at..next).unwrap_or(""));
            at = next;
            match entry.get_named("resource") {
                None => self.reject(
                    NO_TYPE,
                    here,
                    "a Bundle entry without a resource",
                    entry.raw().as_bytes(),
                )?,
                Some(resource) => {
                    let raw = compact(resource.raw());
                    self.resource(resource, &raw, here, &resolve)?;
                }
            }
        }
        self.progress.add_resources(count);
        Ok(())
    }

    fn resource(
        &mut self,
        resource: Element<'_>,
        raw: &str,
        place: Place,
        resolve: &dyn Fn(&str) -> Option<(String, String)>,
    ) -> std::io::Result<()> {
        let Some(text) = resource
            .get_str("resourceType")
            .filter(|_| resource.kind() == Kind::Object)
        else {
            return self.reject(
                NO_TYPE,
                place,
                &ResourceError::NoResourceType.to_string(),
                raw.as_bytes(),
            );
        };
        let known = engine_patient::fhir::model::Model::r4().resource(&text);
        let Some(ty) = known.and_then(|t| Name::of(t.name)) else {
            let error = ResourceError::UnknownResourceType(text.into_owned());
            return self.reject(&type_of(&error), place, &error.to_string(), raw.as_bytes());
        };
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
        let envelope = match Envelope::read(ty, resource, resolve, &mut see) {
            Ok(envelope) => envelope,
            Err(error) => {
                return self.reject(ty.as_str(), place, &error.to_string(), raw.as_bytes());
            }
        };
        self.tally(ty.as_str()).read += 1;
        let bucket = match &envelope.owner {
            Owner::Patient(patient) => bucket_of(patient, self.buckets),
            Owner::Shared => self.buckets,
            Owner::Unlinked => {
                *self
                    .result
                    .unlinked
                    .entry(ty.as_str().to_owned())
                    .or_default() += 1;
                self.buckets
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
        self.ids.add(id_hash(ty, &envelope.id), bucket)?;
        self.spill
            .write(bucket as usize, &envelope, raw, place.sequence())
    }

    fn tally(&mut self, ty: &str) -> &mut Tally {
        if !self.result.tallies.contains_key(ty) {
            self.result.tallies.insert(ty.to_owned(), Tally::default());
        }
        self.result.tallies.entry(ty.to_owned()).or_default()
    }

    fn reject(&mut self, ty: &str, place: Place, reason: &str, raw: &[u8]) -> std::io::Result<()> {
        let tally = self.tally(ty);
        tally.read += 1;
        tally.rejected += 1;
        self.rejects.add(
            place.sequence(),
            place.file,
            place.line,
            place.offset,
            ty,
            reason,
            raw,
        )
    }
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
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let all = lines.clone().count() > 1;
    all && lines.all(|l| l.trim_start().starts_with('{'))
}

/// The JSON on one line: NDJSON is lines. White space between tokens carries nothing.
fn compact(json: &str) -> std::borrow::Cow<'_, str> {
    if !json.contains(['\n', '\r']) {
        return json.into();
    }
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_whitespace() {
            continue;
        } else {
            in_string = c == '"';
        }
        out.push(c);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compacting_keeps_strings() {
        let pretty = "{\n  \"a b\": \"c \\\" d \\\\\",\r\n \"e\" : [1, 2 ] }";
        assert_eq!(compact(pretty), "{\"a b\":\"c \\\" d \\\\\",\"e\":[1,2]}");
        assert_eq!(compact("{ \"a\": 1 }"), "{ \"a\": 1 }");
    }
}
