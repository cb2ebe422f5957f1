//! The derived Delta logs.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde_json::Value;

use super::*;

fn schemas(tables: &[&str]) -> BTreeMap<String, SchemaRef> {
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("at", micros, true),
        Field::new("names", DataType::List(item), true),
    ]));
    tables
        .iter()
        .map(|t| ((*t).to_owned(), Arc::clone(&schema)))
        .collect()
}

async fn log(store: &dyn ObjectStore, table: &str, version: u64) -> Vec<Value> {
    let text = get(store, &format!("{table}/_delta_log/{version:020}.json")).await;
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn touched(lines: &[Value], action: &str) -> Vec<String> {
    let paths = lines
        .iter()
        .filter_map(|l| l.get(action)?.get("path")?.as_str());
    paths.map(str::to_owned).collect()
}

/// The files after versions 0 to `upto`, as a Delta reader sees them.
async fn seen(store: &dyn ObjectStore, table: &str, upto: u64) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for version in 0..=upto {
        let lines = log(store, table, version).await;
        for path in touched(&lines, "remove") {
            assert!(files.remove(&path), "{path}");
        }
        files.extend(touched(&lines, "add"));
    }
    files
}

async fn assert_seen(store: &dyn ObjectStore, snapshot: &Snapshot, table: &str) {
    let expected: BTreeSet<String> = names(snapshot, table).into_iter().collect();
    assert_eq!(seen(store, table, snapshot.number).await, expected);
}

#[tokio::test]
async fn missing_versions_are_filled_after_a_crash() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let known = schemas(&["facts", "shared", "codes"]);
        let zero = created(store).await;
        assert_eq!(export_delta(store, 0, &known).await.unwrap(), 3);
        // Two commits whose writers died before exporting; `codes` appears in the second.
        let new = file("b23.parquet", &[2, 3]);
        let one = on(store, &zero, &change("facts", &["a23.parquet"], &[new])).await;
        let two = on(
            store,
            &one,
            &change("codes", &[], &[file("c.parquet", &[])]),
        )
        .await;
        assert_eq!(export_missing(store, 2, &known).await.unwrap(), 6);
        assert_eq!(export_missing(store, 2, &known).await.unwrap(), 0);

        for snapshot in [&zero, &one, &two] {
            assert_seen(store, snapshot, "facts").await;
            assert_seen(store, snapshot, "shared").await;
        }
        assert_seen(store, &two, "codes").await;
        let lines = log(store, "codes", 0).await;
        assert!(lines[1].get("protocol").is_some() && lines.len() == 3);
        assert_eq!(lines[2]["metaData"]["id"], two.tables["codes"].id.as_str());
        assert_eq!(
            lines[2]["metaData"]["partitionColumns"],
            serde_json::json!([])
        );
        let lines = log(store, "facts", 1).await;
        assert_eq!(touched(&lines, "remove"), ["a23.parquet"]);
        assert_eq!(lines[2]["add"]["stats"], r#"{"numRecords":5}"#);
    }
}

#[tokio::test]
async fn a_repeated_export_gives_the_same_bytes() {
    let known = schemas(&["facts", "shared"]);
    let store = InMemory::new();
    let zero = created(&store).await;
    on(
        &store,
        &zero,
        &change("facts", &["a0.parquet"], &[file("b0.parquet", &[0])]),
    )
    .await;
    let mut texts = Vec::new();
    for _ in 0..2 {
        export_missing(&store, 1, &known).await.unwrap();
        for version in ["0", "1"] {
            let path = format!("facts/_delta_log/{version:0>20}.json");
            texts.push(get(&store, &path).await);
            store.delete(&Path::from(path)).await.unwrap();
        }
    }
    assert_eq!(texts[..2], texts[2..]);
}

#[tokio::test]
async fn versions_vacuumed_before_they_were_exported_are_bridged() {
    let known = schemas(&["facts", "shared"]);
    let store = InMemory::new();
    let zero = created(&store).await;
    export_missing(&store, 0, &known).await.unwrap();
    let before = log(&store, "facts", 0).await;
    let one = on(
        &store,
        &zero,
        &change("facts", &["a0.parquet"], &[file("b0.parquet", &[0])]),
    )
    .await;
    let two = on(
        &store,
        &one,
        &change("facts", &["b0.parquet"], &[file("c0.parquet", &[0])]),
    )
    .await;
    let plan = plan_vacuum(&store, &super::vacuum::policy(1, 0))
        .await
        .unwrap();
    apply_vacuum(&store, &plan).await.unwrap();
    assert_eq!(export_missing(&store, 2, &known).await.unwrap(), 4);
    assert_eq!(log(&store, "facts", 0).await, before);
    assert_eq!(log(&store, "facts", 1).await.len(), 1);
    assert_seen(&store, &two, "facts").await;
    // A table the engine learns of later has all its versions, too.
    let wider = schemas(&["facts", "shared", "codes"]);
    assert_eq!(export_missing(&store, 2, &wider).await.unwrap(), 3);
}

