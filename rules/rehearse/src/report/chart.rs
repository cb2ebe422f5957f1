//! Charts as SVG, made here: no script draws them, so that they stand in print as well.

use maud::{Markup, html};

const WIDTH: u64 = 800;

/// A bar: its label, its parts with their class, and what is written behind it.
pub(super) struct Bar {
    pub label: String,
    pub parts: Vec<(&'static str, u64)>,
    pub told: String,
}

impl Bar {
    fn sum(&self) -> u64 {
        self.parts.iter().map(|(_, n)| n).sum()
    }
}

/// Bars beside each other below, one a month.
pub(super) fn columns(title: &str, bars: &[Bar]) -> Markup {
    const HEIGHT: u64 = 150;
    let most = bars.iter().map(Bar::sum).max().unwrap_or(0).max(1);
    let step = WIDTH / (bars.len() as u64).max(1);
    let step = step.clamp(4, 100);
    let width = step * 7 / 10;
    // Of very many the page has to shrink the picture.
    let whole = WIDTH.max(step * bars.len() as u64);
    // So many that labels do not run into each other.
    let every = 48_u64.div_ceil(step).max(1);
    html! {
        svg viewBox={ "0 0 " (whole) " " (HEIGHT + 50) } role="img" aria-label=(title) {
            line.axis x1="0" x2=(whole) y1=(HEIGHT + 20) y2=(HEIGHT + 20) {}
            @for (place, bar) in (0_u64..).zip(bars) {
                @let height = bar.sum() * HEIGHT / most;
                @let x = place * step;
                g {
                    title { (bar.label) ": " (bar.told) }
                    rect.bar x=(x) y=(HEIGHT + 20 - height) width=(width) height=(height) {}
                    @if place % every == 0 {
                        text x=(x) y=(HEIGHT + 38) { (bar.label) }
                    }
                    @if bar.sum() > 0 && step >= 40 {
                        text x=(x) y=(HEIGHT + 15 - height) { (bar.told) }
                    }
                }
            }
        }
    }
}

/// Bars one below the other, of parts.
pub(super) fn bars(title: &str, bars: &[Bar]) -> Markup {
    const LINE: u64 = 22;
    const LABELS: u64 = 300;
    const ROOM: u64 = 380;
    let most = bars.iter().map(Bar::sum).max().unwrap_or(0).max(1);
    let height = LINE * bars.len() as u64 + 4;
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(title) {
            @for (place, bar) in (0_u64..).zip(bars) {
                @let y = place * LINE;
                g {
                    title { (bar.label) ": " (bar.told) }
                    text x=(LABELS - 8) y=(y + 15) text-anchor="end" { (shortened(&bar.label)) }
                    @for (class, from, length) in placed(bar, most, ROOM) {
                        rect class=(class) x=(LABELS + from) y=(y + 3) width=(length) height=(LINE - 6) {}
                    }
                    text x=(LABELS + bar.sum() * ROOM / most + 6) y=(y + 15) { (bar.told) }
                }
            }
        }
    }
}

/// Where each part begins, and how long it is.
fn placed(bar: &Bar, most: u64, room: u64) -> Vec<(&'static str, u64, u64)> {
    let mut before = 0;
    let mut out = vec![];
    for (class, count) in &bar.parts {
        let from = before * room / most;
        before += count;
        let to = before * room / most;
        if *count > 0 {
            out.push((*class, from, (to - from).max(1)));
        }
    }
    out
}

/// As much as there is room for; the whole stands in the table.
fn shortened(label: &str) -> String {
    const MOST: usize = 42;
    // What tells one from another often stands at the end: an id.
    const END: usize = 10;
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
    use super::{Bar, columns, shortened};

    #[test]
    fn a_long_label_keeps_its_end() {
        let label = "The University Hospital of Springfield (Organization/org-12)";
        assert_eq!(
            shortened(label),
            "The University Hospital of Spri…on/org-12)"
        );
        assert_eq!(shortened("Clinic"), "Clinic");
    }

    #[test]
    fn all_months_lie_within_the_picture() {
        for (months, width) in [(12, 800), (200, 800), (300, 1200)] {
            let bar = |n: u64| Bar {
                label: n.to_string(),
                parts: vec![("bar", n)],
                told: n.to_string(),
            };
            let bars: Vec<Bar> = (0..months).map(bar).collect();
            let svg = columns("Cards", &bars).into_string();
            let view = format!("viewBox=\"0 0 {width} 200\"");
            assert!(svg.contains(&view), "{months}: {svg}");
        }
    }
}
