//! A measure whose expressions are linked: what is evaluated for its populations, stratifiers and
//! supplemental data.

use engine_elm::{CompiledLibraries, Expression, FunctionHandle, Linker};
use engine_patient::program::PopulationCode;

use crate::package::{Basis, MeasureDefinition, PopulationDefinition, SupplementalDefinition};
use crate::score::Gating;

/// What a population is computed by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Criterion(Expression),
    Observation(FunctionHandle),
}

#[derive(Debug)]
pub(crate) struct CompiledGroup {
    pub(crate) gating: Gating,
    pub(crate) basis: Basis,
    /// As the group's populations.
    pub(crate) targets: Vec<Target>,
    pub(crate) stratifiers: Vec<CompiledStratifier>,
}

#[derive(Debug)]
pub(crate) struct CompiledStratifier {
    pub(crate) criterion: Option<Expression>,
    pub(crate) components: Vec<Expression>,
}

#[derive(Debug)]
pub(crate) struct CompiledMeasure {
    pub(crate) groups: Vec<CompiledGroup>,
    pub(crate) supplemental: Vec<Expression>,
    pub(crate) definitions: Vec<SupplementalDefinition>,
}

impl CompiledMeasure {
    /// All retrieves that it may make, as places in the libraries; with repetitions.
    pub(super) fn retrieves<'u>(
        &'u self,
        libraries: &'u CompiledLibraries,
    ) -> impl Iterator<Item = u32> + 'u {
        let of_groups = self.groups.iter().flat_map(move |group| {
            let targets = group.targets.iter().flat_map(move |target| {
                let (criterion, function) = match target {
                    Target::Criterion(e) => (Some(libraries.retrieves_of(*e)), None),
                    Target::Observation(f) => (None, Some(libraries.retrieves_of_function(*f))),
                };
                criterion
                    .into_iter()
                    .flatten()
                    .chain(function.into_iter().flatten())
            });
            let strata = group.stratifiers.iter().flat_map(move |s| {
                s.criterion
                    .iter()
                    .chain(&s.components)
                    .flat_map(move |e| libraries.retrieves_of(*e))
            });
            targets.chain(strata)
        });
        let supplemental = self.supplemental.iter();
        of_groups.chain(supplemental.flat_map(move |e| libraries.retrieves_of(*e)))
    }

    /// Of all groups.
    pub(super) fn initial_populations(&self) -> impl Iterator<Item = Expression> + '_ {
        self.groups.iter().flat_map(|group| {
            let named = group.gating.populations().zip(&group.targets);
            named.filter_map(|(code, target)| match (code, target) {
                (PopulationCode::InitialPopulation, Target::Criterion(e)) => Some(*e),
                _ => None,
            })
        })
    }
}

/// The expressions of a measure. `None`, with findings in the linker, where one is missing.
pub(super) fn compile(
    linker: &mut Linker<'_>,
    measure: &MeasureDefinition,
) -> Option<CompiledMeasure> {
    let main = measure.main_library.as_ref()?;
    let library = linker.library(&main.name, main.version.as_deref())?;
    let mut complete = true;
    let mut groups = vec![];
    for group in &measure.groups {
        let mut targets = vec![];
        for population in &group.populations {
            let target = target(linker, library, population, &group.basis);
            complete &= target.is_some();
            targets.extend(target);
        }
        let mut stratifiers = vec![];
        for stratifier in &group.stratifiers {
            let mut of = |name: &str| {
                let found = linker.expression(library, name);
                complete &= found.is_some();
                found
            };
            let components: Vec<Expression> = stratifier
                .components
                .iter()
                .filter_map(|c| of(&c.expression))
                .collect();
            let criterion = stratifier.expression.as_deref().and_then(of);
            stratifiers.push(CompiledStratifier {
                criterion,
                components,
            });
        }
        groups.push(CompiledGroup {
            gating: Gating::new(group),
            basis: group.basis.clone(),
            targets,
            stratifiers,
        });
    }
    let mut supplemental = vec![];
    for definition in &measure.supplemental_data {
        let found = linker.expression(library, &definition.expression);
        complete &= found.is_some();
        supplemental.extend(found);
    }
    complete.then_some(CompiledMeasure {
        groups,
        supplemental,
        definitions: measure.supplemental_data.clone(),
    })
}

fn target(
    linker: &mut Linker<'_>,
    library: u32,
    population: &PopulationDefinition,
    basis: &Basis,
) -> Option<Target> {
    if population.code != PopulationCode::MeasureObservation {
        return linker
            .expression(library, &population.expression)
            .map(Target::Criterion);
    }
    let operands = usize::from(*basis != Basis::Boolean);
    let function: Option<FunctionHandle> =
        linker.function(library, &population.expression, operands);
    function.map(Target::Observation)
}
