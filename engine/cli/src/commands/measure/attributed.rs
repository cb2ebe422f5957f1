//! The results of `measure run --by`.

use measures::result::MeasureResult;
use measures::result_table::{places_table, table as table_of_whole};
use measures_run::RunError;
use measures_run::attribution::{Attributed, Place, UNATTRIBUTED};
use measures_run::run_result::RunResult;

use crate::failure::Failure;
use crate::table::{self, thousands};

/// For people: a table a measure and group, a line a place.
pub fn print_attributed(attributed: &Attributed, ran: &RunResult) {
    let by = attributed.by.as_str();
    for (index, structure) in ran.structures.iter().enumerate() {
        for (group, definition) in structure.groups.iter().enumerate() {
            let mut rows = vec![];
            for (place, results) in &attributed.places {
                let result = results.get(index).filter(|r| r.patients > 0);
                if let Some(own) = result.and_then(|r| r.groups.get(group)) {
                    rows.push((label(attributed, place.as_ref()), &own.counts));
                }
            }
            if rows.is_empty() {
                continue;
            }
            let name = match structure.groups.len() {
                1 => structure.name.to_string(),
                _ => format!("{}, {}", structure.name, definition.name(group)),
            };
            say!("\n{name}, by {by}:");
            let (heading, rows) = places_table(by, definition, &rows, &thousands);
            table::print(&heading, &rows);
        }
    }
    say!("\nBy {by}: {}.", attributed.told());
}

/// A place's name; with its reference where another has that name, too.
fn label(attributed: &Attributed, place: Option<&Place>) -> String {
    let Some(place) = place else {
        return UNATTRIBUTED.to_owned();
    };
    let others = attributed.places.iter().filter_map(|(p, _)| p.as_ref());
    let same = others.filter(|p| p.name == place.name).count();
    match same > 1 && place.name != place.reference {
        true => format!("{} ({})", place.name, place.reference),
        false => place.name.clone(),
    }
}

/// For machines: by place. The whole is told beside them, where nobody adds it to its parts.
pub fn print_csv(attributed: &Attributed, whole: &[MeasureResult]) -> Result<(), Failure> {
    let mut out = crate::say::csv();
    attributed.csv(&mut out)?;
    out.flush().map_err(RunError::from)?;
    let (heading, rows) = table_of_whole(whole, &thousands);
    for row in rows {
        let mut cells = heading.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let name = cells.next().map_or_else(String::new, |(_, name)| name);
        let numbers: Vec<String> = cells.map(|(name, cell)| format!("{name} {cell}")).collect();
        note!("{name} as a whole (no row above): {}", numbers.join(", "));
    }
    Ok(())
}
