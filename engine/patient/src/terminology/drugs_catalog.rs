//! How the drugs of a dictionary are kept: tens of thousands of them, of which a run asks for few. All
//! texts stand in one, all links in one list, so that reading a dictionary takes milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

/// What a code in the dictionary stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DrugKind {
    /// Ingredient (RxNorm `IN`).
    Ingredient,
    /// Precise ingredient such as a salt (`PIN`).
    PreciseIngredient,
    /// Anything made of ingredients: `SCD`, `SBD`, `GPCK`, `BPCK`, `SCDC`, `SCDF`, `MIN`, …
    Product,
}

/// An ingredient of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ingredient<'d> {
    /// RxCUI.
    pub rxcui: &'d str,
    /// RxNorm name.
    pub name: &'d str,
}

/// The number that an RxCUI is; `None` for anything else. RxNorm gives up to eight digits, none of them
/// a zero in front.
pub(super) fn rxcui_number(text: &str) -> Option<u32> {
    let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !text.starts_with('0'))
        .then(|| text.parse().ok())
        .flatten()
}

/// A drug: where its code, its name and its links stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drug {
    pub number: u32,
    pub kind: DrugKind,
    tty: u16,
    /// Its code stands here, its name behind it.
    at: usize,
    code_length: usize,
    name_length: usize,
    /// Its ingredients stand here, its precise ingredients behind them.
    links: usize,
    ingredients: usize,
    precise: usize,
}

/// All drugs of a dictionary, and NDCs.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalog {
    text: String,
    drugs: Vec<Drug>,
    by_number: FxHashMap<u32, u32>,
    links: Vec<u32>,
    term_types: Vec<Box<str>>,
    pub ndc: BTreeMap<Arc<str>, u32>,
    /// Ingredients and precise ingredients by their names in small letters.
    by_name: OnceLock<FxHashMap<String, u32>>,
    /// Dose forms of products in small letters.
    dose_forms: OnceLock<BTreeSet<String>>,
    /// Brands in small letters, each with what its products are made of.
    brands: OnceLock<FxHashMap<String, BTreeSet<Vec<u32>>>>,
}

impl Catalog {
    pub fn get(&self, number: u32) -> Option<&Drug> {
        self.drugs.get(*self.by_number.get(&number)? as usize)
    }

    pub fn all(&self) -> impl Iterator<Item = &Drug> {
        self.drugs.iter()
    }

    pub fn code(&self, drug: &Drug) -> &str {
        let end = drug.at + drug.code_length;
        self.text.get(drug.at..end).unwrap_or_default()
    }

    pub fn name(&self, drug: &Drug) -> &str {
        let start = drug.at + drug.code_length;
        let end = start + drug.name_length;
        self.text.get(start..end).unwrap_or_default()
    }

    pub fn term_type(&self, drug: &Drug) -> &str {
        let known = self.term_types.get(usize::from(drug.tty));
        known.map_or("", |tty| tty)
    }

    /// The numbers of its ingredients, ascending.
    pub fn ingredients(&self, drug: &Drug) -> &[u32] {
        let end = drug.links + drug.ingredients;
        self.links.get(drug.links..end).unwrap_or_default()
    }

    /// The numbers of its precise ingredients, ascending.
    pub fn precise(&self, drug: &Drug) -> &[u32] {
        let start = drug.links + drug.ingredients;
        let end = start + drug.precise;
        self.links.get(start..end).unwrap_or_default()
    }

    pub fn named(&self, numbers: &[u32]) -> Vec<Ingredient<'_>> {
        let drugs = numbers.iter().filter_map(|number| self.get(*number));
        let named = drugs.map(|drug| Ingredient {
            rxcui: self.code(drug),
            name: self.name(drug),
        });
        named.collect()
    }

    /// Ingredients and precise ingredients by their names in small letters.
    pub fn by_name(&self) -> &FxHashMap<String, u32> {
        self.by_name.get_or_init(|| {
            let mut found = FxHashMap::default();
            // Of an ingredient and its salt of the same name the ingredient is meant.
            for kind in [DrugKind::PreciseIngredient, DrugKind::Ingredient] {
                for drug in self.drugs.iter().filter(|one| one.kind == kind) {
                    found.insert(self.name(drug).to_lowercase(), drug.number);
                }
            }
            found
        })
    }

    /// Dose forms of products in small letters.
    pub fn dose_forms(&self) -> &BTreeSet<String> {
        self.dose_forms.get_or_init(|| self.find_dose_forms())
    }

    /// Brands in small letters, each with what its products are made of.
    pub fn brands(&self) -> &FxHashMap<String, BTreeSet<Vec<u32>>> {
        self.brands.get_or_init(|| self.find_brands())
    }

    /// Adds what another has that is not here.
    pub fn add_missing(&mut self, other: &Catalog) {
        for drug in other.all() {
            if self.get(drug.number).is_none() {
                let links = [
                    other.ingredients(drug).to_vec(),
                    other.precise(drug).to_vec(),
                ];
                let (tty, name) = (other.term_type(drug), other.name(drug));
                self.add(drug.number, drug.kind, tty, name, links);
            }
        }
        for (ndc, number) in &other.ndc {
            self.ndc.entry(Arc::clone(ndc)).or_insert(*number);
        }
        self.by_name = OnceLock::new();
        self.dose_forms = OnceLock::new();
        self.brands = OnceLock::new();
    }

    /// Adds a drug of which the number is new and the links are known.
    pub fn add(
        &mut self,
        number: u32,
        kind: DrugKind,
        tty: &str,
        name: &str,
        [ingredients, precise]: [Vec<u32>; 2],
    ) {
        let (at, code) = (self.text.len(), number.to_string());
        self.text.push_str(&code);
        self.text.push_str(name);
        let known = self.term_types.iter().position(|one| &**one == tty);
        let tty = known.unwrap_or_else(|| {
            self.term_types.push(tty.into());
            self.term_types.len() - 1
        });
        let links = self.links.len();
        let mut link = |mut numbers: Vec<u32>| {
            numbers.sort_unstable();
            numbers.dedup();
            self.links.extend(&numbers);
            numbers.len()
        };
        let (ingredients, precise) = (link(ingredients), link(precise));
        let index = u32::try_from(self.drugs.len()).unwrap_or(u32::MAX);
        self.by_number.insert(number, index);
        self.drugs.push(Drug {
            number,
            kind,
            tty: u16::try_from(tty).unwrap_or(u16::MAX),
            at,
            code_length: code.len(),
            name_length: name.len(),
            links,
            ingredients,
            precise,
        });
    }
}
