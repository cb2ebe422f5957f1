//! Charts as SVG, made here: no script draws them, so that they stand in print as well.

use maud::{Markup, html};

use super::Line;

const WIDTH: u64 = 800;

/// The parts of a bar, in their order: class and number.
fn parts(line: &Line) -> [(&'static str, u64); 3] {
    [
        ("accepted", line.counts.accepted),
        ("overridden", line.counts.overridden),
        ("silent", line.silent),
    ]
}

fn told(line: &Line) -> String {
    let counts = &line.counts;
    format!(
        "{} shown: {} accepted, {} overridden, {} silent",
        counts.shown, counts.accepted, counts.overridden, line.silent
    )
}

/// Where each part begins and how long it is, in a bar of `room` for `most`.
fn placed(line: &Line, most: u64, room: u64) -> Vec<(&'static str, u64, u64)> {
    let scaled = |n: u64| {
        let scaled = u128::from(n) * u128::from(room) / u128::from(most.max(1));
        u64::try_from(scaled).unwrap_or(room)
    };
    let mut before = 0;
    let mut out = vec![];
    for (class, count) in parts(line) {
        let from = scaled(before);
        before += count;
        if count > 0 {
            out.push((class, from, (scaled(before) - from).max(1)));
        }
    }
    out
}

/// What the colours are.
pub(super) fn key() -> Markup {
    html! {
        p.dim {
            @for name in ["accepted", "overridden", "silent"] { span class={ "key " (name) } {} (name) }
        }
    }
}

/// Bars one below the other.
pub(super) fn bars(title: &str, bars: &[(&str, &Line)]) -> Markup {
    const LINE: u64 = 22;
    const LABELS: u64 = 280;
    const ROOM: u64 = 400;
    let most = bars.iter().map(|(_, line)| line.counts.shown).max();
    let most = most.unwrap_or(0);
    let height = LINE * bars.len() as u64 + 4;
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(title) {
            @for (place, (label, line)) in (0_u64..).zip(bars) {
                @let y = place * LINE;
                @let placed = placed(line, most, ROOM);
                @let end = placed.last().map_or(0, |(_, from, length)| from + length);
                g {
                    title { (label) ": " (told(line)) }
                    text x=(LABELS - 8) y=(y + 15) text-anchor="end" { (shortened(label)) }
                    @for (class, from, length) in placed {
                        rect class=(class) x=(LABELS + from) y=(y + 3) width=(length) height=(LINE - 6) {}
                    }
                    text x=(LABELS + end + 6) y=(y + 15) { (line.counts.shown) }
                }
            }
        }
    }
}

/// Bars beside each other: one for each span of days.
pub(super) fn columns(title: &str, bars: &[(&str, &Line)]) -> Markup {
    const HEIGHT: u64 = 150;
    let most = bars.iter().map(|(_, line)| line.counts.shown).max();
    let most = most.unwrap_or(0);
    let step = (WIDTH / (bars.len() as u64).max(1)).clamp(4, 100);
    let width = step * 8 / 10;
    let whole = WIDTH.max(step * bars.len() as u64);
    // So many that labels do not run into each other.
    let every = 80_u64.div_ceil(step).max(1);
    html! {
        svg viewBox={ "0 0 " (whole) " " (HEIGHT + 50) } role="img" aria-label=(title) {
            line.axis x1="0" x2=(whole) y1=(HEIGHT + 20) y2=(HEIGHT + 20) {}
            @for (place, (label, line)) in (0_u64..).zip(bars) {
                @let x = place * step;
                g {
                    title { (label) ": " (told(line)) }
                    @for (class, from, length) in placed(line, most, HEIGHT) {
                        rect class=(class) x=(x) y=(HEIGHT + 20 - from - length) width=(width) height=(length) {}
                    }
                    @if place % every == 0 { text x=(x) y=(HEIGHT + 38) { (label) } }
                }
            }
        }
    }
}

/// As much as there is room for; the whole stands in the table.
fn shortened(label: &str) -> String {
    const MOST: usize = 40;
    // What tells one from another often stands at the end.
    const END: usize = 12;
    let count = label.chars().count();
    match count > MOST {
        true => {
            let start = label.chars().take(MOST - 1 - END);
            let end = label.chars().skip(count - END);
            start.chain(['…']).chain(end).collect()
        }
        false => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Counts;

    #[test]
    fn parts_of_a_bar_are_as_long_as_they_count() {
        let counts = Counts {
            shown: 100,
            accepted: 25,
            overridden: 50,
            ..Counts::default()
        };
        let placed = placed(&counts.into(), 200, 400);
        let expected = vec![
            ("accepted", 0, 50),
            ("overridden", 50, 100),
            ("silent", 150, 50),
        ];
        assert_eq!(placed, expected);
    }

    #[test]
    fn many_columns_lie_within_the_picture() {
        let line: Line = Counts::default().into();
        for (count, width) in [(1, 800), (120, 800), (300, 1200)] {
            let bars = vec![("2026-11-30", &line); count];
            let svg = columns("Cards", &bars).into_string();
            assert!(
                svg.contains(&format!("viewBox=\"0 0 {width} 200\"")),
                "{count}"
            );
        }
    }
}
