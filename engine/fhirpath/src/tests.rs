use super::item::Scalar;
use super::*;
use engine_patient::finding::Finding;
use engine_patient::record::{Kind as Json, PatientRecord};

const PATIENT: &str = r##"{"resourceType":"Patient","id":"p1","active":true,"birthDate":"1970-06",
    "_birthDate":{"extension":[{"url":"http://x/time","valueDateTime":"1970-06-03T10:00:00Z"}]},
    "name":[{"use":"official","family":"A","given":["B",null,"C"],"period":{"start":"2001","end":"2002-02"}},
            {"use":"usual","family":"D\u0027E"}],
    "multipleBirthInteger":3,"deceasedDateTime":"2020-01-01T10:00:00+02:00",
    "managingOrganization":{"reference":"http://h/fhir/Organization/o1/_history/2"},
    "generalPractitioner":[{"reference":"urn:uuid:0-1"},{"reference":"#c"},{"reference":"Practitioner?identifier=1"},
                           {"reference":"Practitioner/9"}],
    "contained":[{"resourceType":"Practitioner","id":"c","gender":"female"},{"resourceType":"Organization","id":"d"}],
    "extension":[{"url":"http://x/a","valueQuantity":{"value":1.50,"unit":"kg"}},{"url":"http://x/b","valueString":"s"}]}"##;

fn compile(text: &str) -> Result<Path, Finding> {
    let constants = [Constant {
        name: "use".into(),
        value: Literal::Text("usual".into()),
        ty: "code",
    }];
    let scope = Scope {
        resource: "Patient",
        focus: Type::one("Patient"),
        constants: &constants,
    };
    Path::compile(text, &scope)
}

