//! Which drug a medication is.

use std::sync::Arc;

use engine_patient::fhir::names::Name;
use engine_patient::medication::{self, Drug};
use engine_patient::record::Element;
use engine_patient::terminology::{DrugSet, Substances};

use super::call::Call;
use super::filters::filters;
use super::row::Param as P;
use super::row::Returns as R;
use super::row::Role;
use super::row::{FunctionInfo, PLAIN};
use crate::value::Val;

pub(super) const ROWS: &[FunctionInfo] = &[
    FunctionInfo {
        name: "drugName",
        params: &[P::Drug],
        returns: R::Text,
        code: drug_name,
        doc: "What a medication is called: the RxNorm name of its code, else as the data has it. Unknown \
         where nothing names it.",
        example: "medications().exists(m, drugName(m).contains(\"warfarin\"))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "hasDrugCode",
        params: &[P::Drug],
        returns: R::Bool,
        code: has_drug_code,
        doc: "Whether it is known which drug a medication is, so that questions about it have an answer: by a \
         code that the drug dictionary knows (RxNorm, NDC, or those of a table given with `--drugs`), or, where it \
         knows none, by displays and a text that are names as RxNorm writes them, with all ingredients and their \
         strengths (`Amoxicillin 250 MG Oral Capsule`). Not by the code of a class: which of its drugs it is, is not \
         known. Never unknown.",
        example: "medications().all(m, hasDrugCode(m))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "inDrugClass",
        params: &[P::DrugOrMany, P::DrugClass],
        returns: R::Filtered,
        code: is_drug,
        role: Role::Filter,
        doc: "Of a list those, of one medication whether it is one, that have an ingredient in the drug \
         class of this id. Unknown where it is not known which drug it is: see `hasDrugCode`.",
        example: "medications().exists(m, inDrugClass(m, \"maoi\"))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "ingredients",
        params: &[P::Drug],
        returns: R::Texts,
        code: ingredients,
        doc: "The RxNorm names of the ingredients of a medication. Unknown where it is not known which drug it \
         is: see `hasDrugCode`.",
        example: "medications().exists(m, \"warfarin\" in ingredients(m))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "isDrug",
        params: &[P::DrugOrMany, P::Drugs],
        returns: R::Filtered,
        code: is_drug,
        role: Role::Filter,
        doc: "Of a list those, of one medication whether it is one, that have this ingredient: by its \
         RxNorm name or RxCUI, `class:` and the id of a class, several with `|` between, or a `drugs` \
         column of the table. Products, brands and packs are what is in them; what is coded by a class is one where \
         all its drugs are. Otherwise unknown where it is not known which drug it is: see `hasDrugCode`.",
        example: "medications().exists(m, isDrug(m, \"warfarin\"))",
        gives: "true",
        ..PLAIN
    },
    FunctionInfo {
        name: "isLocal",
        params: &[P::Drug],
        returns: R::Bool,
        code: is_local,
        doc: "Whether a medication acts only where it is put: its products are creams, gels, shampoos, patches \
         for a place on the skin, eye or ear drops, by the dose form in their RxNorm names. False for \
         transdermal systems, for what goes into nose, mouth, rectum or vagina, for what acts on the whole \
         body also from the skin or the eye (as nitroglycerin, estradiol, timolol), and for one that is \
         coded by its ingredient alone or told by its name. Unknown where nothing of its drug is known.",
        example: "medications().exists(m, isLocal(m))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "sameDrug",
        params: &[P::DrugOrAllergy, P::DrugOrAllergy],
        returns: R::Bool,
        code: same_drug,
        doc: "Whether two medications, or what an AllergyIntolerance is to and a medication, have an \
         ingredient in common. Unknown where they have none that is known and of one it is not known in full \
         which drug it is: see `hasDrugCode`, and `isAllergen` for allergies.",
        example: "selections(\"MedicationRequest\").exists(o, medications().exists(m, sameDrug(o, m)))",
        gives: "false",
        ..PLAIN
    },
    FunctionInfo {
        name: "sharedClass",
        params: &[P::DrugOrAllergy, P::DrugOrAllergy],
        returns: R::Bool,
        code: shared_class,
        doc: "Whether two medications have ingredients of one drug class. Unknown as `sameDrug`.",
        example: "selections(\"MedicationRequest\").exists(o, medications().exists(m, sharedClass(o, m)))",
        gives: "false",
        ..PLAIN
    },
];

