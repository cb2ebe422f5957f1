//! Resources on their way from the readers to their buckets: one scratch file a bucket, and some for
//! the resources without a patient. How much was written is remembered, so that a file that is gone or
//! was cut is never taken for an empty one. They stay until the import ends: it may write again.

use std::fs::File;
use std::io::{BufReader, Error, Read, Result, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use engine_patient::fhir::names::Name;
use engine_patient::record::Age;
use engine_population::lake::envelope::{Coded, Envelope, Owner};
use engine_population::lake::rows::{Row, Rows};

use super::scratch_file::{append_to, damaged, failed, gone};

/// All buffers together.
const BUFFERS: usize = 256 << 20;

/// The scratch files of an import. Removed when dropped.
pub struct Spill {
    folder: PathBuf,
    buckets: u32,
    /// Files of resources without a patient, a power of two; they come behind the buckets'.
    parts: u32,
    places: Vec<Mutex<Place>>,
    flush_at: usize,
    /// So many of the files are kept open; the others are opened for each block.
    open: usize,
}

/// One scratch file.
#[derive(Default)]
struct Place {
    written: Written,
    file: Option<File>,
}

/// How much was written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Written {
    rows: u64,
    bytes: u64,
}

impl Spill {
    /// `open` files may be open at once, beside those of the threads.
    pub fn create(
        folder: PathBuf,
        (buckets, parts): (u32, u32),
        workers: usize,
        open: usize,
    ) -> Result<Spill> {
        std::fs::create_dir_all(&folder)?;
        let parts = parts.max(1).next_power_of_two();
        let count = buckets as usize + parts as usize;
        Ok(Spill {
            folder,
            buckets,
            parts,
            places: (0..count).map(|_| Mutex::default()).collect(),
            flush_at: (BUFFERS / (count * workers.max(1))).min(1 << 20),
            open,
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a resource without a patient goes, by the hash of its type and id.
    pub fn place_of_shared(&self, hash: u64) -> usize {
        self.buckets as usize + part_of(hash, self.parts) as usize
    }

    /// The rows of a bucket, appended to `rows`.
    pub fn load(&self, bucket: u32, rows: &mut Rows) -> Result<()> {
        self.load_place(bucket as usize, rows)
    }

    /// The rows without a patient of one of so many parts (a power of two, not more than the spill
    /// has), appended to `rows`.
    pub fn load_shared(&self, (part, of): (u32, u32), rows: &mut Rows) -> Result<()> {
        self.shared((part, of))
            .try_for_each(|place| self.load_place(place, rows))
    }

    /// Whether nothing was spilled for a bucket.
    pub fn is_empty(&self, bucket: u32) -> bool {
        self.written(bucket as usize) == Written::default()
    }

    /// Whether nothing without a patient was spilled for one of so many parts.
    pub fn is_shared_empty(&self, part: (u32, u32)) -> bool {
        self.shared(part)
            .all(|place| self.written(place) == Written::default())
    }

    /// Bytes of the resources without a patient.
    pub fn shared_bytes(&self) -> u64 {
        self.shared((0, 1)).map(|p| self.written(p).bytes).sum()
    }

    /// How many parts the resources without a patient can be dealt to, a power of two.
    pub fn parts(&self) -> u32 {
        self.parts
    }

    fn shared(&self, (part, of): (u32, u32)) -> impl Iterator<Item = usize> + use<> {
        let buckets = self.buckets as usize;
        let of = of.clamp(1, self.parts) as usize;
        (part as usize..self.parts as usize)
            .step_by(of)
            .map(move |place| buckets + place)
    }

    fn written(&self, place: usize) -> Written {
        let place = self.places.get(place);
        // A thread that failed has ended the import.
        place
            .and_then(|p| p.lock().ok())
            .map_or(Written::default(), |p| p.written)
    }

    fn path(&self, place: usize) -> PathBuf {
        self.folder.join(format!("{place}.spill"))
    }

    fn load_place(&self, place: usize, rows: &mut Rows) -> Result<()> {
        let written = self.written(place);
        if written == Written::default() {
            return Ok(());
        }
        let file = File::open(self.path(place)).map_err(gone)?;
        if file.metadata()?.len() != written.bytes {
            return Err(damaged());
        }
        let raw = usize::try_from(written.bytes).unwrap_or(0);
        rows.text.reserve(raw);
        let mut reader = BufReader::with_capacity(1 << 20, file.take(written.bytes));
        for _ in 0..written.rows {
            match read_row(&mut reader, rows)? {
                Some(row) => rows.rows.push(row),
                None => return Err(damaged()),
            }
        }
        match reader.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(damaged()),
        }
    }

    fn append(&self, place: usize, buffer: &Buffer) -> Result<()> {
        let Some(slot) = self.places.get(place) else {
            return Err(Error::other("a bucket that does not exist"));
        };
        let mut slot = slot.lock().map_err(|_| failed())?;
        let first = slot.written == Written::default();
        match &mut slot.file {
            Some(file) => file.write_all(&buffer.bytes)?,
            None => {
                let mut file = append_to(&self.path(place), first)?;
                file.write_all(&buffer.bytes)?;
                slot.file = (place < self.open).then_some(file);
            }
        }
        slot.written.rows += buffer.rows;
        slot.written.bytes += buffer.bytes.len() as u64;
        Ok(())
    }
}

/// Of so many parts the one that a resource without a patient belongs to, by the hash of its type and
/// id. Not the bits by which ids are dealt to scratch files.
pub fn part_of(hash: u64, parts: u32) -> u32 {
    u32::try_from((hash >> 32) & u64::from(parts.saturating_sub(1))).unwrap_or(0)
}

impl Drop for Spill {
    fn drop(&mut self) {
        // Scratch: if it cannot be removed now, the next import removes it.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Rows on their way to a scratch file.
#[derive(Default)]
struct Buffer {
    rows: u64,
    bytes: Vec<u8>,
}

/// One worker's buffers.
pub struct SpillWriter<'s> {
    spill: &'s Spill,
    buffers: Vec<Buffer>,
}

impl<'s> SpillWriter<'s> {
    pub fn new(spill: &'s Spill) -> Self {
        let buffers = spill.places.iter().map(|_| Buffer::default()).collect();
        SpillWriter { spill, buffers }
    }

    /// Adds a resource to a bucket, or to where one without a patient goes.
    pub fn write(
        &mut self,
        place: usize,
        envelope: &Envelope,
        raw: &str,
        restore: &str,
        sequence: u64,
    ) -> Result<()> {
        let Some(buffer) = self.buffers.get_mut(place) else {
            return Err(Error::other("a bucket that does not exist"));
        };
        let patient = match &envelope.owner {
            Owner::Patient(id) => id.as_str(),
            Owner::Shared | Owner::Unlinked => "",
        };
        encode(
            &mut buffer.bytes,
            envelope,
            patient,
            (raw, restore),
            sequence,
        )?;
        buffer.rows += 1;
        if buffer.bytes.len() >= self.spill.flush_at {
            self.spill.append(place, buffer)?;
            buffer.rows = 0;
            // A large resource must not leave its memory behind in each bucket.
            match buffer.bytes.capacity() > 4 * self.spill.flush_at {
                true => buffer.bytes = Vec::new(),
                false => buffer.bytes.clear(),
            }
        }
        Ok(())
    }

    /// Writes what is buffered.
    pub fn finish(self) -> Result<()> {
        let buffers = self.buffers.iter().enumerate();
        for (place, buffer) in buffers.filter(|(_, b)| b.rows > 0) {
            self.spill.append(place, buffer)?;
        }
        Ok(())
    }
}

const NONE: i64 = i64::MIN;

fn encode(
    out: &mut Vec<u8>,
    e: &Envelope,
    patient: &str,
    (raw, restore): (&str, &str),
    sequence: u64,
) -> Result<()> {
    let too_long = || Error::other("a field too long for the scratch file");
    let short = |n: usize| u16::try_from(n).map_err(|_| too_long());
    let long = |n: usize| u32::try_from(n).map_err(|_| too_long());
    out.extend_from_slice(&sequence.to_le_bytes());
    // As bits: a version number may use all 64.
    let version = e.age.version.map(|v| i64::from_le_bytes(v.to_le_bytes()));
    out.push(u8::from(version.is_some()));
    out.extend_from_slice(&version.unwrap_or(0).to_le_bytes());
    for time in [e.age.updated, e.start, e.end, Some(e.first_key)] {
        out.extend_from_slice(&time.unwrap_or(NONE).to_le_bytes());
    }
    let ty = e.ty.as_str();
    for text in [ty, patient, &e.id, &e.version] {
        out.extend_from_slice(&short(text.len())?.to_le_bytes());
    }
    out.extend_from_slice(&long(e.codes.len())?.to_le_bytes());
    out.extend_from_slice(&long(raw.len())?.to_le_bytes());
    out.extend_from_slice(&long(restore.len())?.to_le_bytes());
    for code in &e.codes {
        out.extend_from_slice(&code.path.to_le_bytes());
        out.extend_from_slice(&code.key.to_le_bytes());
    }
    for text in [ty, patient, &e.id, &e.version, raw, restore] {
        out.extend_from_slice(text.as_bytes());
    }
    Ok(())
}

fn read_row(reader: &mut impl Read, rows: &mut Rows) -> Result<Option<Row>> {
    let mut head = [0u8; 69];
    let mut filled = 0;
    while filled < head.len() {
        match reader.read(head.get_mut(filled..).unwrap_or_default())? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(damaged()),
            n => filled += n,
        }
    }
    let mut head = head.as_slice();
    let sequence = u64::from_le_bytes(take::<8>(&mut head)?);
    let numbered = take::<1>(&mut head)? != [0];
    let number = u64::from_le_bytes(take::<8>(&mut head)?);
    let mut long = || take::<8>(&mut head).map(i64::from_le_bytes);
    let (updated, start, end, first_key) = (long()?, long()?, long()?, long()?);
    let mut short = || take::<2>(&mut head).map(|b| usize::from(u16::from_le_bytes(b)));
    let (ty, patient, id, version) = (short()?, short()?, short()?, short()?);
    let mut count = || take::<4>(&mut head).map(|b| u32::from_le_bytes(b) as usize);
    let (codes, raw, restore) = (count()?, count()?, count()?);

    let first_code = rows.codes.len();
    let mut code = [0u8; 10];
    for _ in 0..codes {
        reader.read_exact(&mut code)?;
        let mut code = code.as_slice();
        let path = i16::from_le_bytes(take::<2>(&mut code)?);
        let key = i64::from_le_bytes(take::<8>(&mut code)?);
        rows.codes.push(Coded { path, key });
    }
    let mut text = |length: usize, into: &mut String| -> Result<std::ops::Range<usize>> {
        let start = into.len();
        let read = reader.by_ref().take(length as u64).read_to_string(into)?;
        if read == length {
            Ok(start..start + length)
        } else {
            Err(damaged())
        }
    };
    let mut ty_text = String::with_capacity(ty);
    text(ty, &mut ty_text)?;
    let into = &mut rows.text;
    let (patient, id, version) = (text(patient, into)?, text(id, into)?, text(version, into)?);
    let (raw, restore) = (text(raw, into)?, text(restore, into)?);
    let some = |v: i64| (v != NONE).then_some(v);
    Ok(Some(Row {
        ty: Name::of(&ty_text).ok_or_else(damaged)?,
        patient,
        id,
        version,
        age: Age {
            updated: some(updated),
            version: numbered.then_some(number),
        },
        start: some(start),
        end: some(end),
        first_key,
        codes: first_code..rows.codes.len(),
        raw,
        restore,
        sequence,
    }))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or_else(damaged)?;
    *bytes = rest;
    Ok(*first)
}

#[cfg(test)]
#[path = "spill_tests.rs"]
mod tests;
