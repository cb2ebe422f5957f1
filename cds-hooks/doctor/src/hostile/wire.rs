//! Bytes on a connection, and what comes back.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::shot::{Manner, Shot};
use crate::options::DoctorError;

/// How long a connection may stay open without an answer. More than a service gives a slow client.
const PATIENCE: Duration = Duration::from_secs(45);

/// Bytes of answers that are read.
const MOST: usize = 64 << 20;

/// Where to send: an address and what stands before `/cds-services`.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) path: String,
    pub(super) base: String,
}

impl Target {
    /// Of a base URL of plain HTTP.
    pub(super) fn of(base: &str) -> Result<Self, DoctorError> {
        let url = url::Url::parse(base).map_err(|_| DoctorError::Url(base.to_owned()))?;
        let host = url.host_str().unwrap_or_default();
        if url.scheme() != "http" {
            return Err(DoctorError::PlainOnly(base.to_owned()));
        }
        Ok(Target {
            host: format!("{host}:{}", url.port_or_known_default().unwrap_or(80)),
            path: url.path().trim_end_matches('/').to_owned(),
            base: base.to_owned(),
        })
    }
}

/// What came of a shot.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Came {
    Answers(Vec<u16>),
    /// The service closed without an answer.
    Closed,
    Hangs,
    /// No connection.
    Nobody(String),
}

/// Sends a shot and reads until enough answers came or the connection ends.
pub(super) async fn fire(target: &Target, shot: &Shot) -> Came {
    let mut stream = match timeout(PATIENCE, TcpStream::connect(&target.host)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return Came::Nobody(format!("no connection: {e}")),
        Err(_) => return Came::Nobody("no connection in time".to_owned()),
    };
    let (mut reader, mut writer) = stream.split();
    // It may be refused in the middle: what came back until then counts.
    let write = async {
        let _ = send(&mut writer, shot).await;
    };
    let read = read(&mut reader, shot);
    let mut reading = std::pin::pin!(read);
    let deadline = Instant::now() + PATIENCE;
    let statuses = tokio::select! {
        got = &mut reading => got,
        () = write => match shot.manner {
            // Who goes away wants no answer.
            Manner::GoesAway => return Came::Closed,
            _ => {
                let left = deadline.saturating_duration_since(Instant::now());
                match timeout(left, reading).await {
                    Ok(got) => got,
                    Err(_) => return Came::Hangs,
                }
            }
        },
    };
    match statuses.is_empty() {
        true => Came::Closed,
        false => Came::Answers(statuses),
    }
}

async fn send(writer: &mut (impl AsyncWriteExt + Unpin), shot: &Shot) -> std::io::Result<()> {
    match shot.manner {
        Manner::Whole | Manner::GoesAway => writer.write_all(&shot.bytes).await?,
        Manner::HalfClosed => {
            writer.write_all(&shot.bytes).await?;
            writer.shutdown().await?;
        }
        Manner::InDrops => {
            let size = shot.bytes.len().div_ceil(12).max(1);
            for drop in shot.bytes.chunks(size) {
                writer.write_all(drop).await?;
                writer.flush().await?;
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        }
    }
    writer.flush().await
}

/// Statuses of the answers, of which there are at most as many as requests.
async fn read(reader: &mut (impl AsyncReadExt + Unpin), shot: &Shot) -> Vec<u16> {
    let (mut all, mut piece) = (vec![], vec![0; 16 << 10]);
    loop {
        let (statuses, whole) = answers(&all);
        if whole && statuses.len() >= shot.answers {
            return statuses;
        }
        match reader.read(&mut piece).await {
            Ok(n @ 1..) if all.len() < MOST => {
                all.extend_from_slice(piece.get(..n).unwrap_or_default());
            }
            _ => return answers(&all).0,
        }
    }
}

/// The statuses of answers one after the other, and whether the last is whole.
fn answers(mut bytes: &[u8]) -> (Vec<u16>, bool) {
    let mut out = vec![];
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        let Some(end) = end else { return (out, false) };
        let head =
            String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).to_ascii_lowercase();
        let status = head.get(9..12).and_then(|s| s.parse().ok()).unwrap_or(0);
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
        let rest = bytes.get(end + 4..).unwrap_or_default();
        if (100..200).contains(&status) {
            bytes = rest;
            continue;
        }
        out.push(status);
        if head.contains("transfer-encoding: chunked") {
            // It is not told how many follow: what comes after it is not looked at.
            return (out, rest.ends_with(b"0\r\n\r\n"));
        }
        match rest.get(length..) {
            Some(next) => bytes = next,
            None => return (out, false),
        }
    }
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let one = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\nab";
        assert_eq!(answers(one), (vec![400], true));
        assert_eq!(answers(&one[..one.len() - 1]), (vec![400], false));
        assert_eq!(answers(&one.repeat(3)), (vec![400; 3], true));
        assert_eq!(answers(b"HTTP/1.1 2"), (vec![], false));
        let go_on = [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], one].concat();
        assert_eq!(answers(&go_on), (vec![400], true));
    }
}
