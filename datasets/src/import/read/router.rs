//! Resources on their way to their patients' buckets: references resolved, the envelope read; what
//! cannot be stored goes to the rejects.

use std::sync::atomic::Ordering;

use engine_patient::bundle::{Bundle, Context, References, resolved, restore_text};
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, Kind, PatientRecord, ResourceError};
use engine_population::lake::bucket_of;
use engine_population::lake::envelope::{Envelope, Owner};

use super::place::Place;
use super::rejects::{Reject, RejectWriter};
use super::sinks::Sinks;
use super::sizes::too_long;
use super::types::{DEFINITIONS, NO_TYPE, has_primary_code, type_of};
use super::unreadable::UnreadableWriter;
use super::worker_result::WorkerResult;
use crate::import::chunks::SHOWN;
use crate::import::codes::see_code;
use crate::import::deletions::Read;
use crate::import::ids::{IdWriter, id_hash};
use crate::import::spill::SpillWriter;

/// One thread's way to the sinks.
pub struct Router<'a> {
    pub sinks: Sinks<'a>,
    spill: SpillWriter<'a>,
    ids: IdWriter<'a>,
    rejects: RejectWriter<'a>,
    unreadable: UnreadableWriter<'a>,
    /// Resources of this chunk.
    kept: u64,
    /// For a resource whose text was changed.
    changed: PatientRecord,
    pub result: WorkerResult,
}

impl<'a> Router<'a> {
    pub fn new(sinks: Sinks<'a>) -> Self {
        Router {
            sinks,
            spill: SpillWriter::new(sinks.spill),
            ids: IdWriter::new(sinks.ids),
            rejects: RejectWriter::new(sinks.rejects),
            unreadable: UnreadableWriter::new(sinks.unreadable),
            kept: 0,
            changed: PatientRecord::new(),
            result: WorkerResult::default(),
        }
    }

    /// What comes is of this file.
    pub fn start(&mut self, file: usize) {
        self.rejects.start(file);
        self.unreadable.start(file);
    }

    /// No more of this file for now.
    pub fn pause(&mut self, file: usize) -> std::io::Result<()> {
        self.rejects.flush()?;
        self.unreadable.flush()?;
        if let Some(kept) = self.sinks.kept.get(file) {
            kept.fetch_add(std::mem::take(&mut self.kept), Ordering::Relaxed);
        }
        Ok(())
    }

    /// What something large took is not kept for the small.
    pub fn shrink(&mut self) {
        self.changed = PatientRecord::new();
    }

    /// Writes what is buffered.
    pub fn finish(self) -> std::io::Result<WorkerResult> {
        self.spill.finish()?;
        self.ids.finish()?;
        Ok(self.result)
    }

    /// A resource on a line or in a file of its own.
    pub fn alone(&mut self, resource: Element<'_>, place: Place) -> std::io::Result<()> {
        let context = Context::Line {
            own: self.sinks.bases,
        };
        self.resource(resource, None, &context, place, place.sequence())
    }

    /// Every entry of a Bundle of any type, references resolved within it.
    pub fn bundle(&mut self, root: Element<'_>, place: Place) -> std::io::Result<()> {
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
                    self.result.tally(deletion.ty.as_str()).read += 1;
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
        let WorkerResult {
            codes, collision, ..
        } = &mut self.result;
        let mut see = |key: i64, system: &str, code: &str, display: Option<&str>| {
            see_code(codes, key, (system, code, display), collision);
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
        self.result.tally(ty.as_str()).read += 1;
        let defines = DEFINITIONS.contains(&ty.as_str());
        let bucket = match &envelope.owner {
            Owner::Patient(patient) => bucket_of(patient, self.sinks.buckets),
            // For the moves of ids all resources without a patient are in one bucket.
            Owner::Shared => self.sinks.buckets,
            Owner::Unlinked if defines => self.sinks.buckets,
            Owner::Unlinked => {
                *self
                    .result
                    .unlinked
                    .entry(ty.as_str().to_owned())
                    .or_default() += 1;
                self.sinks.buckets
            }
        };
        if envelope.codes.len() == 1 && has_primary_code(ty) && !defines {
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

    pub fn reject(
        &mut self,
        ty: &str,
        place: Place,
        reason: &str,
        raw: &[u8],
    ) -> std::io::Result<()> {
        self.rejected(ty, place, reason, (raw, raw.len() as u64))
    }

    /// Of something too large the beginning is kept, and its length.
    pub fn reject_beginning(
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
        let tally = self.result.tally(ty);
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
