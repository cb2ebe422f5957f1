use super::*;

fn envelope(id: &str, patient: Option<&str>) -> Envelope {
    let mut record = engine_patient::record::PatientRecord::new();
    let subject = patient.map_or(String::new(), |p| {
        format!(",\"subject\":{{\"reference\":\"Patient/{p}\"}}")
    });
    let ty = if patient.is_some() {
        "Observation"
    } else {
        "Organization"
    };
    let json = format!("{{\"resourceType\":\"{ty}\",\"id\":\"{id}\"{subject}}}");
    record.push(&json).unwrap();
    let resource = record.resources().next().unwrap();
    Envelope::read(Name::of(ty).unwrap(), resource, &mut |_, _, _, _| {}).unwrap()
}

fn filled(folder: &Path, open: usize) -> Spill {
    let spill = Spill::create(folder.join("spill"), (4, 8), 2, open).unwrap();
    for _ in 0..2 {
        let mut writer = SpillWriter::new(&spill);
        for n in 0..10usize {
            let one = envelope(&format!("o{n}"), Some("p"));
            writer.write(n % 3, &one, "{}", "", n as u64).unwrap();
            let shared = envelope(&format!("s{n}"), None);
            let place = spill.place_of_shared((n as u64) << 32);
            writer
                .write(place, &shared, "{\"a\":1}", "r", n as u64)
                .unwrap();
        }
        writer.finish().unwrap();
    }
    spill
}

#[test]
fn what_was_written_comes_back_however_it_is_dealt() {
    let dir = tempfile::tempdir().unwrap();
    for open in [0, 2, 100] {
        let spill = filled(dir.path(), open);
        let counts: Vec<usize> = (0..4)
            .map(|bucket| {
                let mut rows = Rows::default();
                spill.load(bucket, &mut rows).unwrap();
                rows.rows.len()
            })
            .collect();
        assert_eq!(counts, [8, 6, 6, 0]);
        assert_eq!(
            (0..4).map(|b| spill.is_empty(b)).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        for of in [1, 2, 8] {
            let mut all = Rows::default();
            for part in 0..of {
                let before = all.rows.len();
                spill.load_shared((part, of), &mut all).unwrap();
                assert_eq!(spill.is_shared_empty((part, of)), all.rows.len() == before);
            }
            assert_eq!(all.rows.len(), 20, "{of} parts");
        }
    }
}

/// An error, and never an empty bucket.
#[test]
fn a_scratch_file_that_is_gone_or_changed_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for harm in ["gone", "empty", "cut", "longer", "folder"] {
        let spill = filled(dir.path(), 100);
        let path = spill.folder().join("1.spill");
        let length = std::fs::metadata(&path).unwrap().len();
        let open = || File::options().write(true).open(&path).unwrap();
        match harm {
            "gone" => std::fs::remove_file(&path).unwrap(),
            "empty" => open().set_len(0).unwrap(),
            "cut" => open().set_len(length - 1).unwrap(),
            "longer" => open().set_len(length + 1).unwrap(),
            _ => std::fs::remove_dir_all(spill.folder()).unwrap(),
        }
        assert!(!spill.is_empty(1), "{harm}");
        let error = spill.load(1, &mut Rows::default()).unwrap_err();
        assert!(
            error.to_string().contains("gone or was changed"),
            "{harm}: {error}"
        );
    }
    // Also while it is written.
    let spill = filled(dir.path(), 0);
    std::fs::remove_file(spill.folder().join("1.spill")).unwrap();
    let mut writer = SpillWriter::new(&spill);
    writer
        .write(1, &envelope("x", Some("p")), "{}", "", 1)
        .unwrap();
    assert!(writer.finish().is_err());
}
