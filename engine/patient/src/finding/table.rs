//! Every code of a finding, once: what it means, why it matters, an example, and how to mend it.
//! `tandem explain CODE` prints a row; the order here is the order of its list.
//!
//! To add one: add a row, use the variant, and show it in a test or in `tests/tests/findings`. The word before
//! an example says what it is (`ExampleOf`): all but `Prose` are run, and must give the code.

use super::code::{Entry, ExampleOf, codes};

codes! {
    // Files of rules: YAML.

    YamlSyntax "yaml-syntax" "the file is not YAML"
        why "nothing of the file can be read, so none of its rules can warn anybody"
        example Rule "title: Diabetes: control"
        mend "put a text with `: `, ` #` or a special first character in quotes; indent with spaces, not tabs";
    YamlUnsupported "yaml-unsupported" "a part of YAML that rules do not use"
        why "anchors, aliases, tags and several documents make a rule hard to review, so they are refused"
        example Rule "eligible: &adult ageInYearsAt(at) >= 18"
        mend "write the value out, or give it a name under `define`";
    DuplicateKey "duplicate-key" "a key stands twice in one mapping"
        why "YAML readers differ in which of the two they take"
        example Rule "title: One\ntitle: Two"
        mend "keep one of them";
    TooLarge "too-large" "the file is larger than a rule may be"
        why "a file of this size is hardly a rule, and reading it would take memory from others"
        example Prose "a rule file of 5 MB"
        mend "check that the right file was given; leave out cases that repeat others";
    TooDeep "too-deep" "nested too deep"
        why "the depth is bounded so that no file can exhaust the stack"
        example Prose "((((((((((true))))))))))  with hundreds of brackets"
        mend "move parts of it into `define`, or write it flatter";
    TooLong "too-long" "a text or expression is too long"
        why "a card's summary is cut off by the systems that show it; a huge expression cannot be reviewed"
        example Prose "card: {summary: \"more than 140 characters …\"}"
        mend "shorten it: put the rest of a summary in `detail`, parts of an expression in `define`";
    More "more" "there are more findings than are shown"
        why "the first ones usually cause the others"
        example Prose "a file with hundreds of mistakes"
        mend "mend what is shown and check again";
    NotAMapping "not-a-mapping" "the file is not a mapping of fields"
        why "a measure or rule is read by the names of its fields"
        example SqlMeasure "- id: my-measure"
        mend "begin with `id: …`, and write one `field: value` a line";
    UnknownField "unknown-field" "a field that is not known here"
        why "a field with a typing mistake would be ignored, and with it what it says"
        example Rule "rationle: Early treatment prevents complications."
        mend "correct the name, or remove the field";
    MissingField "missing-field" "a required field is missing or empty"
        why "a rule without it cannot be run, reviewed or shown"
        example Rule "source: {title: A guideline}"
        mend "add the field; the rules under `rules/content` show what belongs there";
    WrongKind "wrong-kind" "a value of another kind: a list, a mapping or a text where another belongs"
        why "the value cannot be read as what the field means"
        example Rule "title: [Diabetes, control]"
        mend "write it as the message says; a text that begins with `[` or `{` must stand in quotes";
    WrongValue "wrong-value" "a value that the field cannot have"
        why "guessing what was meant could change what the rule says"
        example Rule "version: latest"
        mend "write one of the values, or the form, that the message names";
    BadId "bad-id" "the id is not an id, or not the name of the file"
        why "the id is in every card and report; a rule is found by the name of its file"
        example Rule "id: HbA1c Control"
        mend "small letters, digits and `-`; name the file after it";
    DuplicateRule "duplicate-rule" "two rules have the same id"
        why "their cards, result rows and reports could not be told apart"
        example Prose "a rule `hba1c-control` of your own, beside the built-in one"
        mend "give yours another id, and its file the same name";
    BadName "bad-name" "a name that cannot be used"
        why "names under `define` and `value_sets` are used in expressions and must not look like something else"
        example Rule "define:\n  in: \"true\""
        mend "a small letter, then letters, digits and `_`; no word of the language";
    DuplicateCase "duplicate-case" "two cases have the same name"
        why "a failing case is reported by its name"
        example Prose "two cases called `overdue`"
        mend "give each its own name";
    MissingCase "missing-case" "the cases do not show every outcome"
        why "a rule is trusted because its cases show when it applies, when not, and when data are missing"
        example Rule "cases: []"
        mend "add a case with the `expect` that the message names";
    OneOutcome "one-outcome" "a criterion or definition has one outcome in all cases"
        why "whether the other can come about is not shown, so a slip in it would not be noticed"
        example Prose "excluded: ageInYearsAt(at) > 75, and no case with a patient of that age"
        mend "add a case in which it comes out the other way";
    ReviewDue "review-due" "the date by which a rule must be looked at again has passed"
        why "guidelines change, and a card that follows an old one is worse than none"
        example Prose "review: 2024-01-01, checked in 2026"
        mend "read the source again, change what has changed, and set `review` to the next date";
    OldSource "old-source" "the source of a rule is more than ten years old"
        why "a newer edition may say something else"
        example Prose "source: {year: 2009, …}, checked in 2026"
        mend "look for the edition that holds now, and name it under `source`";
    NoOwner "no-owner" "nobody answers for the rule"
        why "whoever doubts a card must be able to ask somebody"
        example Prose "a rule without the field `owner`"
        mend "name a team under `owner`, not a person who may leave";
    Todo "todo" "a text that is still to be written"
        why "a rule whose source or reason is not written cannot be judged by those who see its cards"
        example Prose "rationale: TODO why it is worth an interruption"
        mend "write the text, and remove the word `TODO`";
    Unbounded "unbounded" "a whole type of resources is asked for, of which a patient may have thousands"
        why "all of them have to be sent for every card and read for every patient of a measure"
        example Prose "Observation().exists(o, o.code.text == \"HbA1c\")"
        mend "name a value set: `Observation(\"hba1c\")` asks for what is coded in it only";
    LongSummary "long-summary" "the summary of a card can be longer than 139 characters once its values are in it"
        why "it is cut off, and what is cut off is not read"
        example Prose "summary: \"{{ row.effect }}\", where a row of the table has a long one"
        mend "put the long part in `detail`, or shorten the texts of the table";
    Template "template" "a `{{` in a text is never closed"
        why "the card would show the expression instead of its value"
        example Rule "card:\n  indicator: info\n  summary: \"HbA1c {{latest_hba1c is overdue\""
        mend "write `}}` after the expression";
    Unused "unused" "a definition or value set is not used"
        why "it may be that an expression should use it"
        example Rule "define:\n  old_name: \"true\""
        mend "use it or remove it";
    EmptyValueSet "empty-value-set" "a value set has no codes"
        why "nothing ever matches it: the rule would never find what it looks for"
        example Prose "value_sets: {diabetes: http://example.org/vs/empty}"
        mend "load an expansion that has codes";
    IncompleteValueSet "incomplete-value-set" "a value set has only a part of its codes"
        why "codes that are not here would read as \"no\""
        example Prose "a value set of which 1,000 of 4,000 codes are loaded"
        mend "load the whole expansion with --terminology";
    UnknownValueSetUrl "unknown-value-set-url" "no value set of this url is loaded"
        why "membership in it cannot be decided"
        example Rule "value_sets: {diabetes: http://example.org/vs/diabetis}"
        mend "correct the url, or load the value set with --terminology";

    // The language of rules: CEL over FHIR R4.

    Syntax "syntax" "the text is not an expression"
        why "it cannot be read as CEL"
        example Cel "patient.gender = 'female'"
        mend "write `==` for equal, `&&` and `||` for and and or; close quotes and brackets";
    Empty "empty" "the expression is empty"
        why "an empty condition says nothing"
        example Rule "define:\n  adult: \" \""
        mend "write an expression; `true` is one that always holds";
    Unsupported "unsupported" "a part of CEL that rules do not use"
        why "null, bytes, unsigned numbers, maps and messages have no meaning over FHIR data here"
        example Cel "patient.birthDate == null"
        mend "ask `has(x.y)` whether an element is there";
    ParserFailed "parser-failed" "the parser failed on the expression: a bug in Tandem"
        why "the expression may be right"
        example Prose "(no example is known)"
        mend "write it in another way, and report it";
    UnknownName "unknown-name" "a name that nothing has"
        why "the expression cannot be evaluated"
        example Cel "patent.gender == 'female'"
        mend "correct the name, or define it under `define`";
    UnknownElement "unknown-element" "a FHIR type does not have this element"
        why "a path to nothing would be empty for every patient"
        example Cel "patient.birthdate"
        mend "take the name from the FHIR R4 definition of the type";
    UnknownResource "unknown-resource" "FHIR R4 has no resource of this type"
        why "no data can be found for it"
        example Cel "Observations(\"hba1c\")"
        mend "correct the name of the resource type";
    UnknownFunction "unknown-function" "a function that rules do not have"
        why "the expression cannot be evaluated"
        example Cel "Observation(\"hba1c\").newest()"
        mend "`tandem rule functions` lists the functions";
    UnknownValueSet "unknown-value-set" "a value set that the rule does not name under `value_sets`"
        why "the codes to compare with are not known"
        example Cel "Condition(\"diabetis\")"
        mend "correct the name, or add it under `value_sets` with its url";
    UnknownDrug "unknown-drug" "no ingredient, RxCUI or drug class of this name"
        why "which drugs are meant is not known"
        example Cel "medications().exists(m, isDrug(m, \"warfarine\"))"
        mend "name an ingredient as RxNorm does, its RxCUI, or a class as `class:maoi`";
    WrongType "wrong-type" "a value of a type that does not fit here"
        why "the comparison or calculation would have no meaning"
        example Cel "patient.birthDate > 18"
        mend "compare values of one type; `ageInYearsAt(at)` is a number, `at - months(12)` a date";
    WrongArguments "wrong-arguments" "a function called with too many, too few or other arguments"
        why "the call has no meaning"
        example Cel "ageInYearsAt()"
        mend "call it as the example in the message";
    NotADate "not-a-date" "a text that is no date"
        why "it could never be compared with the patient's dates"
        example Cel "date(\"31.12.2025\")"
        mend "write it as in FHIR: 2025-12-31 or 2025-12-31T10:00:00Z";
    NoCodePath "no-code-path" "a resource without a code of its own is retrieved by a value set"
        why "there is nothing that the value set could be compared with"
        example Cel "Patient(\"hba1c\").size() > 0"
        mend "take all with `Type()` and filter";
    List "list" "an element is read from a list"
        why "which of the items is meant is not said"
        example Cel "Observation(\"hba1c\").value"
        mend "say which: `.exists(x, …)`, `.latest()` or `.first()`";
    Choice "choice" "an element that can be of several types is used without its type"
        why "what can be done with it depends on the type"
        example Cel "Observation(\"hba1c\").exists(o, o.value.unit == \"%\")"
        mend "name the type, as in `o.valueQuantity.unit`";
    NotACode "not-a-code" "a text that is no code of the element"
        why "FHIR R4 allows certain codes there, letter by letter: the comparison has one outcome for everybody; beside one of them a CodeableConcept may have codes of other systems, so there it is a warning unless it is a slip"
        example Cel "Observation(\"hba1c\").exists(o, o.status == \"finall\")"
        mend "write one of the codes that the message names";
    NotAUnit "not-a-unit" "not a unit of UCUM, or another than the usual one"
        why "a quantity is known in it only where its code is this very text, mostly for nobody; UCUM is case-sensitive"
        example Cel "quantityIn(Observation(\"hba1c\").latest().value, \"percent\") > 9.0"
        mend "write the unit as UCUM has it";
    OtherUnit "other-unit" "numbers in units that do not go together"
        why "a number in one unit says nothing about a number in the other"
        example Cel "Observation(\"hba1c\").exists(o, quantityIn(o.value, \"%\") > 9.0 && quantityIn(o.value, \"mg/dL\") > 0)"
        mend "take both in one unit";
    WrongValueSet "wrong-value-set" "a value set whose codes the element never has"
        why "nothing ever matches it, which reads as \"not done\" for everybody"
        example Cel "Condition(\"hba1c\").size() > 0"
        mend "retrieve the resources that are coded so, or name another value set";
    NeverHolds "never-holds" "a condition that holds for nobody"
        why "what it decides is decided already, and the rule says something else than it seems to"
        example Rule "eligible: ageInYearsAt(at) > 75 && ageInYearsAt(at) < 18"
        mend "correct a limit, or write `||` where one of the two is enough";
    AlwaysHolds "always-holds" "a condition that holds for everybody"
        why "it decides nothing, and the rule says something else than it seems to"
        example Rule "eligible: patient.gender != \"male\" || patient.gender != \"female\""
        mend "correct a limit, or write `&&` where both are meant";
    MixedAndOr "mixed-and-or" "`&&` and `||` stand beside each other without brackets"
        why "`&&` binds first, and who reads it otherwise reads another rule"
        example Prose "eligible: over_65 && diabetes || kidney_disease, which is for everybody with kidney disease"
        mend "write brackets: `(a && b) || c`, or `a && (b || c)` where that is meant";
    CodesOfNoSystem "codes-of-no-system" "a value set that a rule names has codes that cannot be of their code system"
        why "no data has them, so that what was meant is never found"
        example Prose "a value set with the LOINC code 4548-5, whose last digit does not fit the others"
        mend "look the codes up, and write them as they are there";
    PresenceIsNotDeath "presence-is-not-death" "`has(patient.deceased…)` is used for death"
        why "it also holds where it is recorded that the patient lives, or died later"
        example Cel "!has(patient.deceasedBoolean)"
        mend "write `deceased(at)`";

    // Value sets and code systems.

    TerminologyNotUtf8 "T001" "the source is not UTF-8"
        why "codes and displays cannot be read"
        example Prose "a value set saved as Latin-1"
        mend "convert the file, or unpack it if it is compressed";
    TerminologyNotJson "T002" "the source is not JSON, or not as FHIR writes it"
        why "none of its codes are loaded"
        example Prose "a value set in XML"
        mend "give FHIR JSON";
    TerminologyNoResource "T003" "the source is not a FHIR resource"
        why "without `resourceType` it cannot be known what it is"
        example Terminology "{\"url\": \"http://example.org/vs\"}"
        mend "add `resourceType`, or give another file";
    TerminologyMissing "T004" "a required element is missing"
        why "a value set without url or a code without system cannot be found or compared"
        example Terminology "{\"resourceType\": \"ValueSet\"}"
        mend "add the element that the message names";
    TerminologyWrongType "T005" "an element has the wrong type"
        why "its value cannot be read"
        example Prose "\"code\": 44054006"
        mend "write the value in quotes";
    TerminologyIgnored "T006" "resources of other types were ignored"
        why "only value sets and code systems are terminology"
        example Prose "a folder that also holds Patient resources"
        mend "nothing, if they do not belong to the terminology";
    TerminologySystem "T007" "a code system that data writes in another way"
        why "codes are compared with their system: none of its codes match"
        example Prose "\"system\": \"loinc\""
        mend "write the url of the system, as in `http://loinc.org`";
    ValueSetCircle "T010" "value sets include each other in a circle"
        why "their codes cannot be listed"
        example Prose "A includes B, B includes A"
        mend "remove one of the includes";
    IncludedValueSetUnknown "T011" "an included value set is not loaded"
        why "the value set that includes it lacks its codes"
        example Prose "compose.include.valueSet: http://example.org/vs/not-here"
        mend "load the included value set too";
    TerminologyConflict "T012" "the same url and version with different content"
        why "which of the two is meant decides who is found"
        example Prose "two files with http://example.org/vs|1.0"
        mend "keep one of them, or give them different versions";
    SeveralVersions "T013" "several versions are loaded and none is asked for"
        why "a newer version may have other codes"
        example Prose "http://example.org/vs in versions 1.0 and 2.0"
        mend "refer to it as `url|version`, or load one version";
    CodeKeyCollision "T014" "two codes share a 64-bit key"
        why "one would be taken for the other"
        example Prose "(does not happen with real codes, as far as is known)"
        mend "report it";
    ValueSetExtended "T015" "codes are added to a value set of the same url"
        why "built-in sets are united with your own; worth knowing when numbers change"
        example Prose "a file of yours with the url of a built-in value set"
        mend "nothing, if that is meant";
    ValueSetBound "T016" "a value set is bound to others"
        why "bindings decide who is found; worth knowing when numbers change"
        example Prose "bindings: [{value_set: diabetes, to: urn:oid:2.16.840.1.113883.3.464.1003.103.12.1001}]"
        mend "nothing, if that is meant";
    BindingUnknown "T017" "a binding names a value set that is not loaded"
        why "the codes that were to be added would be missing, and nobody would see it"
        example Prose "bindings: [{value_set: diabetis, to: http://example.org/vs/diabetes}]"
        mend "correct the name, or load the value set with --terminology";
    BindingCircle "T018" "a value set is bound to itself, or through others in a circle"
        why "its codes are not defined"
        example Prose "A is bound to B, B is bound to A"
        mend "remove one of the bindings";
    BindingTwice "T019" "a value set is bound twice"
        why "which of the two counts would depend on the order of files"
        example Prose "two bindings of `diabetes`"
        mend "name all that it is bound to in one list under `to`";
    BindingUnused "T024" "nothing in use asks for a value set that is bound"
        why "the binding changes nothing; perhaps another value set was meant"
        example Prose "a binding of a value set that no rule and no package names"
        mend "bind the value set that the rule names, or remove the binding";
    ValueSetTable "T030" "a table of value sets without one of its columns"
        why "a code without value set and system cannot be used"
        example Prose "a CSV whose first line is code,display"
        mend "name the columns in the first line: value_set,system,code,display";
    ValueSetRow "T031" "a row of a table of value sets that is not used"
        why "its code would be missing from the value set"
        example Prose "a row whose system is `lonic`"
        mend "correct the cell that the message names";
    ValueSetRowTwice "T032" "a code stands twice in a value set of a table"
        why "nothing changes; one of the two may have been meant as another code"
        example Prose "two rows with loinc and 4548-4 for one value set"
        mend "remove one of the rows";
    DrugFile "T033" "a table of drugs that cannot be used"
        why "a drug or an allergy that it names would not be known"
        example Prose "a row of a table with the columns system,code,display,drug whose drug is `penicilin`"
        mend "correct the row that the message names";
    ValueSetEmpty "T020" "a value set has no codes"
        why "nothing will ever match it"
        example Prose "an expansion without `contains`"
        mend "load an expansion that has codes, or remove what refers to it";
    ValueSetPartial "T021" "a value set has only a part of its codes"
        why "codes that are not here will not match"
        example Prose "an expansion of one page out of several"
        mend "load the whole expansion";
    ValueSetNotExpanded "T022" "a value set could not be expanded"
        why "its codes are not known"
        example Prose "a filter over a code system that is not loaded"
        mend "load its expansion, or what it refers to";
    ExpansionTotal "T023" "an expansion has more codes than its total says"
        why "either the total or the codes are wrong"
        example Prose "expansion.total: 10 beside 12 codes"
        mend "correct the total; all codes are used";

    // The logic of measures: ELM.

    ElmNotJson "E001" "the ELM is not JSON, or nested too deep"
        why "none of the library's definitions can be run"
        example Prose "an ELM file that was cut off"
        mend "translate the CQL again, to JSON";
    ElmWrongForm "E002" "not an ELM library, or not as the ELM schema has it"
        why "an operand that is missing or of another form would change the result"
        example Elm "{\"type\": \"Equal\", \"operand\": []}"
        mend "translate the CQL again; do not edit ELM by hand";
    ElmUnknownNode "E003" "a node type that the ELM schema does not have"
        why "what it means is not known"
        example Elm "{\"type\": \"Exist\"}"
        mend "translate the CQL with a released translator";
    ElmUnsupportedNode "E004" "an operator or node that is not supported"
        why "the measures that reach it cannot be run; the message says why it is not supported"
        example Elm "{\"type\": \"Search\", \"path\": \"code\"}"
        mend "write the logic without it, or ask for it";
    ElmUnknownReference "E005" "a definition, parameter, code or value set that does not exist"
        why "the library refers to something that is not there"
        example Elm "{\"type\": \"ExpressionRef\", \"name\": \"Numerater\"}"
        mend "correct the name in the CQL, or include the library that has it";
    ElmLibraryMissing "E006" "a library that is not in the package"
        why "the measures that need it cannot be run"
        example Prose "include FHIRHelpers version '4.0.1', without its file"
        mend "add the library's ELM to the package";
    ElmLibraryVersion "E007" "a library in several versions, none of them the one asked for"
        why "another version may define other logic"
        example Prose "include Common version '2.0', where 1.0 and 3.0 are in the package"
        mend "add the version that is asked for, or translate with one that is there";
    ElmCircle "E008" "libraries or definitions that refer to each other in a circle"
        why "their value is not defined"
        example Prose "define A: B   define B: A"
        mend "break the circle in the CQL";
    ElmNoOverload "E009" "a function or operator without an overload for these operands"
        why "the call has no meaning"
        example Elm "{\"type\": \"Width\", \"operand\": {\"type\": \"Interval\", \"low\": {\"type\": \"Now\"}, \"high\": {\"type\": \"Now\"}}}"
        mend "give the operands that it takes, or translate with the signatures of overloads";
    ElmUnknownType "E010" "a type that neither CQL nor FHIR R4 has"
        why "values of it cannot be read or compared"
        example Elm "{\"type\": \"Instance\", \"classType\": \"{urn:hl7-org:elm-types:r1}Quantty\"}"
        mend "correct the type in the CQL, or use the FHIR 4.0.1 model";
    ElmLiteralRange "E011" "a literal outside the range of its type"
        why "the number cannot be held exactly"
        example Elm "{\"type\": \"Literal\", \"valueType\": \"{urn:hl7-org:elm-types:r1}Integer\", \"value\": \"3000000000\"}"
        mend "use Long or Decimal in the CQL";
    ElmValueSetMissing "E012" "a value set that is missing"
        why "membership in it cannot be decided; counting it as no would be a wrong number"
        example Prose "valueset \"Diabetes\", without its ValueSet resource"
        mend "add its FHIR ValueSet with an expansion, or run with --allow-missing-valuesets";
    ElmValueSetIncomplete "E013" "a value set that is empty, partial or not expanded"
        why "codes that are not here do not match"
        example Prose "a ValueSet with `compose` only, over a code system that is not loaded"
        mend "add the whole expansion to the package";
    ElmTranslatorError "E014" "the translator reported errors in this library"
        why "the ELM is not what the CQL says"
        example Prose "an annotation CqlToElmError with errorSeverity error"
        mend "correct the CQL and translate it again";
    ElmDuplicate "E015" "two libraries, or two definitions, of the same name"
        why "which is meant cannot be known"
        example Prose "define \"Numerator\" twice in one library"
        mend "rename or remove one of them";
    ElmModel "E016" "a data model other than FHIR R4"
        why "the data are FHIR R4; elements of other versions would not be found"
        example Prose "using FHIR version '3.0.0'"
        mend "use FHIR 4.0.1, QI-Core or US Core";
    ElmNameCase "E017" "a name in another case than its definition"
        why "names in CQL are case-sensitive; the definition that differs only in case is taken"
        example Prose "the package asks for `fhirhelpers`, the library is `FHIRHelpers`"
        mend "write it as the definition has it";
    ElmRetrieve "E018" "a retrieve that cannot be run"
        why "the data that the logic needs would not be found"
        example Elm "{\"type\": \"Retrieve\", \"dataType\": \"{http://hl7.org/fhir}Observations\"}"
        mend "retrieve a FHIR R4 type by an element that has codes";
    ElmForeignFhirType "E019" "a FHIR type that R4 does not have, taken as any"
        why "a value of any type passes where this one is asked for"
        example Elm "{\"type\": \"Is\", \"operand\": {\"type\": \"Now\"}, \"isType\": \"{http://hl7.org/fhir}integer64\"}"
        mend "use a type of FHIR R4";
    ElmBareProperty "E020" "a property without source and scope"
        why "what it belongs to has to be guessed: only where one alias has such an element it is taken"
        example Elm "{\"type\": \"Property\", \"path\": \"status\"}"
        mend "write the alias in the CQL, or translate it with a newer translator";
    ElmCriterionType "E030" "a criterion of a type that does not fit the population basis"
        why "a population is counted by true and false, or by a list of what is counted"
        example Prose "a numerator that is an Integer"
        mend "name a definition of the type that the message asks for";

    // Measure packages.

    NotJson "P001" "the text is not JSON, or ends too early"
        why "the resource cannot be read, and a measure may miss it"
        example Prose "a file that was cut off while it was copied"
        mend "fetch or write it again as FHIR JSON";
    NotUtf8 "P002" "the text is not UTF-8"
        why "FHIR JSON is UTF-8; names and codes cannot be read otherwise"
        example Prose "a Measure saved as UTF-16"
        mend "convert the file";
    NoResource "P003" "an object is not a FHIR resource"
        why "without `resourceType` it cannot be known what it is"
        example Prose "package.json beside the resources"
        mend "nothing, if it does not belong to the measure; otherwise add `resourceType`";
    UnknownResourceType "P004" "no FHIR R4 resource has this type"
        why "a typing mistake in the type would leave the resource out"
        example Prose "{\"resourceType\": \"Mesure\"}"
        mend "correct the type";
    OtherResources "P005" "resources of other types were ignored"
        why "a package is measures, libraries and value sets"
        example Prose "test patients beside the measure"
        mend "nothing, if they do not belong to the measure";
    OtherFiles "P006" "files of other kinds were not read"
        why "the measure may be in one of them"
        example Prose "a folder with .cql files, or with a .zip"
        mend "unpack archives, translate CQL to ELM, write FHIR as JSON";
    NoSuchPath "P007" "a path does not exist"
        why "nothing can be read from it"
        example Prose "tandem measure run pakages/"
        mend "give a file or a folder that exists";
    UnreadablePath "P008" "a path cannot be read"
        why "what it holds is missing from the package"
        example Prose "a zip archive, or a file without the right to read it"
        mend "unpack it, fetch it again, or give yourself the right to read it";
    NothingToRead "P009" "there is nothing to read, or no measure in it"
        why "there is nothing to run"
        example Prose "an empty folder"
        mend "give the folder with the Measure, Library and ValueSet files";
    ElementType "P010" "an element has the wrong JSON type"
        why "its value cannot be read"
        example Prose "\"group\": {} where a list belongs"
        mend "compare with the FHIR R4 definition of the resource";
    BundleDepth "P011" "Bundles within Bundles too deep"
        why "the depth is bounded so that no file can exhaust memory"
        example Prose "a Bundle in a Bundle in a Bundle, and so on"
        mend "give the inner Bundles as files of their own";
    Extension "P012" "an extension without url or value, or given twice with different values"
        why "what it says about the measure would be missed"
        example Prose "cqfm-scoring twice, proportion and ratio"
        mend "give it a url and one value";
    MeasureIdentity "P020" "a measure lacks url, version, id or name"
        why "reports name the measure by its url and version"
        example Prose "a Measure without `url`"
        mend "add the element";
    NoGroup "P021" "a measure has no group"
        why "there is nothing to count"
        example Prose "a Measure without `group`"
        mend "add a group with its populations";
    NoLibraryNamed "P022" "a measure names no library"
        why "its criteria are names of definitions in a library"
        example Prose "a Measure without `library`"
        mend "add the canonical url of the library with the criteria";
    LibraryMissing "P023" "a measure's library is not in the package"
        why "the measure's criteria are not there"
        example Prose "library: http://example.org/Library/CMS122|1.0, without that Library"
        mend "add the Library resource with its ELM";
    MeasureTwice "P024" "the same measure twice: an error if the content differs"
        why "two definitions of one version would give two numbers"
        example Prose "two files with the same url and version"
        mend "keep one, or give an edited measure a version of its own";
    EffectivePeriod "P025" "an effective period cannot be understood"
        why "it may say which measurement period is meant"
        example Prose "effectivePeriod: {start: 2025-13-01}"
        mend "write dates as FHIR does, the start before the end";
    SeveralLibraries "P026" "a measure names several libraries"
        why "which of them has the criteria is not said"
        example Prose "library: [A, B]"
        mend "name the one with the criteria; it includes the others";
    LibraryUnusable "P027" "a measure's library cannot be used"
        why "the measure cannot be run without it"
        example Prose "a Library whose ELM cannot be read"
        mend "see the finding about the library";
    LibraryByName "P028" "a measure's library was found by name, not by url"
        why "a library of the same name may be another one"
        example Prose "library: http://a.org/Library/X, where http://b.org/Library/X is in the package"
        mend "correct the url in the measure or in the library";
    LibraryVersions "P029" "several versions of a measure's library, none asked for"
        why "another version may define other logic"
        example Prose "library: http://example.org/Library/X, in versions 1.0 and 2.0"
        mend "write the version: `url|version`";
    NoScoring "P030" "no scoring"
        why "the scoring says how the score is calculated"
        example Prose "a Measure without `scoring`"
        mend "add one: proportion, ratio, cohort or continuous-variable";
    UnknownScoring "P031" "unknown scoring"
        why "how the score is calculated is not known"
        example Prose "scoring: proportional"
        mend "write one of the codes that the message names";
    CompositeScoring "P032" "composite scoring is not supported"
        why "a composite measure combines the scores of others"
        example Prose "scoring: composite"
        mend "evaluate the component measures one by one";
    PopulationBasis "P033" "unknown or unsupported population basis"
        why "the basis says what is counted: patients, or resources of a type"
        example Prose "populationBasis: Encountr"
        mend "write `boolean` or a FHIR R4 resource type";
    ImprovementNotation "P034" "unknown or contradictory improvement notation"
        why "it says whether a higher or a lower score is better"
        example Prose "improvementNotation: up"
        mend "write `increase` or `decrease`";
    Direction "P035" "which way is better is not stated, or contradicted"
        why "gaps and comparisons depend on it"
        example Prose "a measure without `improvementNotation`"
        mend "say it in the measure, or with `--better MEASURE=higher`";
    NoPopulations "P040" "a group has no populations"
        why "there is nothing to count"
        example Prose "group: [{}]"
        mend "list them in `population`";
    PopulationCodeMissing "P041" "a population has no code"
        why "which population it is cannot be known"
        example Prose "population: [{criteria: …}]"
        mend "add its code, such as `numerator`";
    PopulationCodeUnknown "P042" "unknown population code"
        why "which population it is cannot be known"
        example Prose "code: numerater"
        mend "write one of the codes of FHIR's measure-population";
    PopulationMissing "P043" "a population that the scoring needs is missing"
        why "the score cannot be calculated"
        example Prose "a proportion without denominator"
        mend "add the population, or correct the scoring";
    PopulationRepeated "P044" "a population stands more often than the scoring allows"
        why "which of them counts is not said"
        example Prose "two numerators in one group"
        mend "keep one, or give the others a group of their own";
    PopulationNoPlace "P045" "the scoring has no place for a population"
        why "it would have no effect on the score"
        example Prose "a numerator in a cohort"
        mend "remove the population, or correct its code or the scoring";
    IdTwice "P046" "the same id twice"
        why "references and reports name elements by their ids"
        example Prose "two populations with the id `num`"
        mend "give each its own";
    NoCriteria "P050" "no criteria expression"
        why "who belongs to the population is not said"
        example Prose "a population without `criteria`"
        mend "name a definition of the measure's library in `criteria.expression`";
    CriteriaLanguage "P051" "unsupported criteria language"
        why "criteria are names of definitions in ELM libraries"
        example Prose "criteria: {language: text/fhirpath}"
        mend "use `text/cql-identifier` and name a definition";
    CriteriaExpression "P052" "criteria are a CQL expression, not a name"
        why "CQL is not translated here; definitions come from ELM"
        example Prose "criteria: {language: text/cql, expression: exists [Condition]}"
        mend "define it in the measure's library and name the definition";
    CriteriaNoLanguage "P053" "criteria without language"
        why "it is taken as the name of a definition"
        example Prose "criteria: {expression: Numerator}"
        mend "write `\"language\": \"text/cql-identifier\"`";
    AggregateMissing "P060" "an observation has no aggregate method"
        why "the method says how observations become a score"
        example Prose "a measure-observation without cqfm-aggregateMethod"
        mend "add the extension with a method such as `median`";
    AggregateUnknown "P061" "unknown aggregate method"
        why "how observations become a score is not known"
        example Prose "cqfm-aggregateMethod: mode"
        mend "write one of the methods that the message names";
    AggregateNoPlace "P062" "an aggregate method where nothing is aggregated"
        why "it has no effect"
        example Prose "cqfm-aggregateMethod on a numerator"
        mend "remove the extension";
    ReferenceStale "P063" "a criteria reference that is out of date was resolved"
        why "it names no id of the group, but what is meant is plain"
        example Prose "criteriaReference: an id from an earlier version"
        mend "write the id of the population that is observed";
    ReferenceUnknown "P064" "a criteria reference points nowhere"
        why "what is observed is not known"
        example Prose "criteriaReference: denominater"
        mend "write the id of a population of the group";
    ReferenceMissing "P065" "a criteria reference is missing"
        why "what is observed is not known"
        example Prose "a ratio's observation without criteriaReference"
        mend "add the extension with the id of the population";
    ReferenceWrong "P066" "a criteria reference points to the wrong population"
        why "the scoring observes another one"
        example Prose "an observation over the initial population of a ratio"
        mend "point to one of the populations that the message names";
    Stratifier "P070" "a stratifier cannot be understood"
        why "what the result is divided by is not said"
        example Prose "a stratifier with both `criteria` and `component`"
        mend "give it `criteria`, or components each with `criteria`";
    StratifierAppliesTo "P071" "a stratifier applies to an unknown population"
        why "the division would have no effect"
        example Prose "cqfm-appliesTo: numerater"
        mend "correct the population, or remove the extension";
    SupplementalLeftOut "P072" "supplemental data were left out"
        why "the report lacks them; the counts do not depend on them"
        example Prose "supplemental data without criteria, or over a value set that is missing"
        mend "correct its criteria, or add the value set";
    SupplementalUsage "P073" "unknown usage of supplemental data"
        why "whether it is data or a risk adjustment factor is not known"
        example Prose "usage: suplemental-data"
        mend "write one of the codes that the message names";
    StratifierLeftOut "P074" "a stratifier was left out"
        why "the report is not divided by it; the counts do not depend on it"
        example Prose "a stratifier with criteria that cannot be read, or over a value set that is missing"
        mend "correct it, or add the value set; see the findings about it";
    LibraryNoElm "P080" "a library has no ELM in JSON"
        why "the logic cannot be run from CQL or from ELM in XML"
        example Prose "a Library with content text/cql only"
        mend "translate the CQL and add the content `application/elm+json`";
    LibraryNotBase64 "P081" "the content of a library is not base64"
        why "the ELM cannot be read"
        example Prose "content.data with the plain text of the ELM"
        mend "encode the ELM as base64";
    LibraryNotElm "P082" "the content of a library is not ELM"
        why "there is no logic in it that can be run"
        example Prose "content.data with CQL under the type application/elm+json"
        mend "translate the CQL to ELM in JSON";
    LibraryNames "P083" "a library resource and its ELM are named differently"
        why "one of the two may be the wrong file"
        example Prose "Library `Common` with the ELM of `FHIRHelpers`"
        mend "put the right ELM in, or correct the name";
    LibraryTwice "P084" "the same library twice: an error if the content differs"
        why "two contents of one version would give two numbers"
        example Prose "two files with Common|1.0"
        mend "keep one, or give an edited library a version of its own";
    FileVersion "P085" "a file is named after another version"
        why "worth knowing: the version in the content counts"
        example Prose "Common-1.0.json with version 2.0"
        mend "rename the file, if it is the right one";
    TranslatorError "P086" "the translator left errors in the ELM"
        why "the ELM is not what the CQL says"
        example Prose "an annotation CqlToElmError with errorSeverity error"
        mend "correct the CQL and translate it again";
    LibraryModel "P087" "the library is written for another data model"
        why "the data are FHIR"
        example Prose "using QDM"
        mend "use the FHIR (QI-Core) edition of the measure";
    LibraryVersion "P088" "measure and library have different versions"
        why "worth knowing: often they are released together"
        example Prose "Measure 1.2 with Library 1.1"
        mend "nothing, if that is meant";
    NoSuchMeasure "P090" "no measure of this name"
        why "there is nothing to run"
        example Prose "--measure CMS122FHR"
        mend "write the id, name, title or url of a measure of the package, or its beginning: CMS122";
    SeveralMeasures "P091" "several measures of this name"
        why "which is meant is not said"
        example Prose "--measure CMS122, in two versions, or --measure Diabetes where two begin so"
        mend "write it with its version or url, or more of it";
    MeasureRefused "P092" "the measure asked for was refused"
        why "something is wrong with it"
        example Prose "--measure of one without populations"
        mend "see the findings about it";
    BetterOption "P093" "`--better` is not understood"
        why "which way is better decides gaps and comparisons"
        example Prose "--better CMS122FHIR=up"
        mend "write `--better MEASURE=lower` or `=higher`";
    OtherPeriod "P094" "a measure is run for another period than it is made for"
        why "its codes and criteria are of another year, or count over another length of time: the numbers are not those of that year's measure"
        example Prose "effectivePeriod 2026, run with --period 2020-01-01..2020-12-31, or with --period 2026-01-01..2026-01-31"
        mend "run the package of that year, for a whole year, or know that it is another measure";

    // FHIRPath of ViewDefinitions.

    PathSyntax "F001" "the text is not FHIRPath"
        why "it cannot be read"
        example Path "name.where(use = \"official\")"
        mend "write texts in single quotes; close brackets and quotes";
    PathTooDeep "F002" "a path is nested too deep"
        why "the depth is bounded so that no path can exhaust the stack"
        example Prose "((((a)))) with hundreds of brackets"
        mend "write it flatter";
    PathUnsupported "F003" "a function, operator or form that is not supported"
        why "views use the part of FHIRPath that SQL on FHIR asks for"
        example Path "name.repeat(given)"
        mend "use one of those that the message names";
    PathArguments "F004" "a function called with too many, too few or other arguments"
        why "the call has no meaning"
        example Path "name.first(1)"
        mend "give it the arguments that it takes";
    PathType "F005" "a value of a type that does not fit here"
        why "the comparison or calculation would have no meaning"
        example Path "name > 1"
        mend "compare one of its elements, or say the type with `.ofType(…)`";
    PathUnknownElement "F006" "an element that the type does not have"
        why "the path is empty for every resource"
        example Path "Patient.birthdate"
        mend "take the name from the FHIR R4 definition of the type";
    PathChoice "F007" "an element that can be of several types is not used as FHIRPath has it"
        why "FHIRPath names the element without the type: `value`, not `valueQuantity`"
        example Path "multipleBirthInteger"
        mend "write `value.ofType(Quantity).unit`";
    PathUnknownType "F008" "a type that FHIR R4 does not have"
        why "nothing is ever of it"
        example Path "deceased.ofType(boolen)"
        mend "write a type of FHIR R4";
    PathConstant "F009" "a constant that is not defined"
        why "its value is not known"
        example Path "%offical"
        mend "define it under `constant`, or correct the name";

    // ViewDefinitions.

    ViewNotJson "V001" "the text is not JSON, or no ViewDefinition"
        why "it cannot be read as a view"
        example View "{\"resourceType\": \"Patient\"}"
        mend "give a ViewDefinition in JSON";
    ViewUnknownProperty "V002" "a property that a ViewDefinition does not have here"
        why "a property with a typing mistake would be ignored"
        example View "{\"select\": [{\"collumn\": []}]}"
        mend "correct the name, or remove it";
    ViewMissing "V003" "a property that the view needs is missing"
        why "the view cannot be run without it"
        example View "{\"resource\": null}"
        mend "add the property";
    ViewWrongType "V004" "a value of another JSON type than the property has"
        why "it cannot be read"
        example View "{\"select\": [{\"column\": [{\"name\": \"id\", \"path\": \"id\", \"collection\": \"yes\"}]}]}"
        mend "write it as the message says";
    ViewName "V005" "a name that SQL cannot use"
        why "the name is that of a table or column"
        example View "{\"select\": [{\"column\": [{\"name\": \"birth date\", \"path\": \"birthDate\"}]}]}"
        mend "letters, digits and `_`, a letter first";
    ViewDuplicate "V006" "the same name or path twice"
        why "which is meant cannot be known"
        example View "{\"select\": [{\"column\": [{\"name\": \"id\", \"path\": \"id\"}, {\"name\": \"id\", \"path\": \"gender\"}]}]}"
        mend "rename or remove one of them";
    ViewResource "V007" "no FHIR R4 resource has this type"
        why "the view would never have a row"
        example View "{\"resource\": \"Patents\"}"
        mend "correct the name of the resource type";
    ViewConstant "V008" "a constant without a value, or with one that does not fit its type"
        why "paths that use it could not be run"
        example View "{\"constant\": [{\"name\": \"max\", \"valueInteger\": \"ten\"}]}"
        mend "give it exactly one value of a FHIR primitive type";
    ViewCondition "V009" "a condition that does not give a boolean"
        why "whether a row belongs to the view is not said"
        example View "{\"where\": [{\"path\": \"name\"}]}"
        mend "write `….exists()` or a comparison";
    ViewColumnType "V010" "a column of a type that a column cannot have"
        why "a column holds FHIR primitives"
        example View "{\"select\": [{\"column\": [{\"name\": \"family\", \"path\": \"name\"}]}]}"
        mend "take an element of it, or correct `type`";
    ViewCollection "V011" "a column may get several values"
        why "it is an error when a resource has more than one"
        example View "{\"select\": [{\"column\": [{\"name\": \"family\", \"path\": \"name.family\"}]}]}"
        mend "add `.first()`, or `\"collection\": true`, or iterate with `forEach`";
    ViewUnion "V012" "the branches of `unionAll` do not have the same columns"
        why "their rows could not stand in one table"
        example View "{\"select\": [{\"unionAll\": [{\"column\": [{\"name\": \"a\", \"path\": \"id\"}]}, {\"column\": [{\"name\": \"b\", \"path\": \"id\"}]}]}]}"
        mend "give every branch the same columns in the same order";
    ViewTooLarge "V013" "a view with too many columns, or nested too deep"
        why "the size is bounded so that no view can exhaust memory"
        example Prose "`select` within `select`, hundreds deep"
        mend "split it into several views";
    ViewForEach "V014" "an iteration that cannot be run"
        why "the rows of the view come from what is iterated over"
        example View "{\"select\": [{\"forEach\": \"name\", \"forEachOrNull\": \"name\", \"column\": [{\"name\": \"family\", \"path\": \"family\"}]}]}"
        mend "keep one of them, over one path";
}
