//! Which codes of a lake the value sets in use know, and which they do not. A set knows a code where it is
//! asked: one of conditions says nothing of a procedure.
//!
//! Counts are of all that the lake has, whatever its status or date: what a rule makes of it is another
//! question. Codes within a resource (components) are not in the lake's index, so they are not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::prelude::SessionContext;
use engine_patient::fhir::model::Model;
use engine_patient::fhir::names::Name;
use engine_patient::finding::{Code, Finding};
use engine_patient::program::PatientProgram as _;
use engine_patient::requirements::DataRequirement;
use engine_patient::terminology::{
    Binding, DrugDictionary, TerminologyProvider, TerminologyStore, ValueSet, canonical_system,
};
use engine_population::lake::paths::{REFERENCE_KEY, coded_paths, path_id, type_id};
use engine_population::lake::reader::read_shared;
use engine_population::lake::{Lake, schema};
use engine_population::session::{register_stored, session};
use measures::official::Built;
use rules::Rule;
use serde_json::Value;

use crate::error::RunError;

/// Resource type and element, as in `Condition.code`.
type ElementName = (&'static str, &'static str);

/// A value set that rules or measures ask for.
#[derive(Debug, Clone)]
pub struct UsedSet {
    /// The codes, as they are asked.
    pub set: Arc<ValueSet>,
    /// Rules and measures, by their ids.
    pub by: BTreeSet<String>,
    /// The elements that are compared with it when resources are looked for.
    pub elements: BTreeSet<ElementName>,
    /// The elements that it may be compared with otherwise: those that its rules compare with some value set.
    pub compared: BTreeSet<ElementName>,
}

impl UsedSet {
    /// Whether it may be asked of an element: of any where it is not known which.
    pub fn may_be_asked_of(&self, element: ElementName) -> bool {
        let nowhere = self.elements.is_empty() && self.compared.is_empty();
        nowhere || self.elements.contains(&element) || self.compared.contains(&element)
    }
}

/// The value sets in use, by canonical.
#[derive(Debug, Default)]
pub struct InUse {
    sets: BTreeMap<String, UsedSet>,
    /// The drugs that need no value set, where they are not the built-in ones alone.
    pub drugs: Option<Arc<DrugDictionary>>,
    /// Types of resources that rules and measures read.
    types: BTreeSet<&'static str>,
}

/// What the lake has of one value set in one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCoverage {
    /// `url|version`.
    pub value_set: String,
    /// Its codes.
    pub codes: u64,
    /// The element, where one is asked or matches.
    pub element: Option<String>,
    /// Resources are looked for by this element.
    pub asked: bool,
    /// Resources with a code of it there; nothing where the lake's index does not tell.
    pub resources: Option<u64>,
    /// Their patients.
    pub patients: Option<u64>,
    /// Rules and measures that use it.
    pub by: Vec<String>,
}

/// A code of the lake that no value set in use knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// `Condition.code`.
    pub element: String,
    /// Code system; empty where the data has none.
    pub system: String,
    /// The code.
    pub code: String,
    /// Its text in the data.
    pub display: Option<String>,
    /// Resources with it in this element.
    pub resources: u64,
    /// Their patients; nothing for resources that belong to none.
    pub patients: Option<u64>,
}

/// What the value sets in use know of a lake.
#[derive(Debug, Default)]
pub struct Coverage {
    /// By value set, then element.
    pub sets: Vec<SetCoverage>,
    /// Most frequent first.
    pub unmapped: Vec<Unmapped>,
    /// Codes whose text stands in another resource, and so is counted there (`Medication.code`).
    pub references: u64,
}

impl InUse {
    /// Adds the value sets of rules.
    pub fn add_rules(&mut self, rules: &[Arc<Rule>]) {
        for rule in rules {
            let id = &rule.artifact.id;
            self.add_requirements(rule.data_requirements(), id);
            let compared = rule.coded_elements().iter();
            let compared: BTreeSet<ElementName> =
                compared.map(|(ty, path)| (ty.as_str(), *path)).collect();
            let requirements = rule.data_requirements().iter();
            let retrieved = requirements.filter_map(|r| Some(&r.codes.as_ref()?.value_set));
            let retrieved: BTreeSet<String> = retrieved.map(|set| set.canonical()).collect();
            for (_, set) in &rule.value_sets {
                let is_retrieved = retrieved.contains(&set.canonical());
                let used = self.add(set, id);
                if !is_retrieved {
                    used.compared.extend(&compared);
                }
            }
        }
    }

