//! The books of an import, closed before it commits: every resource that was read is accounted for,
//! and the tables have the rows that follow.

use std::collections::BTreeMap;

use engine_population::lake::rows::Tally;

/// Rows of resources, of patients and without one, on their way from the base to the new snapshot.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Flow {
    /// New in the lake.
    pub stored: u64,
    /// In the lake, and gone by a deletion.
    pub deleted: u64,
    /// In the lake twice in one bucket; the one that was superseded is gone.
    pub doubled: u64,
    /// Of another bucket's, whose newest version belongs to this one: written here.
    pub arrived: u64,
    /// Taken out of the bucket that had it: the newest version belongs to another, or is deleted there.
    pub left: u64,
}

impl Flow {
    /// Adds up.
    pub fn add(&mut self, other: &Flow) {
        self.stored += other.stored;
        self.deleted += other.deleted;
        self.doubled += other.doubled;
        self.arrived += other.arrived;
        self.left += other.left;
    }
}

/// Rows of the tables of a snapshot.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Rows {
    /// `resources`
    pub resources: u64,
    /// `shared`
    pub shared: u64,
    /// `facts`
    pub facts: u64,
    /// The sum of the column `resources` of `patients`.
    pub of_patients: u64,
}

/// Whether it adds up; what does not, if it does not.
pub fn check(
    types: &BTreeMap<String, Tally>,
    flow: &Flow,
    before: &Rows,
    after: &Rows,
) -> Result<(), String> {
    for (ty, tally) in types {
        if !tally.adds_up() {
            let Tally {
                read,
                stored,
                unchanged,
                replaced,
                outdated,
                deleted,
                rejected,
                repeated: _,
                not_imported: _,
            } = tally;
            return Err(format!(
                "of {read} {ty} that were read {stored} are stored, {unchanged} unchanged, {replaced} replaced, {outdated} outdated, {deleted} deleted and {rejected} rejected"
            ));
        }
    }
    let sum = |of: fn(&Tally) -> u64| types.values().map(of).sum::<u64>();
    let stored = sum(|t| t.stored);
    if stored != flow.stored {
        return Err(format!(
            "{stored} resources are counted as stored, and {} were added",
            flow.stored
        ));
    }
    let deleted = sum(|t| t.deleted);
    if flow.deleted > deleted {
        return Err(format!(
            "{deleted} resources are counted as deleted, and {} went",
            flow.deleted
        ));
    }
    if flow.arrived > flow.left {
        return Err(format!(
            "{} resources moved to other patients, and only {} left where they were",
            flow.arrived, flow.left
        ));
    }
    let gone = flow.deleted + flow.doubled + flow.left;
    let expected = before.resources + before.shared + flow.stored + flow.arrived;
    let rows = after.resources + after.shared;
    if rows + gone != expected {
        return Err(format!(
            "the lake had {} resources, {} came and {gone} went, and it would have {rows}",
            before.resources + before.shared,
            flow.stored + flow.arrived
        ));
    }
    if after.of_patients != after.resources {
        return Err(format!(
            "the patients would have {} resources, and {} are written",
            after.of_patients, after.resources
        ));
    }
    if after.facts < after.resources {
        return Err(format!(
            "{} resources would be written, and only {} of them could be found",
            after.resources, after.facts
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 were there, 10 came, 3 of them new; 1 went, 1 moved.
    fn books() -> (BTreeMap<String, Tally>, Flow, Rows, Rows) {
        let tally = Tally {
            read: 10,
            stored: 3,
            unchanged: 2,
            replaced: 2,
            outdated: 1,
            repeated: 0,
            deleted: 1,
            rejected: 1,
            not_imported: 0,
        };
        let flow = Flow {
            stored: 3,
            deleted: 1,
            doubled: 0,
            arrived: 1,
            left: 1,
        };
        let rows = |resources| Rows {
            resources,
            shared: 10,
            facts: 300,
            of_patients: resources,
        };
        let types = BTreeMap::from([("Observation".to_owned(), tally)]);
        (types, flow, rows(90), rows(92))
    }

    #[test]
    fn books_that_add_up() {
        let (types, flow, before, after) = books();
        check(&types, &flow, &before, &after).unwrap();
        check(&BTreeMap::new(), &Flow::default(), &before, &before).unwrap();
    }

    /// Whatever is changed by one, it is seen.
    #[test]
    fn tampered_books_are_refused() {
        type TamperTally = fn(&mut Tally);
        let tallies: [(&str, TamperTally); 7] = [
            ("read", |t| t.read += 1),
            ("stored", |t| t.stored -= 1),
            ("unchanged", |t| t.unchanged += 1),
            ("replaced", |t| t.replaced -= 1),
            ("outdated", |t| t.outdated += 1),
            ("deleted", |t| t.deleted += 1),
            ("rejected", |t| t.rejected -= 1),
        ];
        for (name, tamper) in tallies {
            let (mut types, flow, before, after) = books();
            types.values_mut().for_each(tamper);
            let said = check(&types, &flow, &before, &after).unwrap_err();
            assert!(said.contains("Observation"), "{name}: {said}");
        }
        // Added up, and yet not what was written.
        let (mut types, flow, before, after) = books();
        types.values_mut().for_each(|t| {
            t.stored += 1;
            t.unchanged -= 1;
        });
        let said = check(&types, &flow, &before, &after).unwrap_err();
        assert!(said.contains("counted as stored"), "{said}");

        type Tamper = fn(&mut Flow, &mut Rows, &mut Rows);
        let rows: [(&str, Tamper); 8] = [
            ("a row is lost", |_, _, after| {
                after.resources -= 1;
                after.of_patients -= 1;
            }),
            ("a row is there twice", |_, _, after| after.shared += 1),
            ("the base is another", |_, before, _| before.shared += 1),
            ("a patient's are lost", |_, _, after| after.of_patients -= 1),
            ("not all can be found", |_, _, after| after.facts = 91),
            ("more went than was deleted", |flow, _, _| flow.deleted = 2),
            ("one arrived from nowhere", |flow, _, _| flow.left = 0),
            ("one did not arrive", |flow, _, _| flow.arrived = 0),
        ];
        for (name, tamper) in rows {
            let (types, mut flow, mut before, mut after) = books();
            tamper(&mut flow, &mut before, &mut after);
            assert!(check(&types, &flow, &before, &after).is_err(), "{name}");
        }
    }
}
