//! What a service says of itself at its start.

use std::io::Write;

/// Prints a text, on a thread of its own: a service goes on, and ends, where nobody reads what it says.
pub fn announce(text: String) {
    // Not `io::stdout()` itself: whoever waits there has its lock, which the end of the process needs.
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(own) = std::io::stdout().as_fd().try_clone_to_owned() {
            return print_to(std::fs::File::from(own), text);
        }
    }
    print_to(std::io::stdout(), text);
}

/// The same, on standard error.
pub fn aside(text: String) {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(own) = std::io::stderr().as_fd().try_clone_to_owned() {
            return print_to(std::fs::File::from(own), text);
        }
    }
    print_to(std::io::stderr(), text);
}

pub fn print_to(mut out: impl Write + Send + 'static, text: String) {
    let print = move || {
        let _ = out.write_all(text.as_bytes());
        let _ = out.write_all(b"\n");
        let _ = out.flush();
    };
    let _ = std::thread::Builder::new().spawn(print);
}
