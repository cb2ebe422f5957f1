//! From products to ingredients.
//!
//! | term type | way |
//! |---|---|
//! | SCDC | has_ingredient → IN; has_precise_ingredient → PIN, and its form_of → IN |
//! | SCD | consists_of → every SCDC; else quantified_form_of → SCD; else has_ingredients → MIN |
//! | SBD | tradename_of → SCD; else quantified_form_of → SBD; else consists_of → SCDC |
//! | SBDC | tradename_of → SCDC |
//! | GPCK, BPCK | contains → every SCD and SBD; else tradename_of → GPCK |
//! | MIN | has_part → IN; else the SCDs that have it, if they agree |
//! | SCDF | has_ingredient → IN; else its SCDs, if they agree |
//! | BN | the SBDs of the brand, if they agree |
//!
//! A product of which one part cannot be resolved is left out and named: half of its ingredients would
//! look like all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use engine_patient::terminology::DrugDictionaryBuilder;

use super::concepts::{Concepts, Tty};
use super::error::RxNormError;
use super::ledger::{RxNormLedger, UnresolvedProduct};
use super::relations::{Rela, Relations};

/// Longest way there is, with room: BPCK → GPCK → SBD → SBD → SCD → SCD → SCDC.
const DEEPEST: usize = 12;

const CIRCLE: &str = "its relations go round in a circle";

fn through(code: u32, reason: String) -> String {
    if reason == CIRCLE {
        return reason;
    }
    format!("through {code}: {reason}")
}

/// Ingredients and precise ingredients of a product.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Parts {
    ingredients: BTreeSet<u32>,
    precise: BTreeSet<u32>,
}

type Resolved = Result<Rc<Parts>, String>;

struct Resolver<'a> {
    concepts: &'a Concepts,
    relations: &'a Relations,
    done: BTreeMap<u32, Resolved>,
}

/// Fills a dictionary with all that can be resolved.
pub(super) fn resolve(
    concepts: &Concepts,
    relations: &Relations,
    ledger: &mut RxNormLedger,
) -> Result<DrugDictionaryBuilder, RxNormError> {
    let mut builder = DrugDictionaryBuilder::new();
    let build =
        |error: engine_patient::terminology::DrugError| RxNormError::Build(error.to_string());
    for (code, concept) in concepts.iter().filter(|(_, one)| one.tty == Tty::IN) {
        let code = code.to_string();
        builder.ingredient(&code, &concept.name).map_err(build)?;
    }
    for (code, concept) in concepts.iter().filter(|(_, one)| one.tty == Tty::PIN) {
        let parent = base(concepts, relations, *code).map(|parent| parent.to_string());
        let code = code.to_string();
        builder
            .precise_ingredient(&code, &concept.name, parent.as_deref())
            .map_err(build)?;
    }
    let mut resolver = Resolver {
        concepts,
        relations,
        done: BTreeMap::new(),
    };
    for (code, concept) in concepts {
        if matches!(concept.tty, Tty::IN | Tty::PIN) {
            continue;
        }
        let tty = concept.tty.name();
        match resolver.parts(*code, 0) {
            Ok(parts) => {
                let texts = |codes: &BTreeSet<u32>| -> Vec<String> {
                    codes.iter().map(u32::to_string).collect()
                };
                let (ingredients, precise) = (texts(&parts.ingredients), texts(&parts.precise));
                let name = &concept.name;
                let (ingredients, precise) = (
                    ingredients.iter().map(String::as_str),
                    precise.iter().map(String::as_str),
                );
                builder
                    .product(&code.to_string(), tty, name, ingredients, precise)
                    .map_err(build)?;
                *ledger.products.entry(tty.to_owned()).or_default() += 1;
            }
            Err(reason) => ledger.unresolved.push(UnresolvedProduct {
                rxcui: *code,
                tty: tty.to_owned(),
                name: concept.name.clone(),
                reason,
            }),
        }
    }
    Ok(builder)
}

/// The ingredient of a precise ingredient.
fn base(concepts: &Concepts, relations: &Relations, pin: u32) -> Option<u32> {
    let forms = relations.objects(pin, Rela::FormOf).iter();
    let is_ingredient = |code: &&u32| concepts.get(code).is_some_and(|one| one.tty == Tty::IN);
    forms.filter(is_ingredient).min().copied()
}

