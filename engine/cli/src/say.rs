//! Printing that does not panic: a reader who closes the pipe ends the command quietly, a full disk
//! with an error.

use std::io::Write;

/// As `println!`.
#[macro_export]
macro_rules! say {
    ($($arg:tt)*) => { $crate::say::line(format_args!($($arg)*)) };
}

/// Prints one line.
pub fn line(text: std::fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = stdout
        .write_fmt(text)
        .and_then(|()| stdout.write_all(b"\n"))
    {
        failed(&error);
    }
}

/// Ends the process: what was to be said cannot be said.
pub fn failed(error: &std::io::Error) -> ! {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    let _ = writeln!(
        std::io::stderr(),
        "error: the output cannot be written: {error}"
    );
    std::process::exit(4);
}
