use super::super::{TerminologyBuilder, TerminologyProvider, code_key, is_value_set_table};
use super::{codes, expansion};
use crate::finding::{Code, Finding};

fn read(text: &str) -> (super::TerminologyStore, Vec<Finding>) {
    let mut builder = TerminologyBuilder::new();
    builder.add_table("t.csv", text.as_bytes());
    builder.build()
}

/// Issues as `code line:column message`.
fn placed(issues: &[Finding]) -> Vec<String> {
    let text = |one: &Finding| {
        let place = (one.line().unwrap_or(0), one.column().unwrap_or(0));
        format!("{} {}:{} {}", one.code, place.0, place.1, one.message)
    };
    issues.iter().map(text).collect()
}

#[test]
fn several_sets_in_any_of_the_separators_that_spreadsheets_write() {
    let rows = "value_set,system,code,display\n\
                http://x/a1c,LOINC,4548-4,\"Hemoglobin A1c, blood\"\n\
                diabetes,snomed,44054006,\n\
                http://x/a1c,http://mine/labs,A1C,\n\n";
    for text in [
        rows.to_owned(),
        format!("\u{feff}{}", rows.replace('\n', "\r\n")),
        rows.replace("c, b", "c\u{1} b")
            .replace(',', ";")
            .replace('\u{1}', ","),
        rows.replace("c, b", "c\u{1} b")
            .replace(',', "\t")
            .replace('\u{1}', ","),
    ] {
        let (store, issues) = read(&text);
        assert_eq!(placed(&issues), Vec::<String>::new(), "{text}");
        let set = store.value_set("http://x/a1c").unwrap();
        assert!(set.contains(code_key("http://loinc.org", "4548-4")));
        assert!(set.contains(code_key("http://mine/labs", "A1C")));
        let found = set.find("http://loinc.org", "4548-4").unwrap();
        assert_eq!(found.display.as_deref(), Some("Hemoglobin A1c, blood"));
        let diabetes = store
            .value_set("https://tandem-cds.dev/ValueSet/diabetes")
            .unwrap();
        assert!(diabetes.contains(code_key("http://snomed.info/sct", "44054006")));
        assert!(is_value_set_table(text.as_bytes()));
    }
}

#[test]
fn a_list_of_unmapped_codes_reads_back() {
    let (store, issues) = read(
        "element,system,code,display,resources,patients,value_set\n\
         Condition.code,http://snomed.info/sct,44054006,Diabetes,40,12,http://x/dm\n\
         Condition.code,http://snomed.info/sct,38341003,Hypertension,39,11,\n\
         Observation.code,http://loinc.org,1,One,3,2,\n",
    );
    assert_eq!(codes(&store, "http://x/dm"), "complete [44054006]");
    assert_eq!(
        placed(&issues),
        ["T031 0:0 2 rows have no value set yet: left out"]
    );
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let (store, issues) = read(
        "value_set,system,code,display\n\
         http://x/vs,lonic,1,\n\
         http://x/vs,,2,\n\
         http://x/vs,loinc,,\n\
         http://x/vs,\"snomed\",1.11E+14,\n\
         http://x/vs,loinc,5\n\
         http://x/vs,loinc,718-7,six\n\
         http://x/vs,http://loinc.org,718-7,six again\n\
         http://x/vs,http://loinc.org/,4548-4,\n",
    );
    assert_eq!(
        placed(&issues),
        [
            "T031 2:13 `lonic` is no code system",
            "T031 3:13 this row has no `system`, so its code cannot be compared",
            "T031 4:19 this row has no `code`",
            "T031 5:22 `1.11E+14` is a number as spreadsheets round it, not a code",
            "T031 6:0 this row has 3 cells, the first line has 4",
            "T032 8:30 `718-7` stands in value set `http://x/vs` a second time",
        ]
    );
    for code in [Code::ValueSetRow, Code::ValueSetRowTwice] {
        assert!(issues.iter().any(|one| one.code == code), "{code}");
    }
    assert_eq!(read("value_set\n").1[0].code, Code::ValueSetTable);
    assert_eq!(issues[0].help.as_deref(), Some("did you mean `loinc`?"));
    assert_eq!(codes(&store, "http://x/vs"), "complete [4548-4 718-7]");
    for (header, wanted) in [
        (
            "value_set,system",
            "T030 1:1 this table has no column `code`",
        ),
        (
            "value_sets,system,code",
            "T030 1:1 this table has no column `value_set`",
        ),
        (
            "value_set,code,code,system",
            "T030 1:1 this table has several columns `code`",
        ),
    ] {
        assert_eq!(placed(&read(header).1), [wanted]);
    }
    assert!(!is_value_set_table(b"object,precipitant,severity\n"));
}

/// Each would otherwise be a row, or many, that match nothing, in silence.
#[test]
fn damage_is_told_with_its_place() {
    let (store, issues) = read(
        "value_set,system,code,display\n\
         http://x/vs,snomed,44054006,\n\
         http://x/vs,snomed,38341003.0,\n\
         http://x/vs,loinc,May-48,\n\
         http://x/vs,urn:mine,#N/A,\n\
         http://x/vs,cvx,3,\n\
         http://x/vs,snomed,44054007,\n\
         http://x/vs,urn:mine,'-x,'=1+1\n\
         http://x/vs,urn:mine,a,\"a\" b\n\
         http://x/vs,urn:mine,b,\"5\n\
         http://x/vs,urn:mine,c,\n",
    );
    assert_eq!(
        placed(&issues),
        [
            "T031 3:20 `38341003.0` is a number as spreadsheets write it, not a code",
            "T031 4:19 `May-48` is a date that a spreadsheet made of it, not a code",
            "T031 5:22 `#N/A` is what a spreadsheet shows where it cannot calculate, not a code",
            "T031 6:17 `3` is no code of this system: CVX has two digits or more, and spreadsheets drop a leading 0",
            "T031 7:20 `44054007` is no code of this system: its last digit does not fit the others",
            "T031 9:0 the quote that begins on this line ends, and text stands behind it",
            "T031 10:0 a quote begins on this line and never ends: all rows behind it would be one text",
        ]
    );
    let wrong = issues.iter().map(Finding::is_error).collect::<Vec<_>>();
    assert_eq!(wrong, [true, true, true, false, false, true, true]);
    assert_eq!(issues[3].help.as_deref(), Some("write `03`"));
    // As our own lists keep a spreadsheet from calculating a cell.
    let set = store.value_set("http://x/vs").unwrap();
    let kept = set.find("urn:mine", "-x").unwrap();
    assert_eq!(kept.display.as_deref(), Some("=1+1"));
    let (_, issues) = read("value_set,system,code,\"display\nhttp://x/vs,loinc,718-7,x\n");
    assert_eq!(placed(&issues).len(), 1, "{issues:?}");
    assert!(placed(&issues)[0].contains("1:0 a quote begins on this line"));
}

/// A table adds to a set of the same url, whatever its version, and several tables to each other.
#[test]
fn tables_add_codes() {
    let mut builder = TerminologyBuilder::new();
    let vs = expansion("http://x/vs", "7", &["a"], "");
    builder.add_json("vs.json", vs.as_bytes());
    for (file, code) in [("1.csv", "b"), ("2.csv", "c")] {
        let text = format!("value_set,system,code\nhttp://x/vs,urn:s,{code}\n");
        builder.add_table(file, text.as_bytes());
    }
    let (store, issues) = builder.build();
    assert_eq!(codes(&store, "http://x/vs"), "complete [a b c]");
    assert_eq!(issues.len(), 1, "{issues:?}");
}
