//! Frames of zstd. An empty file is none.

use std::io::{BufRead, Read, Result};

use zstd::stream::read::Decoder;

use crate::packing::ZSTD_WINDOW_LOG;
use crate::stop::refused;

pub(crate) enum Unzstd<'p, R: BufRead> {
    Before(R),
    Within(Decoder<'p, R>),
    Done,
}

impl<R: BufRead> Read for Unzstd<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if let Unzstd::Within(decoder) = self {
            return decoder.read(buffer);
        }
        match std::mem::replace(self, Unzstd::Done) {
            Unzstd::Before(mut packed) => {
                if packed.fill_buf()?.is_empty() {
                    return Err(refused("it is empty, no zstd file"));
                }
                let mut decoder = Decoder::with_buffer(packed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                let read = decoder.read(buffer);
                *self = Unzstd::Within(decoder);
                read
            }
            _ => Ok(0),
        }
    }
}