    /// Adds the value sets of measures of packages.
    pub fn add_packages(&mut self, built: &Built, store: &TerminologyStore) {
        for (canonical, asked) in &built.asked {
            if let Ok(set) = store.value_set(canonical) {
                asked.measures.iter().for_each(|label| {
                    self.add(&set, label);
                });
            }
        }
        if let Some(program) = &built.program {
            self.add_requirements(program.data_requirements(), "");
        }
    }

    fn add(&mut self, set: &Arc<ValueSet>, by: &str) -> &mut UsedSet {
        let used = self.sets.entry(set.canonical()).or_insert_with(|| UsedSet {
            set: Arc::clone(set),
            by: BTreeSet::new(),
            elements: BTreeSet::new(),
            compared: BTreeSet::new(),
        });
        if !by.is_empty() {
            used.by.insert(by.to_owned());
        }
        used
    }

    fn add_requirements(&mut self, requirements: &[DataRequirement], by: &str) {
        for requirement in requirements {
            self.types.insert(requirement.resource_type.as_str());
            if let Some(codes) = &requirement.codes {
                let element = (requirement.resource_type.as_str(), codes.path);
                self.add(&codes.value_set, by).elements.insert(element);
            }
        }
    }

    /// Whether rules or measures read resources of a type.
    pub fn reads(&self, ty: &str) -> bool {
        self.types.contains(ty)
    }

    /// All of them.
    pub fn sets(&self) -> impl Iterator<Item = &UsedSet> {
        self.sets.values()
    }

    /// Bindings of value sets that nothing in use asks for.
    pub fn unused(&self, bindings: &[Binding], store: &TerminologyStore) -> Vec<Finding> {
        let used: BTreeSet<&str> = self.sets().map(|one| &*one.set.url).collect();
        let unused = |binding: &&Binding| match store.by_name(&binding.value_set.name) {
            Ok(set) => !used.contains(&*set.url),
            // What is not here is another store's, or was told.
            Err(_) => false,
        };
        let told = |binding: &Binding| {
            let name = &binding.value_set.name;
            let message = format!("nothing in use asks for value set `{name}`, which is bound");
            Finding::warning(Code::BindingUnused, message)
                .help("bind the value set that the rule names, or remove the binding")
                .placed(binding.value_set.place.clone())
        };
        bindings.iter().filter(unused).map(told).collect()
    }

    /// What they know of a lake.
    ///
    /// # Errors
    /// Where the lake cannot be read.
    pub async fn coverage(&self, lake: &Lake, threads: usize) -> Result<Coverage, RunError> {
        let session = session(lake, threads)?;
        register_stored(&session, lake)?;
        session.register_batch("wanted", self.wanted()?)?;
        session.register_batch("known", self.known()?)?;
        let mut coverage = Coverage {
            sets: self.matched(&session).await?,
            ..Coverage::default()
        };
        let shared = of_medications(lake).await?;
        let mut unmapped = self.unknown(&session).await?;
        // The code of a Medication is that of the order that refers to it.
        let known = |one: &Unmapped| {
            self.sets()
                .any(|set| set.set.find(&one.system, &one.code).is_some())
        };
        unmapped.extend(shared.into_iter().filter(|one| !known(one)));
        let built_in = DrugDictionary::built_in_arc();
        let drugs = self.drugs.as_ref().unwrap_or(&built_in);
        unmapped.retain(|one| !is_known_drug(one, drugs));
        unmapped.sort_by(|a, b| {
            let name = |one: &Unmapped| (one.element.clone(), one.system.clone(), one.code.clone());
            b.resources
                .cmp(&a.resources)
                .then_with(|| name(a).cmp(&name(b)))
        });
        coverage.unmapped = unmapped;
        let sql =
            format!("SELECT count(*) FROM facts WHERE path <> 0 AND code_key = {REFERENCE_KEY}");
        for batch in session.sql(&sql).await?.collect().await? {
            let counted = (0..batch.num_rows()).map(|row| count(&batch, 0, row));
            coverage.references += counted.sum::<Result<u64, _>>()?;
        }
        Ok(coverage)
    }