/// The values of a path on the patient above, joined by `, `.
fn run(text: &str) -> String {
    let mut record = PatientRecord::new();
    record.push(PATIENT).unwrap();
    let patient = record.patient().unwrap();
    let path = compile(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let focus = Focus {
        resource: patient,
        this: Some(Item::Element(patient)),
        row_index: 7,
    };
    let mut out = vec![];
    let ran = path.each(&focus, &mut |item| {
        out.push(match item.scalar() {
            Some(Scalar::Bool(b)) => b.to_string(),
            Some(Scalar::Int(i)) => i.to_string(),
            Some(Scalar::Decimal(d)) => d.to_string(),
            Some(Scalar::Double(d)) => d.to_string(),
            Some(Scalar::Text(t)) => t.into_owned(),
            None => match item {
                Item::Element(e) if e.kind() == Json::Object => "{…}".to_owned(),
                _ => "?".to_owned(),
            },
        });
        Ok(())
    });
    match ran {
        Ok(()) => out.join(", "),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn values() {
    let cases = [
        // Paths, choices, indexers.
        ("id", "p1"),
        ("Patient.id", "p1"),
        ("name.given", "B, C"),
        ("name.given[1]", "C"),
        ("name[1].family", "D'E"),
        ("name[2].family", ""),
        ("name[-1].family", ""),
        ("`name`.first().use", "official"),
        ("name.last().use", "usual"),
        ("deceased", "2020-01-01T10:00:00+02:00"),
        ("deceased.ofType(boolean)", ""),
        ("deceased as dateTime", "2020-01-01T10:00:00+02:00"),
        ("multipleBirth.ofType(integer)", "3"),
        ("extension.value.unit", "kg"),
        (
            "extension('http://x/a').value.ofType(Quantity).value",
            "1.50",
        ),
        ("extension.value.first().ofType(string)", ""),
        ("extension.value.last().ofType(string)", "s"),
        (
            "extension.where(url = 'http://x/b').value.ofType(FHIR.string)",
            "s",
        ),
        (
            "birthDate.extension('http://x/time').value.ofType(dateTime)",
            "1970-06-03T10:00:00Z",
        ),
        ("contained.ofType(Practitioner).gender", "female"),
        ("contained.id", "c, d"),
        ("contained.where(id = 'd').getResourceKey()", "d"),
        // Functions.
        ("name.where(use = %use).family", "D'E"),
        ("name.where($index = 1).family", "D'E"),
        ("name.select(family & '/' & use)", "A/official, D'E/usual"),
        ("name.exists(use = 'old')", "false"),
        ("name.all(family.exists())", "true"),
        ("name.all(given.exists())", "false"),
        ("photo.all(url.exists())", "true"),
        ("name.count()", "2"),
        ("photo.empty()", "true"),
        ("name.given.join('-')", "B-C"),
        ("iif(active, 'yes', 'no')", "yes"),
        ("iif(photo.exists(), 'yes')", ""),
        ("(active = false).not()", "true"),
        ("getResourceKey()", "p1"),
        ("%resource.id | id", "p1"),
        ("managingOrganization.getReferenceKey()", "o1"),
        ("managingOrganization.getReferenceKey(Patient)", ""),
        (
            "generalPractitioner.getReferenceKey(Practitioner)",
            "0-1, 9",
        ),
        ("generalPractitioner.getReferenceKey('Organization')", "0-1"),
        // Boundaries.
        ("birthDate.lowBoundary()", "1970-06-01"),
        ("birthDate.highBoundary()", "1970-06-30"),
        ("name.period.lowBoundary()", "2001-01-01T00:00:00.000+14:00"),
        (
            "name.period.highBoundary()",
            "2002-02-28T23:59:59.999-12:00",
        ),
        (
            "deceased.ofType(dateTime).highBoundary()",
            "2020-01-01T10:00:00.999+02:00",
        ),
        (
            "extension.value.ofType(Quantity).value.lowBoundary()",
            "1.495",
        ),
        ("@T10:30.highBoundary()", "10:30:59.999"),
        // Equality and order.
        ("name.use = ('official' | 'usual')", "true"),
        ("name.use = 'official'", "false"),
        ("name.use != 'official'", "true"),
        ("photo.url = 'x'", ""),
        ("birthDate = @1970-06", "true"),
        ("birthDate = @1970", ""),
        ("birthDate < @1970-07-01", "true"),
        ("birthDate < @1970-06-15", ""),
        ("deceased.ofType(dateTime) = @2020-01-01T08:00:00Z", "true"),
        ("@T10:00 < @T10:00:01", ""),
        ("'a' < 'b'", "true"),
        ("1 = 1.0", "true"),
        ("extension.value.ofType(Quantity).value = 1.5", "true"),
        ("name.first() = name[0]", "true"),
        ("name.first() = name.last()", "false"),
        // Logic: three-valued, and short of an error.
        ("active and photo.url = 'x'", ""),
        ("active.not() and photo.url = 'x'", "false"),
        ("active or photo.url = 'x'", "true"),
        ("(photo.url = 'x').not()", ""),
        ("{} or true", "true"),
        // Calculation.
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("-multipleBirth.ofType(integer) + 5", "2"),
        ("10 - 3 - 2", "5"),
        ("1 / 0", ""),
        ("9223372036854775807 + 1", ""),
        ("'a' + 'b'", "ab"),
        ("'a' & {}", "a"),
        ("%rowIndex * 2", "14"),
        ("%loinc", "http://loinc.org"),
        (r"'\u00e9\'\\'", "é'\\"),
        ("(1 | 2 | 1).count()", "2"),
        // Run-time errors, without data.
        (
            "name.family + 'x'",
            "error: several values as an operand of a calculation",
        ),
        (
            "name.where(given).use",
            "error: several values where one boolean is needed",
        ),
        ("name[name.count() - 1].use", "usual"),
    ];
    for (text, expected) in cases {
        assert_eq!(run(text), expected, "{text}");
    }
}

#[test]
fn refusals_say_where_what_and_what_instead() {
    let cases = [
        ("@@", 1, "no date", "@2024-05-01"),
        (
            "name.foo(1)",
            6,
            "the function `foo` is not supported",
            "supported are all, as",
        ),
        (
            "name.frist()",
            6,
            "`frist` is not supported",
            "did you mean `first`?",
        ),
        (
            "name.where()",
            6,
            "`where` takes one argument here, not 0",
            "",
        ),
        (
            "id.exists(",
            11,
            "an expression was expected, not the end",
            "",
        ),
        ("name..use", 6, "expected after `.`, not `.`", ""),
        ("name use", 6, "`use` does not belong here", ""),
        ("'abc", 1, "closing ' is missing", ""),
        ("\"abc\"", 1, "double quotes", "single quotes"),
        ("id ~ 'x'", 4, "the operator `~` is not supported", "= != <"),
        (
            "id in ('a' | 'b')",
            4,
            "the operator `in` is not supported",
            "= != <",
        ),
        (
            "deceasedBoolean",
            1,
            "no element `deceasedBoolean`",
            "write `deceased.ofType(boolean)`",
        ),
        (
            "deceased.ofType(Quantity)",
            10,
            "never a `Quantity`",
            "`boolean`, `dateTime`",
        ),
        ("gender.ofType(Quantity)", 8, "never a `Quantity`", ""),
        (
            "deceased.ofType(datetime)",
            17,
            "`datetime` is no FHIR R4 type",
            "did you mean `dateTime`?",
        ),
        ("deceased.lowBoundary()", 10, "a boundary needs", "ofType"),
        ("active < true", 8, "cannot order", "compare with `=`"),
        ("id > 5", 4, "cannot order `id` against `integer`", ""),
        (
            "extension.value.ofType(Quantity) > 5 'kg'",
            36,
            "quantities are not supported",
            "`value` and `code`",
        ),
        ("name + 1", 6, "`+` needs numbers, not `HumanName`", ""),
        (
            "name.where(use = %uses)",
            18,
            "unknown constant `%uses`",
            "did you mean `%use`?",
        ),
        (
            "Observation.value",
            1,
            "`Observation` is not what this path starts from",
            "`Patient`",
        ),
        (
            "name.getReferenceKey()",
            6,
            "needs a Reference, not `HumanName`",
            "",
        ),
        ("name['x']", 6, "whole number", ""),
        (
            "name.given.first().extension('x')",
            20,
            "directly after its element",
            "",
        ),
        ("$total", 1, "`$total` is not supported", "`$this`"),
        (
            "name.given.first().iif(true, 1)",
            20,
            "`iif` stands at the start",
            "select",
        ),
        ("é", 1, "`é` means nothing", ""),
    ];
    for (text, column, message, help) in cases {
        let error = compile(text)
            .err()
            .unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(error.message.contains(message), "{text}: {error}");
        assert_eq!(error.column(), Some(column), "{text}: {error}");
        assert!(
            error.help.as_deref().unwrap_or("").contains(help),
            "{text}: {error}"
        );
    }
    let path = compile("name.famly").unwrap();
    assert_eq!(
        path.warnings()[0].help.as_deref(),
        Some("did you mean `family`?")
    );
    assert!(compile("name.family").unwrap().warnings().is_empty());
}

#[test]
fn every_function_of_the_table_is_implemented() {
    for (name, least, _) in functions::TABLE {
        let arguments = match (*name, least) {
            ("ofType" | "as", _) => "date",
            ("extension", _) => "'u'",
            (_, 0) => "",
            (_, 1) => "true",
            _ => "true, 1",
        };
        let base = match *name {
            "iif" | "getResourceKey" => "",
            "getReferenceKey" => "managingOrganization.",
            _ => "birthDate.",
        };
        let text = format!("{base}{name}({arguments})");
        assert!(compile(&text).is_ok(), "{text}: {:?}", compile(&text).err());
    }
}

/// Whatever is typed, the answer is a path or an error, and a small stack is enough.
#[test]
fn nesting_is_bounded() {
    let tall = |open: &str, inner: &str, close: &str, n: usize| {
        format!("{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    let texts = [
        tall("(", "1", ")", 100_000),
        tall("-", "1", "", 100_000),
        tall("name.where(", "true", ")", 100_000),
        tall("name[", "0", "]", 100_000),
        format!("id{}", ".id".repeat(100_000)),
        format!("1{}", " + 1".repeat(100_000)),
        format!("'a'{}", " | 'a'".repeat(100_000)),
        format!("id{}", "[0]".repeat(100_000)),
    ];
    let run_all = move || {
        for text in texts {
            let error = compile(&text).err().unwrap();
            assert!(error.message.contains("nested deeper"), "{error}");
        }
        assert_eq!(run(&format!("1{}", " + 1".repeat(60))), "61");
        assert_eq!(run(&tall("iif(true, ", "1", ")", 60)), "1");
        assert_eq!(run(&tall("$this.where(", "true", ").exists()", 30)), "true");
        assert_eq!(
            run(&format!("name{}.use.first()", ".where(true)".repeat(60))),
            "official"
        );
        // A list of alternatives is as long as it needs to be.
        assert_eq!(
            run(&format!("id = 'x'{}", " or id = 'p1'".repeat(1000))),
            "true"
        );
        assert_eq!(
            run(&format!("true{}", " and true or true".repeat(10_000))),
            "true"
        );
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run_all)
        .unwrap()
        .join()
        .unwrap();
}

/// Any sequence of words is a path or a mistake, and a path runs.
#[test]
fn nothing_typed_panics() {
    let words = [
        "name",
        "value",
        "given",
        "id",
        "deceased",
        "extension",
        "contained",
        ".",
        ".",
        ".",
        "(",
        ")",
        "[",
        "]",
        "'a'",
        "1",
        "1.5",
        "@2020-01",
        "@T10:00",
        "true",
        "{}",
        "%use",
        "%rowIndex",
        "$this",
        "$index",
        "=",
        "<",
        "+",
        "-",
        "/",
        "&",
        "|",
        "and",
        "or",
        "as",
        "first()",
        "where(",
        "exists()",
        "ofType(",
        "Quantity",
        "dateTime",
        "Practitioner",
        "count()",
        "join(",
        "iif(",
        ",",
        "select(",
        "lowBoundary()",
        "not()",
        "getReferenceKey(",
        "'",
        "\\",
        "é",
        "\"",
        "@",
        "%",
        "$",
        "`",
    ];
    let mut seed: u64 = 42;
    let mut next = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let mut compiled = 0;
    for _ in 0..20_000 {
        let text: String = (0..next(9) + 1).map(|_| words[next(words.len())]).collect();
        if compile(&text).is_ok() {
            compiled += 1;
            run(&text);
        }
    }
    assert!(compiled > 500, "{compiled}");
}
