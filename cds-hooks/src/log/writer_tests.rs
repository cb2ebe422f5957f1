use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// A pipe takes 64 KiB and the queue 1 MiB; the rest is dropped, counted, and said.
#[test]
fn a_reader_that_stops_reading_delays_nobody() {
    let (reader, writer) = io::pipe().unwrap();
    let log = Log::to(writer);
    let line = "x".repeat(999);
    for _ in 0..2000 {
        log.line(&line);
    }
    let dropped = log.counts().dropped;
    assert!(dropped > 700, "{dropped}");
    assert!(!log.flush(Duration::from_millis(50)));
    let reading = std::thread::spawn(move || {
        let lines = BufReader::new(reader).lines();
        lines.map(Result::unwrap).collect::<Vec<_>>()
    });
    assert!(log.flush(LONG));
    log.line("again");
    assert!(log.flush(LONG));
    drop(log);
    let lines = reading.join().unwrap();
    // Said whenever writing went on, so in several parts while the pipe still took some.
    let said = lines.iter().filter_map(|l| {
        let note = l.strip_prefix("{\"dropped\":")?;
        note.split(',').next()?.parse::<u64>().ok()
    });
    let said: Vec<u64> = said.collect();
    assert_eq!(said.iter().sum::<u64>(), dropped);
    assert_eq!(lines.len(), 2000 - dropped as usize + said.len() + 1);
    assert_eq!(lines.last().unwrap(), "again");
    assert!(lines.iter().all(|l| l.len() < 1000));
}

#[test]
fn a_reader_that_is_gone_is_counted() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let log = Log::to(writer);
    for _ in 0..100 {
        log.line("x");
    }
    assert!(log.flush(LONG));
    let all = LogCounts {
        dropped: 100,
        write_errors: 100,
    };
    assert_eq!(log.counts(), all);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_counted() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let log = Log::to(full.unwrap());
    log.line("x");
    assert!(log.flush(LONG));
    assert_eq!(log.counts().write_errors, 1);
}

/// Room for some bytes, then none until it is said to be there again.
struct Disk {
    room: usize,
    again: Arc<AtomicBool>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.again.load(Ordering::SeqCst) {
            self.room = usize::MAX;
        }
        if self.room == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        let n = bytes.len().min(self.room);
        self.room -= n;
        self.written.lock().unwrap().extend(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn logging_goes_on_when_there_is_room_again() {
    let again = Arc::new(AtomicBool::new(false));
    let written = Arc::new(Mutex::new(vec![]));
    let log = Log::to(Disk {
        room: 6,
        again: Arc::clone(&again),
        written: Arc::clone(&written),
    });
    for line in ["one", "two", "three"] {
        log.line(line);
        assert!(log.flush(LONG));
    }
    again.store(true, Ordering::SeqCst);
    log.line("four");
    assert!(log.flush(LONG));
    assert_eq!(log.counts().dropped, 2);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let note = note(2);
    assert_eq!(text, format!("one\ntw\n{note}four\n"));
}
