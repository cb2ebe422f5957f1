//! Resources on their way from the readers to their buckets: one scratch file a bucket.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use engine_patient::fhir::names::Name;
use engine_patient::record::Age;
use engine_population::lake::envelope::{Coded, Envelope, Owner};
use engine_population::lake::rows::{Row, Rows};

/// The scratch files of an import. Removed when dropped.
pub struct Spill {
    folder: PathBuf,
    files: Vec<Mutex<File>>,
    flush_at: usize,
}

impl Spill {
    /// One file a bucket and one, the last, for resources without a patient.
    pub fn create(folder: PathBuf, buckets: u32, workers: usize) -> std::io::Result<Spill> {
        std::fs::create_dir_all(&folder)?;
        let names =
            (0..=buckets).map(|b| File::create(folder.join(format!("{b}.spill"))).map(Mutex::new));
        let files = names.collect::<std::io::Result<Vec<_>>>()?;
        // All buffers together stay under 256 MB.
        let flush_at = ((256 << 20) / (files.len() * workers.max(1))).min(1 << 20);
        Ok(Spill {
            folder,
            files,
            flush_at,
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The rows of a bucket, appended to `rows`. They stay.
    pub fn load(&self, bucket: u32, rows: &mut Rows) -> std::io::Result<()> {
        let path = self.folder.join(format!("{bucket}.spill"));
        let bytes = std::fs::metadata(&path)?.len();
        rows.text.reserve(usize::try_from(bytes).unwrap_or(0));
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&path)?);
        while let Some(row) = read_row(&mut reader, rows)? {
            rows.rows.push(row);
        }
        Ok(())
    }

    /// Whether anything was spilled for a bucket.
    pub fn is_empty(&self, bucket: u32) -> bool {
        let path = self.folder.join(format!("{bucket}.spill"));
        std::fs::metadata(path).map_or(true, |m| m.len() == 0)
    }

    fn append(&self, bucket: usize, bytes: &[u8]) -> std::io::Result<()> {
        let Some(file) = self.files.get(bucket) else {
            return Err(std::io::Error::other("a bucket that does not exist"));
        };
        let mut file = file
            .lock()
            .map_err(|_| std::io::Error::other("another thread failed"))?;
        file.write_all(bytes)
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // Scratch: if it cannot be removed now, the next import removes it.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One worker's buffers.
pub struct SpillWriter<'s> {
    spill: &'s Spill,
    buffers: Vec<Vec<u8>>,
}

impl<'s> SpillWriter<'s> {
    pub fn new(spill: &'s Spill) -> Self {
        let buffers = spill.files.iter().map(|_| Vec::new()).collect();
        SpillWriter { spill, buffers }
    }

    /// Adds a resource.
    pub fn write(
        &mut self,
        bucket: usize,
        envelope: &Envelope,
        raw: &str,
        restore: &str,
        sequence: u64,
    ) -> std::io::Result<()> {
        let Some(buffer) = self.buffers.get_mut(bucket) else {
            return Err(std::io::Error::other("a bucket that does not exist"));
        };
        let patient = match &envelope.owner {
            Owner::Patient(id) => id.as_str(),
            Owner::Shared | Owner::Unlinked => "",
        };
        encode(buffer, envelope, patient, (raw, restore), sequence)?;
        if buffer.len() >= self.spill.flush_at {
            self.spill.append(bucket, buffer)?;
            buffer.clear();
        }
        Ok(())
    }

    /// Writes what is buffered.
    pub fn finish(self) -> std::io::Result<()> {
        for (bucket, buffer) in self
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, b)| !b.is_empty())
        {
            self.spill.append(bucket, buffer)?;
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
) -> std::io::Result<()> {
    let too_long = || std::io::Error::other("a field too long for the scratch file");
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

fn damaged() -> std::io::Error {
    std::io::Error::other("a scratch file of the import was changed by somebody else")
}

fn read_row(reader: &mut impl Read, rows: &mut Rows) -> std::io::Result<Option<Row>> {
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
    let mut text = |length: usize, into: &mut String| -> std::io::Result<std::ops::Range<usize>> {
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

fn take<const N: usize>(bytes: &mut &[u8]) -> std::io::Result<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or_else(damaged)?;
    *bytes = rest;
    Ok(*first)
}
