//! What is found in `_lake/`, whole or damaged, and what is said about it.

use super::*;

#[tokio::test]
async fn stray_names_are_passed_over() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        let zero = created(store).await;
        for stray in [
            "_lake/zzz.json",
            "_lake/99.json",
            "_lake/00000000000000000099.json.tmp",
            "_lake/+0000000000000000099.json",
            "_lake/99999999999999999999.json",
            "_lake/sub/00000000000000000099.json",
            "_lake/pins/notes.txt",
        ] {
            put(store, stray, "stray").await;
        }
        assert_eq!(latest(store).await.unwrap(), zero);
        assert_eq!(list(store).await.unwrap().len(), 1);
        assert!(pins(store).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn other_files_are_not_a_lake() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        assert!(list(store).await.unwrap().is_empty());
        put(store, "export/Patient.ndjson", "{}").await;
        for error in [
            latest(store).await.unwrap_err(),
            read(store, 3).await.unwrap_err(),
        ] {
            assert_eq!(error.family(), Family::User);
            let said = error.to_string();
            assert!(said.contains("is not a lake: it holds other files (`export/Patient.ndjson`)"));
        }
    }
}

#[tokio::test]
async fn unknown_numbers_say_what_there_is() {
    let store = InMemory::new();
    created(&store).await;
    let said = read(&store, 4).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "snapshot 4 does not exist: this lake has snapshots up to 0"
    );
}

#[tokio::test]
async fn damaged_manifests_are_named() {
    for (store, _folder) in stores() {
        let store = store.as_ref();
        created(store).await;
        let first = "_lake/00000000000000000000.json";
        let second = "_lake/00000000000000000001.json";
        let whole = get(store, first).await;
        let (half, _) = whole.split_at(whole.len() / 2);
        for (text, what) in [
            (half, "EOF"),
            ("", "EOF"),
            ("{}", "format"),
            (&whole, "snapshot 0"),
        ] {
            put(store, second, text).await;
            let error = latest(store).await.unwrap_err();
            assert_eq!(error.family(), Family::Corrupt);
            let said = error.to_string();
            assert!(
                said.starts_with(&format!("`{second}` is damaged")),
                "{said}"
            );
            assert!(
                said.contains(what) && said.contains("another snapshot"),
                "{said}"
            );
            assert!(list(store).await.is_err());
            assert!(read(store, 0).await.is_ok());
        }
    }
}

#[tokio::test]
async fn newer_formats_are_refused_by_number() {
    let store = InMemory::new();
    put(
        &store,
        "_lake/00000000000000000000.json",
        r#"{"format": 7, "new": []}"#,
    )
    .await;
    let said = latest(&store).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "`_lake/00000000000000000000.json` has lake format 7, this engine reads up to format 3: \
         use a newer engine"
    );
}

/// A lake of format 1 has unresolved references: numbers would be wrong without a word.
#[tokio::test]
async fn older_formats_are_refused_with_what_to_do() {
    let store = InMemory::new();
    let manifest = r#"{"format": 1, "number": 0}"#;
    put(&store, "_lake/00000000000000000000.json", manifest).await;
    let error = latest(&store).await.unwrap_err();
    assert_eq!(error.family(), Family::User);
    let said = error.to_string();
    assert!(
        said.contains("format 1") && said.contains("import the files anew"),
        "{said}"
    );
}

#[tokio::test]
async fn store_errors_say_what_was_done_where() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    std::fs::write(folder.path().join("_lake"), "a file in the way").unwrap();
    let new = commit(&local, Base::Create(&lake()), &Change::default(), 1).await;
    let error = new.unwrap_err();
    assert_eq!(error.family(), Family::Store);
    let said = error.to_string();
    assert!(
        said.starts_with("cannot write `_lake/00000000000000000000.json`: "),
        "{said}"
    );
    for name in ["LocalFileSystem", "os error", "file://"] {
        assert!(!said.contains(name), "{said}");
    }
}

#[tokio::test]
async fn a_folder_is_named_as_a_person_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("my lake ä");
    std::fs::create_dir(&inner).unwrap();
    let local = LocalFileSystem::new_with_prefix(&inner).unwrap();
    let said = latest(&local).await.unwrap_err().to_string();
    assert!(said.contains("my lake ä`"), "{said}");
    std::fs::write(inner.join("thesis.doc"), "").unwrap();
    let said = latest(&local).await.unwrap_err().to_string();
    assert!(said.contains("my lake ä` is not a lake"), "{said}");
}
