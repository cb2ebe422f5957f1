//! Chunks to resources: lines, documents, and what is neither.

use engine_patient::record::{PatientRecord, ResourceError};

use super::place::Place;
use super::router::Router;
use super::sinks::Sinks;
use super::sizes::{too_long, too_many_values};
use super::text::{is_manifest, joined, looks_like_lines, not_utf8, trimmed};
use super::types::{NO_TYPE, is_bundle, type_of};
use super::worker_result::WorkerResult;
use crate::import::chunks::{Chunk, ChunkKind, SHOWN};
use crate::import::limits::LARGE;

/// One thread's share of the reading.
pub struct Worker<'a> {
    router: Router<'a>,
    record: PatientRecord,
}

impl<'a> Worker<'a> {
    pub fn new(sinks: Sinks<'a>) -> Self {
        Worker {
            router: Router::new(sinks),
            record: PatientRecord::new(),
        }
    }

    /// Writes what is buffered.
    pub fn finish(self) -> std::io::Result<WorkerResult> {
        self.router.finish()
    }

    pub fn chunk(&mut self, chunk: &Chunk) -> std::io::Result<()> {
        let place = Place {
            line: chunk.line,
            offset: chunk.offset,
            base: chunk.base,
        };
        self.router.start(chunk.file);
        match chunk.kind {
            ChunkKind::Lines => self.lines(&chunk.bytes, place)?,
            ChunkKind::Document => self.document(&chunk.bytes, place)?,
            ChunkKind::LongLine(length) => {
                let reason = too_long(length, self.router.sinks.limits.resource);
                self.router
                    .reject_beginning(place, &reason, (&chunk.bytes, length))?;
            }
            ChunkKind::LargeDocument(length) => {
                let reason = format!(
                    "a document of {length} bytes, more than the limit of {} bytes (--max-document-size): give a larger one, or export it as NDJSON",
                    self.router.sinks.limits.document
                );
                self.router
                    .reject_beginning(place, &reason, (&chunk.bytes, length))?;
            }
            ChunkKind::Damaged(length) => {
                let reason = chunk.damage.as_deref().unwrap_or_default();
                let beginning = (&chunk.bytes[..], length);
                self.router.reject_beginning(place, reason, beginning)?;
            }
        }
        self.router.pause(chunk.file)?;
        if chunk.bytes.len() > LARGE {
            // What something large took is not kept for the small.
            self.record = PatientRecord::new();
            self.router.shrink();
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
                    self.router.reject(NO_TYPE, place, not_utf8(bytes), line)?;
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
        self.router.sinks.progress.add_resources(resources);
        Ok(())
    }

    fn line(&mut self, text: &str, place: Place) -> std::io::Result<()> {
        let (length, limit) = (text.len() as u64, self.router.sinks.limits.resource);
        if length > limit {
            let start = text.as_bytes().get(..SHOWN).unwrap_or(text.as_bytes());
            return self
                .router
                .reject_beginning(place, &too_long(length, limit), (start, length));
        }
        if let Some(why) = too_many_values(text.as_bytes(), limit) {
            let start = text.as_bytes().get(..SHOWN).unwrap_or_default();
            return self.router.reject_beginning(place, &why, (start, length));
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
                self.router.result.manifests += 1;
                Ok(())
            }
            Err(error) => {
                let parts = match error {
                    ResourceError::Json(_) => joined(text),
                    _ => vec![],
                };
                if parts.is_empty() {
                    return self.router.reject(
                        &type_of(&error),
                        place,
                        &error.to_string(),
                        text.as_bytes(),
                    );
                }
                self.router
                    .sinks
                    .progress
                    .add_resources(parts.len() as u64 - 1);
                let (mut here, mut at) = (place, 0);
                for (start, part) in parts {
                    here = here.after(text.get(at..start).unwrap_or(""));
                    at = start;
                    record.clear();
                    match record.push(part) {
                        Ok(()) => self.pushed(record, here)?,
                        Err(error) => {
                            let ty = type_of(&error);
                            self.router
                                .reject(&ty, here, &error.to_string(), part.as_bytes())?;
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
            Some(resource) if is_bundle(resource) => self.router.bundle(resource, place),
            Some(resource) => self.router.alone(resource, place),
            None => Ok(()),
        }
    }

    fn document(&mut self, bytes: &[u8], place: Place) -> std::io::Result<()> {
        let Ok(whole) = simdutf8::basic::from_utf8(bytes) else {
            return self.router.reject(NO_TYPE, place, not_utf8(bytes), bytes);
        };
        if let Some(why) = too_many_values(bytes, self.router.sinks.limits.document) {
            let start = (bytes.get(..SHOWN).unwrap_or_default(), bytes.len() as u64);
            return self.router.reject_beginning(place, &why, start);
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
                self.router.sinks.progress.add_resources(u64::from(!bundle));
                record.clear();
                self.parsed(&mut record, text, place)
            }
        }
    }
}
