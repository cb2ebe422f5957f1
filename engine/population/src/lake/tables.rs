//! Whether the tables of a manifest fit each other: what the commit cannot know, as it knows no table.

use std::collections::BTreeSet;

use super::commit::Snapshot;
use super::schema;

/// All that is wrong with the tables of a snapshot, without looking at any file.
pub(super) fn unfitting(snapshot: &Snapshot) -> Vec<String> {
    let mut wrong = vec![];
    for name in snapshot.tables.keys() {
        if !schema::schemas().contains_key(name) {
            wrong.push(format!("this engine knows no table `{name}`"));
        }
    }
    let files = |table: &str| snapshot.tables.get(table).map_or(&[][..], |t| &t.files);
    let buckets = |table: &str| -> BTreeSet<u32> {
        let all = files(table).iter().flat_map(|f| &f.buckets);
        all.copied().collect()
    };
    let rows = |table: &str| files(table).iter().map(|f| f.rows).sum::<u64>();
    for table in [schema::RESOURCES, schema::FACTS, schema::PATIENTS] {
        if files(table).iter().any(|f| f.buckets.is_empty()) {
            wrong.push(format!("a file of `{table}` has no buckets"));
        }
    }
    if files(schema::RESOURCES).iter().any(|f| f.buckets.len() > 1) {
        wrong.push("a file of `resources` has more than one bucket".into());
    }
    if files(schema::CODES).iter().any(|f| !f.buckets.is_empty()) {
        wrong.push("a file of `codes` has buckets".into());
    }
    // Every resource of a patient has a row of `facts`, and its patient one of `patients`.
    let resources = buckets(schema::RESOURCES);
    for table in [schema::FACTS, schema::PATIENTS] {
        let missing = resources.difference(&buckets(table)).count();
        if missing > 0 {
            wrong.push(format!("{missing} buckets have resources and no `{table}`"));
        }
    }
    if buckets(schema::FACTS) != buckets(schema::PATIENTS) {
        wrong.push("`facts` and `patients` have other buckets".into());
    }
    let count = rows(schema::RESOURCES);
    if rows(schema::FACTS) < count {
        wrong.push("`facts` has fewer rows than `resources`".into());
    }
    if rows(schema::PATIENTS) > count {
        wrong.push("`patients` has more rows than `resources`".into());
    }
    wrong
}
