//! Printing that does not panic. Everything that a command prints goes through here: a reader who closes
//! the pipe ends the command quietly, a full disk with an error, and notes that nobody can read are
//! dropped: a success stays one.
//!
//! | | where | |
//! |---|---|---|
//! | `say!` | standard output | text for people: what a terminal would act on is shown ([`crate::visible`]), and long lines are wrapped ([`crate::wrap`]) |
//! | `say_whole!` | standard output | the same, not wrapped: what is copied into a shell |
//! | `data!` | standard output | for machines (CSV, JSON): exact |
//! | `note!` | standard error | text for people, beside the output; wrapped in a terminal, findings always |

use std::io::Write;
use std::sync::Mutex;

use crate::visible::in_text;
use crate::width;
use crate::wrap::in_lines;

/// A line of text for people, as `println!`.
#[macro_export]
macro_rules! say {
    ($($arg:tt)*) => { $crate::say::line(format_args!($($arg)*)) };
}

/// A line of text for people that is not wrapped: it is copied into a shell.
#[macro_export]
macro_rules! say_whole {
    ($($arg:tt)*) => { $crate::say::whole_line(format_args!($($arg)*)) };
}

/// A line for machines, as it is.
#[macro_export]
macro_rules! data {
    ($($arg:tt)*) => { $crate::say::exact(format_args!($($arg)*)) };
}

/// A line on standard error, as `eprintln!`.
#[macro_export]
macro_rules! note {
    ($($arg:tt)*) => { $crate::say::aside(format_args!($($arg)*)) };
}

/// What ends a command whose output cannot be written: the exit code. It unwinds, so that scratch
/// folders are removed, and `main` takes it up.
pub struct Quit(pub u8);

/// What is done whatever becomes of the output.
static DONE: Mutex<Option<String>> = Mutex::new(None);

/// Remembers what stands although it may be that it cannot be printed.
pub fn done(what: String) {
    if let Ok(mut done) = DONE.lock() {
        *done = Some(what);
    }
}

/// Prints one line for people.
pub fn line(text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    print(&in_lines(&in_text(&text), width::of_output()));
}

/// Prints one line for people that stays one.
pub fn whole_line(text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    print(&in_text(&text));
}

/// Prints one line as it is.
pub fn exact(text: std::fmt::Arguments<'_>) {
    print(&text.to_string());
}

/// Records of CSV for machines. What is written last is flushed by the caller.
pub fn csv() -> csv::Writer<Stdout> {
    csv::Writer::from_writer(Stdout)
}

/// Standard output, where an error ends the command.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        whole(&[bytes]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        flush();
        Ok(())
    }
}

fn print(text: &str) {
    whole(&[text.as_bytes(), b"\n"]);
}

fn whole(pieces: &[&[u8]]) {
    let mut stdout = std::io::stdout().lock();
    let written = pieces.iter().try_for_each(|p| stdout.write_all(p));
    drop(stdout);
    if let Err(error) = written {
        failed(&error);
    }
}

/// Prints one line on standard error. If nobody listens there is nobody to tell.
pub fn aside(text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    let text = in_text(&text);
    let wide = match is_finding(&text) {
        true => Some(width::of_findings()),
        false => width::of_notes(),
    };
    let mut text = wide.map_or_else(|| text.to_string(), |wide| in_lines(&text, wide));
    text.push('\n');
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether a text begins as findings do: `warning[P035]: …`.
fn is_finding(text: &str) -> bool {
    let kinds = ["error[", "warning[", "info[", "not supported[", "bug["];
    kinds.iter().any(|kind| text.starts_with(kind))
}

/// Writes out what is left in standard output.
pub fn flush() {
    if let Err(error) = std::io::stdout().lock().flush() {
        failed(&error);
    }
}

/// Ends the command: what was to be said cannot be said. A reader who left has heard enough.
pub fn failed(error: &std::io::Error) -> ! {
    let code = match error.kind() {
        std::io::ErrorKind::BrokenPipe => 0,
        _ => {
            aside(format_args!("error: the output cannot be written: {error}"));
            if let Some(done) = DONE.lock().ok().and_then(|mut d| d.take()) {
                aside(format_args!("note: {done}"));
            }
            4
        }
    };
    std::panic::resume_unwind(Box::new(Quit(code)))
}