impl Resolver<'_> {
    fn parts(&mut self, code: u32, depth: usize) -> Resolved {
        if let Some(done) = self.done.get(&code) {
            return done.clone();
        }
        let Some(concept) = self.concepts.get(&code) else {
            return Err(format!("{code} is not an active concept"));
        };
        if depth > DEEPEST {
            return Err("the way to its ingredients is too long".to_owned());
        }
        // Whoever comes back here while it is open has gone round in a circle.
        self.done.insert(code, Err(CIRCLE.to_owned()));
        let depth = depth + 1;
        let result = match concept.tty {
            Tty::IN | Tty::PIN => self.substance(code),
            Tty::SCDC => self.component(code),
            Tty::SCD => self.first_way(
                code,
                depth,
                &[
                    (Rela::ConsistsOf, &[Tty::SCDC]),
                    (Rela::QuantifiedFormOf, &[Tty::SCD]),
                    (Rela::HasIngredients, &[Tty::MIN]),
                ],
            ),
            Tty::SBD => self.first_way(
                code,
                depth,
                &[
                    (Rela::TradenameOf, &[Tty::SCD]),
                    (Rela::QuantifiedFormOf, &[Tty::SBD]),
                    (Rela::ConsistsOf, &[Tty::SCDC]),
                ],
            ),
            Tty::SBDC => self.first_way(code, depth, &[(Rela::TradenameOf, &[Tty::SCDC])]),
            Tty::GPCK | Tty::BPCK => self.first_way(
                code,
                depth,
                &[
                    (Rela::Contains, &[Tty::SCD, Tty::SBD]),
                    (Rela::TradenameOf, &[Tty::GPCK]),
                ],
            ),
            Tty::MIN => self
                .first_way(code, depth, &[(Rela::HasPart, &[Tty::IN])])
                .or_else(|_| self.agreed(code, depth, Rela::HasIngredients, Tty::SCD)),
            Tty::SCDF => self
                .first_way(code, depth, &[(Rela::HasIngredient, &[Tty::IN])])
                .or_else(|_| self.agreed(code, depth, Rela::Isa, Tty::SCD)),
            Tty::BN => self.agreed(code, depth, Rela::HasIngredient, Tty::SBD),
        };
        self.done.insert(code, result.clone());
        result
    }

    fn of_type(&self, codes: &[u32], types: &[Tty]) -> BTreeSet<u32> {
        let fits = |code: &&u32| {
            self.concepts
                .get(code)
                .is_some_and(|one| types.contains(&one.tty))
        };
        codes.iter().filter(fits).copied().collect()
    }

    fn substance(&self, code: u32) -> Resolved {
        let mut parts = Parts::default();
        match self.concepts.get(&code).map(|one| one.tty) {
            Some(Tty::PIN) => {
                parts.precise.insert(code);
                let Some(parent) = base(self.concepts, self.relations, code) else {
                    return Err(format!("precise ingredient {code} has no ingredient"));
                };
                parts.ingredients.insert(parent);
            }
            _ => {
                parts.ingredients.insert(code);
            }
        }
        Ok(Rc::new(parts))
    }

    fn component(&self, code: u32) -> Resolved {
        let of = |rela, tty| self.of_type(self.relations.objects(code, rela), &[tty]);
        let mut parts = Parts {
            ingredients: of(Rela::HasIngredient, Tty::IN),
            precise: of(Rela::HasPreciseIngredient, Tty::PIN),
        };
        let bases = parts.precise.iter();
        let bases = bases.filter_map(|pin| base(self.concepts, self.relations, *pin));
        parts.ingredients.extend(bases);
        if parts.ingredients.is_empty() {
            return Err(format!("component {code} has no ingredient"));
        }
        Ok(Rc::new(parts))
    }

    /// The union over all targets of the first way that has any.
    fn first_way(&mut self, code: u32, depth: usize, ways: &[(Rela, &[Tty])]) -> Resolved {
        for (rela, types) in ways {
            let targets = self.of_type(self.relations.objects(code, *rela), types);
            if targets.is_empty() {
                continue;
            }
            let mut all = Parts::default();
            for target in targets {
                let parts = self
                    .parts(target, depth)
                    .map_err(|reason| through(target, reason))?;
                all.ingredients.extend(&parts.ingredients);
                all.precise.extend(&parts.precise);
            }
            return Ok(Rc::new(all));
        }
        Err("no relation leads to an ingredient".to_owned())
    }

    /// What all products that point to `code` have in common, if that is everything.
    fn agreed(&mut self, code: u32, depth: usize, rela: Rela, tty: Tty) -> Resolved {
        let products = self.of_type(self.relations.subjects(code, rela), &[tty]);
        let mut common: Option<Parts> = None;
        for product in products {
            let parts = self
                .parts(product, depth)
                .map_err(|reason| through(product, reason))?;
            match &mut common {
                None => common = Some((*parts).clone()),
                Some(known) if known.ingredients != parts.ingredients => {
                    return Err(format!("its {} have different ingredients", tty.name()));
                }
                Some(known) => known.precise.retain(|pin| parts.precise.contains(pin)),
            }
        }
        common
            .map(Rc::new)
            .ok_or_else(|| format!("no {} leads to an ingredient", tty.name()))
    }
}
