//! How many columns there are to print in.

use std::io::IsTerminal;

/// Outside a terminal: files and pipes are read in editors and logs, whose lines have an end too.
const PAGE: usize = 159;

/// Narrower than this nothing can be laid out.
const LEAST: usize = 20;

/// For standard output.
pub fn of_output() -> usize {
    let terminal = std::io::stdout().is_terminal();
    let wide = || terminal_size::terminal_size_of(std::io::stdout());
    chosen(told(), terminal.then(wide).flatten()).unwrap_or(PAGE)
}

/// For notes on standard error; `None` where no terminal shows them: a line is a note there, so that
/// logs can be searched.
pub fn of_notes() -> Option<usize> {
    let terminal = std::io::stderr().is_terminal();
    let wide = || terminal_size::terminal_size_of(std::io::stderr());
    chosen(told(), terminal.then(wide).flatten())
}

/// For findings on standard error, which have several lines anyway.
pub fn of_findings() -> usize {
    of_notes().unwrap_or(PAGE)
}

/// What the environment says, also for a pipe: `COLUMNS=100 tandem … | less`.
fn told() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.trim().parse().ok()
}

fn chosen(
    told: Option<usize>,
    terminal: Option<(terminal_size::Width, terminal_size::Height)>,
) -> Option<usize> {
    let own = terminal.map(|(width, _)| usize::from(width.0));
    told.filter(|n| *n > 0)
        .or(own.filter(|n| *n > 0))
        .map(|n| n.max(LEAST))
}
