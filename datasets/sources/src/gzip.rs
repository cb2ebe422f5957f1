//! gzip: several members in a row, as bulk exports often are. Zeros behind them are padding; anything
//! else is told.

use std::io::{BufRead, Read, Result};

use flate2::bufread::GzDecoder;

use crate::stop::refused;

pub(crate) enum Gunzip<R> {
    Before(R),
    Within(Box<GzDecoder<R>>),
    Done,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(self, Gunzip::Done) {
                Gunzip::Done => return Ok(0),
                Gunzip::Before(mut packed) => match packed.fill_buf()? {
                    [] => return Err(refused("it is empty, no gzip file")),
                    [0x1f, ..] => *self = Gunzip::Within(Box::new(GzDecoder::new(packed))),
                    _ => return Err(refused("it is no gzip file, although its name says so")),
                },
                Gunzip::Within(mut decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 {
                        *self = Gunzip::Within(decoder);
                        return Ok(read);
                    }
                    let mut packed = decoder.into_inner();
                    if !another(&mut packed)? {
                        return Ok(0);
                    }
                    *self = Gunzip::Within(Box::new(GzDecoder::new(packed)));
                }
            }
        }
    }
}

/// Whether behind a member stands another; what is neither that nor padding is an error.
fn another(packed: &mut impl BufRead) -> Result<bool> {
    let mut padded = false;
    loop {
        let next = packed.fill_buf()?;
        match next.iter().position(|b| *b != 0) {
            None if next.is_empty() => return Ok(false),
            None => {
                let zeros = next.len();
                packed.consume(zeros);
                padded = true;
            }
            Some(0) if next.first() == Some(&0x1f) && !padded => return Ok(true),
            Some(_) => {
                let text = "behind the packed data stands something that is no gzip";
                return Err(refused(text));
            }
        }
    }
}