/// Whether one of the substances of a drug is in a set.
pub(crate) fn held<'r>(resource: Element<'_>, drug: &Drug, set: &DrugSet) -> Val<'r> {
    let holds = match drug.surely(|substances| set.holds(substances) == Some(true)) {
        true => Some(true),
        false => set.holds(&drug.substances),
    };
    match (holds, &drug.missing) {
        (Some(true), _) => Val::Bool(true),
        (Some(false), None) => Val::Bool(false),
        (_, Some(reason)) => Val::Unknown(reason.clone()),
        (None, None) => {
            let ty = resource.resource_type().map_or("resource", Name::as_str);
            Val::Unknown(format!("a {ty} names an ingredient, not which salt of it").into())
        }
    }
}

fn is_drug<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [_, Val::Drugs(set)] = call.args else {
        return call.other_kind();
    };
    filters(call, |value| match value {
        Val::Element(resource) => held(*resource, &call.scene.drug(*resource), set),
        _ => call.other_kind(),
    })
}

fn drug_name<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(resource)] = call.args else {
        return call.other_kind();
    };
    let records = call.scene.records();
    let dictionary = call.scene.drugs.dictionary();
    let ty = resource.resource_type().map_or("resource", Name::as_str);
    match medication::name(*resource, &records, dictionary) {
        Some(name) => Val::Str(name.into_owned().into()),
        None => Val::Unknown(format!("nothing names the drug of a {ty}").into()),
    }
}

fn is_local<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(resource)] = call.args else {
        return call.other_kind();
    };
    let records = call.scene.records();
    match medication::is_local(*resource, &records, call.scene.drugs.dictionary()) {
        Ok(local) => Val::Bool(local),
        Err(reason) => Val::Unknown(reason),
    }
}

fn has_drug_code<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    match call.args {
        [Val::Element(resource)] => Val::Bool(call.scene.drug(*resource).missing.is_none()),
        _ => call.other_kind(),
    }
}

fn ingredients<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    let [Val::Element(resource)] = call.args else {
        return call.other_kind();
    };
    let drug = call.scene.drug(*resource);
    if let Some(reason) = &drug.missing {
        return Val::Unknown(reason.clone());
    }
    let names = drug.substances.names(call.scene.drugs.dictionary());
    let names = names
        .into_iter()
        .map(|name| Val::Str(name.to_owned().into()));
    Val::List(names.collect())
}

fn same_drug<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    both(call, Substances::share_ingredient)
}

fn shared_class<'r>(call: &Call<'_, 'r>) -> Val<'r> {
    both(call, |a, b| {
        let dictionary = call.scene.drugs.dictionary();
        a.share_class(b, dictionary)
    })
}

/// The drug of a medication, or the one that an allergy is to.
fn of(call: &Call<'_, '_>, resource: Element<'_>) -> Arc<Drug> {
    match resource.resource_type().map(Name::as_str) {
        Some("AllergyIntolerance") => call.scene.allergen(resource),
        _ => call.scene.drug(resource),
    }
}

/// What holds of what is known of two drugs.
fn both<'r>(call: &Call<'_, 'r>, holds: impl Fn(&Substances, &Substances) -> bool) -> Val<'r> {
    let [Val::Element(a), Val::Element(b)] = call.args else {
        return call.other_kind();
    };
    let (a, b): (Arc<Drug>, Arc<Drug>) = (of(call, *a), of(call, *b));
    let told = a.surely(|a| b.surely(|b| holds(a, b)));
    match (told, a.missing.as_ref().or(b.missing.as_ref())) {
        (true, _) => Val::Bool(true),
        (false, None) => Val::Bool(false),
        (false, Some(reason)) => Val::Unknown(reason.clone()),
    }
}