    /// The codes of all sets, each with the number of its set.
    fn wanted(&self) -> Result<RecordBatch, RunError> {
        let (mut numbers, mut keys) = (vec![], vec![]);
        for (number, one) in self.sets().enumerate() {
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            keys.extend_from_slice(one.set.keys());
            numbers.resize(keys.len(), number);
        }
        let fields = vec![
            Field::new("number", DataType::Int32, false),
            Field::new("key", DataType::Int64, false),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(numbers)),
            Arc::new(Int64Array::from(keys)),
        ];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        batch.map_err(|e| RunError::Internal(e.to_string()))
    }

    /// The codes of all sets, each with the elements that it is asked of; without one where that may be any.
    fn known(&self) -> Result<RecordBatch, RunError> {
        let names = element_names();
        let (mut keys, mut types, mut paths) = (vec![], vec![], vec![]);
        for one in self.sets() {
            let nowhere = one.elements.is_empty() && one.compared.is_empty();
            let asked = names.iter().filter(|(_, name)| one.may_be_asked_of(**name));
            let asked = asked.map(|((ty, path), _)| (Some(*ty), Some(*path)));
            let asked: Vec<_> = match nowhere {
                true => vec![(None, None)],
                false => asked.collect(),
            };
            for (ty, path) in asked {
                keys.extend_from_slice(one.set.keys());
                types.resize(keys.len(), ty);
                paths.resize(keys.len(), path);
            }
        }
        let fields = vec![
            Field::new("key", DataType::Int64, false),
            Field::new("rtype", DataType::Int16, true),
            Field::new("path", DataType::Int16, true),
        ];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(keys)),
            Arc::new(Int16Array::from(types)),
            Arc::new(Int16Array::from(paths)),
        ];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns);
        batch.map_err(|e| RunError::Internal(e.to_string()))
    }

    async fn matched(&self, session: &SessionContext) -> Result<Vec<SetCoverage>, RunError> {
        let sql = format!(
            "SELECT w.number, f.rtype, f.path, {RESOURCES}, {PATIENTS} FROM facts f \
             JOIN wanted w ON f.code_key = w.key WHERE f.path <> 0 GROUP BY w.number, f.rtype, f.path"
        );
        let names = element_names();
        let mut found: BTreeMap<(usize, ElementName), (u64, u64)> = BTreeMap::new();
        for batch in session.sql(&sql).await?.collect().await? {
            let numbers: &Int32Array = typed(&batch, 0)?;
            for row in 0..batch.num_rows() {
                let number = usize::try_from(numbers.value(row)).unwrap_or(usize::MAX);
                let counts = (count(&batch, 3, row)?, count(&batch, 4, row)?);
                found.insert((number, element(&batch, (1, 2), row, &names)?), counts);
            }
        }
        let mut all = vec![];
        for (number, one) in self.sets().enumerate() {
            let matched = found
                .keys()
                .filter(|(of, _)| *of == number)
                .map(|(_, name)| *name);
            let elements: BTreeSet<ElementName> =
                matched.chain(one.elements.iter().copied()).collect();
            let row = |element: Option<ElementName>, counts: Option<(u64, u64)>| SetCoverage {
                value_set: one.set.canonical(),
                codes: one.set.len() as u64,
                element: element.map(|(ty, path)| format!("{ty}.{path}")),
                asked: element.is_some_and(|name| one.elements.contains(&name)),
                resources: counts.map(|(resources, _)| resources),
                patients: counts.map(|(_, patients)| patients),
                by: one.by.iter().cloned().collect(),
            };
            if elements.is_empty() {
                all.push(row(None, None));
            }
            for name in elements {
                // An element that the index does not have is not counted, which is not none.
                let indexed = names.values().any(|known| *known == name);
                let counts = found.get(&(number, name)).copied();
                all.push(row(Some(name), counts.or(indexed.then_some((0, 0)))));
            }
        }
        Ok(all)
    }

    /// Codes of primary elements, and of those that are asked by, of the types that rules and measures read,
    /// in none of the sets that are asked of the element.
    async fn unknown(&self, session: &SessionContext) -> Result<Vec<Unmapped>, RunError> {
        let asked: BTreeSet<ElementName> =
            self.sets().flat_map(|one| one.elements.clone()).collect();
        let sql = format!(
            "SELECT f.rtype, f.path, c.system, c.code, c.display, {RESOURCES}, {PATIENTS} FROM facts f \
             JOIN codes c ON c.code_key = f.code_key \
             LEFT ANTI JOIN known k ON f.code_key = k.key AND f.rtype = k.rtype AND f.path = k.path \
             LEFT ANTI JOIN known a ON f.code_key = a.key AND a.rtype IS NULL \
             WHERE f.path <> 0 AND f.code_key <> {REFERENCE_KEY} \
             GROUP BY f.rtype, f.path, c.system, c.code, c.display"
        );
        let names = element_names();
        let mut all = vec![];
        for batch in session.sql(&sql).await?.collect().await? {
            let (systems, codes): (&StringArray, &StringArray) =
                (typed(&batch, 2)?, typed(&batch, 3)?);
            let displays: &StringArray = typed(&batch, 4)?;
            for row in 0..batch.num_rows() {
                let name = element(&batch, (0, 1), row, &names)?;
                let info = Model::r4().resource(name.0);
                let primary = info.is_some_and(|info| info.primary_code_path == Some(name.1));
                if !self.reads(name.0) || !primary && !asked.contains(&name) {
                    continue;
                }
                all.push(Unmapped {
                    element: format!("{}.{}", name.0, name.1),
                    system: systems.value(row).to_owned(),
                    code: codes.value(row).to_owned(),
                    display: displays
                        .is_valid(row)
                        .then(|| displays.value(row).to_owned()),
                    resources: count(&batch, 5, row)?,
                    patients: Some(count(&batch, 6, row)?),
                });
            }
        }
        Ok(all)
    }
}