#[tokio::test]
async fn what_delta_cannot_say_is_refused_by_field() {
    let store = InMemory::new();
    created(&store).await;
    let said = export_delta(&store, 0, &schemas(&["facts"]))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("table `shared`") && said.contains("schema is not known"),
        "{said}"
    );

    let inner = Field::new("low", DataType::UInt64, true);
    let item = Field::new("item", DataType::Struct(vec![inner].into()), true);
    let list = Field::new("ranges", DataType::List(Arc::new(item)), true);
    let spaced = Field::new("two words", DataType::Int64, true);
    for (field, what) in [
        (list, "field `ranges[].low` has Arrow type UInt64"),
        (spaced, "`two words`"),
    ] {
        let mut known = schemas(&["facts", "shared"]);
        known.insert("shared".to_owned(), Arc::new(Schema::new(vec![field])));
        let said = export_missing(&store, 0, &known)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            said.starts_with("cannot export table `shared` to Delta") && said.contains(what),
            "{said}"
        );
    }
    assert!(!exists(&store, "facts/_delta_log/00000000000000000000.json").await);
}

#[tokio::test]
async fn the_schema_string_is_deltas() {
    let store = InMemory::new();
    created(&store).await;
    export_delta(&store, 0, &schemas(&["facts", "shared"]))
        .await
        .unwrap();
    let lines = log(&store, "facts", 0).await;
    let schema = lines[2]["metaData"]["schemaString"].as_str().unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    let expected = serde_json::json!({"type": "struct", "fields": [
        {"name": "id", "type": "long", "nullable": false, "metadata": {}},
        {"name": "at", "type": "timestamp", "nullable": true, "metadata": {}},
        {"name": "names", "nullable": true, "metadata": {},
            "type": {"type": "array", "elementType": "string", "containsNull": true}},
    ]});
    assert_eq!(schema, expected);
}

/// An import looks at the last two versions, whatever their number; a check looks at all.
#[tokio::test]
async fn an_import_reads_the_newest_versions_only() {
    let store = InMemory::new();
    let known = schemas(&["facts", "shared"]);
    let mut newest = created(&store).await;
    for n in 1..=4 {
        let add = file(&format!("b{n}.parquet"), &[n + 3]);
        newest = on(&store, &newest, &change("facts", &[], &[add])).await;
    }
    export_missing(&store, newest.number, &known).await.unwrap();
    assert_eq!(newest_delta_problems(&store, &newest).await, []);
    let at = |n: u64| format!("facts/_delta_log/{n:020}.json");
    let told = |problems: Vec<(String, DeltaProblem)>| -> Vec<DeltaProblem> {
        assert!(problems.iter().all(|(table, _)| table == "facts"));
        problems.into_iter().map(|(_, problem)| problem).collect()
    };
    for (version, text) in [(1, "{"), (3, "{"), (4, "{"), (4, ""), (3, "")] {
        let whole = get(&store, &at(version)).await;
        put(&store, &at(version), text).await;
        let all = told(delta_problems(&store, &newest).await);
        let recent = told(newest_delta_problems(&store, &newest).await);
        let unreadable = |p: &[DeltaProblem]| matches!(p, [DeltaProblem::Unreadable(_)]);
        match (version, text) {
            (1, _) => assert!(unreadable(&all) && recent.is_empty(), "{all:?}, {recent:?}"),
            (_, "{") => assert!(
                unreadable(&all) && unreadable(&recent),
                "{all:?}, {recent:?}"
            ),
            (4, _) => assert_eq!(
                (all, recent),
                (
                    vec![DeltaProblem::OtherFiles],
                    vec![DeltaProblem::OtherFiles]
                )
            ),
            // What an earlier version leaves out its own import has told.
            _ => assert_eq!((all, recent), (vec![DeltaProblem::OtherFiles], vec![])),
        }
        put(&store, &at(version), &whole).await;
    }
}
