use std::collections::BTreeMap;

use super::*;

fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
    let row = |row: &&[&str]| row.iter().map(|cell| (*cell).to_owned()).collect();
    rows.iter().map(row).collect()
}

fn shown_as(heading: &[&str], cells: &[&[&str]], width: usize) -> Vec<String> {
    let text = within(heading, &rows(cells), width);
    text.lines().map(str::to_owned).collect()
}

#[test]
fn what_fits_is_as_it_was() {
    let lines = shown_as(
        &["measure", "count"],
        &[&["CMS122", "1,234"], &["CMS2", "7"]],
        80,
    );
    assert_eq!(
        lines,
        [
            "measure  count",
            "───────  ─────",
            "CMS122   1,234",
            "CMS2         7"
        ]
    );
}

#[test]
fn headings_are_wrapped_before_cells() {
    let lines = shown_as(
        &["measure", "initial population"],
        &[&["CMS122FHIRDiabetes", "7"]],
        30,
    );
    assert_eq!(
        lines,
        [
            "measure             initial",
            "                    population",
            "──────────────────  ──────────",
            "CMS122FHIRDiabetes           7"
        ]
        .map(|line| line.replace(
            "measure             initial",
            "measure                initial"
        ))
    );
}

#[test]
fn addresses_are_wrapped_and_numbers_are_not() {
    let lines = shown_as(
        &["name", "url", "codes"],
        &[&[
            "HbA1c",
            "https://example.org/fhir/ValueSet/hba1c-tests",
            "1,234,567",
        ]],
        40,
    );
    assert_eq!(
        lines,
        [
            "name   url                         codes",
            "─────  ──────────────────────  ─────────",
            "HbA1c  https://example.org/    1,234,567",
            "       fhir/ValueSet/hba1c-",
            "       tests"
        ]
    );
}

#[test]
fn an_id_that_cannot_be_broken_stands_above_its_row() {
    let id = "CMS122FHIRDiabetesAssessGreaterThan9Percent";
    let lines = shown_as(
        &["measure", "denominator", "numerator"],
        &[&[id, "418", "20"]],
        45,
    );
    assert_eq!(
        lines[2..],
        [
            id.to_owned(),
            format!("{:21}  {:>11}  {:>9}", "", "418", "20")
        ]
    );
}

#[test]
fn too_many_columns_go_on_below_with_the_first_repeated() {
    let heading = [
        "measure",
        "denominator",
        "numerator",
        "exclusions",
        "exceptions",
    ];
    let lines = shown_as(
        &heading,
        &[&["A", "1", "2", "3", "4"], &["B", "5", "6", "7", "8"]],
        35,
    );
    assert_eq!(
        lines,
        [
            "measure  denominator  numerator",
            "───────  ───────────  ─────────",
            "A                  1          2",
            "B                  5          6",
            "",
            "The same rows, further columns:",
            "measure  exclusions  exceptions",
            "───────  ──────────  ──────────",
            "A                 3           4",
            "B                 7           8"
        ]
    );
}

/// Rows that begin alike have a number, by which they are found again below.
#[test]
fn rows_that_begin_alike_are_numbered_where_they_go_on() {
    let heading = ["measure", "version", "patient", "status"];
    let cells: [&[&str]; 2] = [
        &["bloodpressures", "1.0.0", "first", "open"],
        &["bloodpressures", "1.0.0", "second", "closed"],
    ];
    assert_eq!(
        shown_as(&heading, &cells, 32),
        [
            "row  measure         version",
            "───  ──────────────  ───────",
            "  1  bloodpressures    1.0.0",
            "  2  bloodpressures    1.0.0",
            "",
            "The same rows, further columns:",
            "row  patient  status",
            "───  ───────  ──────",
            "  1  first    open",
            "  2  second   closed",
        ]
    );
}