/// A resource has several codes, and a code several resources: each is counted once.
const RESOURCES: &str = "count(DISTINCT CAST(f.bucket AS BIGINT) * 4294967296 + f.rid)";
const PATIENTS: &str = "count(DISTINCT CAST(f.bucket AS BIGINT) * 4294967296 + f.pat)";

/// The elements that the index has, by their numbers.
fn element_names() -> BTreeMap<(i16, i16), ElementName> {
    let mut names = BTreeMap::new();
    for ty in Model::r4().types().filter(|ty| ty.is_resource) {
        let Some(name) = Name::of(ty.name) else {
            continue;
        };
        let paths = ty.primary_code_path.into_iter().chain(["category"]);
        for path in paths {
            if let Some(id) = path_id(name, path)
                && coded_paths(name).iter().any(|one| one.id == id)
            {
                names.insert((type_id(name), id), (ty.name, path));
            }
        }
    }
    names
}

fn element(
    batch: &RecordBatch,
    (ty, path): (usize, usize),
    row: usize,
    names: &BTreeMap<(i16, i16), ElementName>,
) -> Result<ElementName, RunError> {
    let (types, paths): (&Int16Array, &Int16Array) = (typed(batch, ty)?, typed(batch, path)?);
    let found = names.get(&(types.value(row), paths.value(row))).copied();
    found.ok_or_else(|| RunError::Internal("the lake has an element that is not known".into()))
}

fn typed<A: Array + 'static>(batch: &RecordBatch, column: usize) -> Result<&A, RunError> {
    let found = batch.columns().get(column);
    let found = found.and_then(|column| column.as_any().downcast_ref::<A>());
    found.ok_or_else(|| RunError::Internal("a query of the lake gave other columns".into()))
}

fn count(batch: &RecordBatch, column: usize, row: usize) -> Result<u64, RunError> {
    let counts: &Int64Array = typed(batch, column)?;
    Ok(u64::try_from(counts.value(row)).unwrap_or_default())
}

/// The codes of medications that belong to no patient: those that others refer to.
async fn of_medications(lake: &Lake) -> Result<Vec<Unmapped>, RunError> {
    let Some(medication) = Name::of("Medication") else {
        return Ok(vec![]);
    };
    let shared = read_shared(&lake.store, lake.files(schema::SHARED), &[medication]).await?;
    let mut all: BTreeMap<(String, String), (Option<String>, u64)> = BTreeMap::new();
    for text in shared.values() {
        let damaged = |_| RunError::Internal("a stored resource cannot be read".into());
        let resource: Value = serde_json::from_str(text).map_err(damaged)?;
        let codings = resource.get("code").and_then(|code| code.get("coding"));
        let mut seen = BTreeSet::new();
        for coding in codings.and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| coding.get(name).and_then(Value::as_str);
            let Some(code) = text("code") else { continue };
            let system = canonical_system(text("system").unwrap_or_default());
            let key = (system.to_owned(), code.to_owned());
            if seen.insert(key.clone()) {
                let (display, resources) = all.entry(key).or_default();
                *resources += 1;
                *display = display
                    .take()
                    .or_else(|| text("display").map(str::to_owned));
            }
        }
    }
    let all = all
        .into_iter()
        .map(|((system, code), (display, resources))| Unmapped {
            element: "Medication.code".to_owned(),
            system,
            code,
            display,
            resources,
            patients: None,
        });
    Ok(all.collect())
}

/// A drug that the dictionary knows needs no value set, nor does what an allergy is to.
fn is_known_drug(one: &Unmapped, drugs: &DrugDictionary) -> bool {
    let of_drugs = matches!(
        one.element.as_str(),
        "Medication.code" | "AllergyIntolerance.code"
    ) || one.element.ends_with(".medication");
    of_drugs
        && match one.system.as_str() {
            "http://www.nlm.nih.gov/research/umls/rxnorm" => drugs.kind(&one.code).is_some(),
            "http://hl7.org/fhir/sid/ndc" => drugs.rxcui_of_ndc(&one.code).is_some(),
            system => drugs.meaning(system, &one.code).is_some(),
        }
}
