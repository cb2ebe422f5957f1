//! What is not typed as it stands. A line that is in no table is run; a row that fits no line fails.

/// Lines that need more than the repository and the built program, by how they begin, and what it is.
pub const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "README.md",
        "cargo test --workspace",
        "this test is part of it",
    ),
    ("README.md", ".ci/run", "this test is part of it"),
    (
        "tests/decks/README.md",
        "cargo test -p tests",
        "a part of `cargo test`",
    ),
    (
        "measures/CONFORMANCE.md",
        "TANDEM_WRITE_CONFORMANCE=",
        "a part of `cargo test`",
    ),
    (
        "datasets/README.md",
        "duckdb ",
        "a program; `other_readers` runs it, where Python has it",
    ),
    (
        "tests/fuzz/README.md",
        "cargo install",
        "a network, and a C++ compiler",
    ),
    (
        "tests/fuzz/README.md",
        "cargo +nightly fuzz",
        "cargo-fuzz, and a nightly compiler",
    ),
    (
        "rules/README.md",
        "tandem terminology fetch",
        "a terminology server; `own_terminology` has one",
    ),
];

/// What stands for the reader's own files, and for what would take too long.
pub const STAND_INS: &[(&str, &str, &str)] = &[
    ("cargo run -- ", "tandem ", "built already"),
    ("--patients 10000", "--patients 20", "2.5 GB"),
    (
        "--measure CMS122 ",
        "--measure SystolicControl ",
        "published measures are the reader's own copies: decks of ours stand for them",
    ),
    (
        "CMS69FHIRPCSBMIScreenAndFollowUp",
        "SystolicControl",
        "likewise",
    ),
    ("decks/CMS122", "tests/decks/SystolicControl", "likewise"),
    (
        "--libraries libraries/",
        "--libraries tests/decks/libraries",
        "likewise",
    ),
    ("Patient/123", "Patient/p0000031", "a patient of the lake"),
];

/// Examples of `--help` that are not typed, by the command.
pub const EXAMPLES_ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "tandem audit verify --help",
        "tandem audit verify",
        "a service that recorded calls; `store` has what one writes",
    ),
    (
        "tandem audit export --help",
        "tandem audit export",
        "a service that recorded calls; `store` has what one writes",
    ),
    (
        "tandem audit show --help",
        "tandem audit show",
        "a service that recorded calls; `store` has what one writes",
    ),
    (
        "tandem audit replay --help",
        "tandem audit replay",
        "likewise",
    ),
    (
        "tandem audit purge --help",
        "tandem audit purge",
        "a service that recorded calls; `store` has what one writes",
    ),
    (
        "tandem feedback report --help",
        "tandem feedback report",
        "a service that recorded calls; `store` has what one writes",
    ),
    (
        "tandem doctor --help",
        "tandem doctor",
        "a running service; `doctor` has one",
    ),
    (
        "tandem sql --help",
        "tandem sql",
        "`sql_examples` has their answers",
    ),
    (
        "tandem demo --help",
        "tandem demo",
        "README.md has the first, `demo` the others",
    ),
    (
        "tandem rule eval --help",
        "tandem rule eval my-alert.yaml",
        "rules/README.md has such a line, with its files",
    ),
    (
        "tandem terminology rxnorm --help",
        "tandem terminology rxnorm",
        "a release of RxNorm",
    ),
    (
        "tandem terminology fetch --help",
        "tandem terminology fetch",
        "a terminology server; `own_terminology` has one",
    ),
];

/// What stands for other things in examples of `--help`.
pub const EXAMPLE_STAND_INS: &[(&str, &str, &str)] = &[
    ("--patients 10000", "--patients 20", "2.5 GB"),
    ("--patients 500", "--patients 20", "time"),
    ("--snapshot 3", "--snapshot 0", "the lake has one snapshot"),
    ("--pin 3", "--pin 0", "likewise"),
    (
        "CMS130FHIRColorectalCancerScreening",
        "SystolicControl",
        "a measure of ours",
    ),
    ("CMS122FHIR", "SystolicControl", "likewise"),
    ("--measure CMS122", "--measure SystolicControl", "likewise"),
    (
        "--rules rules/",
        "--rules my-rules/ --terminology my-sets",
        "the folder of that name here has the rules that are built in",
    ),
    ("Patient/123", "Patient/p0000031", "a patient of the lake"),
    (
        "rule test my-rules/ --coverage",
        "rule test my-rules/ --terminology my-sets --coverage",
        "likewise",
    ),
    (
        "serve --insecure-dev --rules my-rules --no-built-in",
        "serve --insecure-dev --rules my-rules --terminology my-sets --no-built-in",
        "likewise",
    ),
    (
        "rule check my-rules/ --format",
        "rule check my-rules/ --terminology my-sets --format",
        "likewise",
    ),
    (
        "rule test my-rules/ --format",
        "rule test my-rules/ --terminology my-sets --format",
        "the rule there names a value set of its own",
    ),
];