#[test]
fn what_would_take_many_lines_is_a_note_once() {
    let long = "it is coded in another system, ".repeat(8);
    let long = long.trim_end();
    let lines = shown_as(
        &["patient", "reason"],
        &[&["a", long], &["b", long], &["c", "no"]],
        50,
    );
    assert_eq!(lines[2..5], ["a        [1]", "b        [1]", "c        no"]);
    let note = lines[6..].iter().map(|line| line.get(4..).unwrap());
    assert!(
        lines[5].is_empty() && lines[6].starts_with("[1] it is"),
        "{lines:?}"
    );
    assert_eq!(note.collect::<Vec<_>>().join(" "), long);
}

/// As `tandem sql` prints rows: with borders, cells to the left.
#[test]
fn rows_of_a_query_have_borders_where_they_fit() {
    let cells = rows(&[&["12", "one two three"], &["3", ""]]);
    let lines = |width| -> Vec<String> {
        let text = bordered(&["n", "text"], &cells, width);
        text.lines().map(str::to_owned).collect()
    };
    assert_eq!(
        lines(80),
        [
            "+----+---------------+",
            "| n  | text          |",
            "+----+---------------+",
            "| 12 | one two three |",
            "| 3  |               |",
            "+----+---------------+",
        ]
    );
    assert_eq!(
        lines(20)[3..5],
        ["| 12 | one two     |", "|    | three       |"]
    );
}

#[test]
fn records_hold_whole_values() {
    let text = bordered(&["id", "raw"], &rows(&[&["1", &"x".repeat(50)]]), 30);
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "── row 1 ─────────────────────".to_owned(),
            "id   1".to_owned(),
            format!("raw  {}", "x".repeat(25)),
            format!("     {}", "x".repeat(25)),
        ]
    );
}

#[test]
fn wide_characters_are_counted_as_a_terminal_shows_them() {
    let lines = shown_as(&["name", "n"], &[&["漢字", "1"], &["e\u{301}", "2"]], 80);
    assert_eq!(lines[2..], ["漢字  1", "e\u{301}     2"]);
}

/// Whatever the table and the width: no line is wider, and each character of each cell is there.
#[test]
fn nothing_is_wider_and_nothing_is_lost() {
    let words = [
        "0",
        "12,345",
        "99.5 %",
        "a",
        "CMS122FHIRDiabetesAssessGreaterThan9Percent",
        "",
        "https://a.example.org/ValueSet/2.16.840.1.113883.3.464.1003.103.12.1001|20240101",
        "one two three four five six seven",
        "2025-12-31T23:59:59.999-05:00",
        "漢字仮名交じり文",
        "e\u{301}\u{1b}[31m",
        "010fd829-1ef3-49c9-98c4-df7561709bc7",
    ];
    let mut seed = 7_usize;
    let mut random = |below: usize| {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        (seed / 65_536) % below
    };
    for _ in 0..400 {
        let heads = [
            "measure",
            "initial population",
            "score could be",
            "url",
            "not evaluable",
        ];
        let count = 1 + random(12);
        let heading: Vec<&str> = (0..count).map(|_| heads[random(5)]).collect();
        let all: Vec<Vec<String>> = (0..random(5))
            .map(|_| {
                (0..count)
                    .map(|_| words[random(words.len())].to_owned())
                    .collect()
            })
            .collect();
        for width in [40, 60, 80, 120, 160] {
            for with in [within, bordered] {
                let text = with(&heading, &all, width);
                let widest = text.lines().map(columns).max().unwrap_or(0);
                assert!(widest <= width, "{widest} > {width}:\n{text}");
                let there = letters(&text);
                let mut wanted = BTreeMap::new();
                for cell in all.iter().flatten() {
                    for (c, n) in letters(&in_line(cell)) {
                        *wanted.entry(c).or_insert(0) += n;
                    }
                }
                // A note stands once for all cells that have it.
                if text.contains("\n[1] ") {
                    continue;
                }
                for (c, n) in wanted {
                    assert!(
                        there.get(&c).is_some_and(|own| *own >= n),
                        "{c} at {width}:\n{text}"
                    );
                }
            }
        }
    }
}

fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut out = BTreeMap::new();
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        *out.entry(c).or_insert(0) += 1;
    }
    out
}
