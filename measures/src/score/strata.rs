//! Strata: in which of them a patient's members are.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine_patient::program::{PopulationIndex, ResultRow, RowKind};
use engine_patient::system::truth::Truth;

use super::{Gated, Label, Place, Raw, RawStrata};
use crate::package::PopulationCode as Code;

/// Members by stratum, or why it could not be told of some of them.
type Strata = (BTreeMap<Arc<str>, Stratum>, Option<Arc<str>>);

/// A stratum of a patient.
#[derive(Default)]
struct Stratum {
    /// Positions of its members, ascending.
    members: Vec<usize>,
    /// See [`ResultRow::coding`].
    coding: Option<Arc<str>>,
}

const NULL: &str = "the stratifier has no value";

impl Gated<'_> {
    /// Counts within strata. Only what is not nothing has a row: strata of a patient who is in no
    /// population would be most of them.
    pub(super) fn strata_rows(
        &self,
        place: Place,
        raw: &[RawStrata],
        observed: &[(usize, Vec<ResultRow>)],
        out: &mut Vec<ResultRow>,
    ) {
        let populations = 0..self.gating.codes.len();
        if !populations.clone().any(|p| self.of(p).next().is_some()) {
            return;
        }
        for ((index, definition), raw) in (0..).zip(&self.gating.stratifiers).zip(raw) {
            let (strata, unknown) = self.strata_of(raw, false);
            if let Some(reason) = unknown {
                out.push(ResultRow {
                    artifact: place.artifact,
                    group: place.group,
                    stratifier: Some(index),
                    unknown_reason: Some(reason),
                    ..ResultRow::of_patient(RowKind::Stratifier(index), Truth::Unknown)
                });
            }
            let applies = |population: &usize| {
                let code = self.gating.codes.get(*population).copied();
                // An observation is counted where the population it is of is.
                let code = match code {
                    Some(Code::MeasureObservation) => {
                        let of = self.gating.references.get(*population).copied().flatten();
                        of.and_then(|p: PopulationIndex| p.get(&self.gating.codes).copied())
                    }
                    other => other,
                };
                let listed = &definition.applies_to;
                listed.is_empty() || code.is_some_and(|c| listed.contains(&c))
            };
            for (stratum, Stratum { members, coding }) in &strata {
                for population in populations.clone().filter(applies) {
                    let own = observed.iter().find(|(p, _)| *p == population);
                    if let Some((_, rows)) = own {
                        let within = |row: &&ResultRow| {
                            members.iter().any(|m| {
                                self.members.get(*m).map(AsRef::as_ref) == row.basis_id.as_deref()
                            })
                        };
                        out.extend(rows.iter().filter(within).map(|row| ResultRow {
                            stratifier: Some(index),
                            stratum: Some(Arc::clone(stratum)),
                            coding: coding.clone(),
                            ..row.clone()
                        }));
                        continue;
                    }
                    let row = self.stratum_row(place, population, (index, stratum), members);
                    out.extend(row.map(|row| ResultRow {
                        coding: coding.clone(),
                        ..row
                    }));
                }
            }
        }
    }

    fn all(&self) -> Vec<usize> {
        match self.gating.of_resources {
            Some(_) => (0..self.members.len()).collect(),
            None => vec![0],
        }
    }

    /// `both`: a criterion that does not hold is the stratum `false`.
    fn strata_of(&self, raw: &RawStrata, both: bool) -> Strata {
        let plain = |members| Stratum {
            members,
            coding: None,
        };
        let one = |value: &str, members| BTreeMap::from([(Arc::from(value), plain(members))]);
        let nothing = |reason: Option<&Arc<str>>| {
            let reason = reason.map_or_else(|| Arc::from(NULL), Arc::clone);
            (BTreeMap::new(), Some(reason))
        };
        match raw {
            RawStrata::InDoubt(counted, reason) => {
                let (strata, _) = self.strata_of(counted, both);
                (strata, Some(Arc::clone(reason)))
            }
            RawStrata::Criterion(Raw::InDoubt(doubtful)) => {
                let counted = RawStrata::Criterion(doubtful.counted.clone());
                let (strata, _) = self.strata_of(&counted, both);
                (strata, Some(Arc::clone(&doubtful.reason)))
            }
            RawStrata::Failed(reason) | RawStrata::Criterion(Raw::Failed(reason)) => {
                nothing(Some(reason))
            }
            RawStrata::Criterion(Raw::Truth(Truth::Unknown, reason)) => nothing(reason.as_ref()),
            RawStrata::Criterion(Raw::Truth(Truth::True, _)) => (one("true", self.all()), None),
            RawStrata::Criterion(Raw::Truth(Truth::False, _)) => match both {
                true => (one("false", self.all()), None),
                false => (BTreeMap::new(), None),
            },
            RawStrata::Criterion(Raw::Members(ids)) => {
                let named = |m: &usize| match self.gating.of_resources {
                    Some(_) => self.members.get(*m).is_some_and(|id| ids.contains(id)),
                    None => !ids.is_empty(),
                };
                let (inside, outside): (Vec<usize>, Vec<usize>) =
                    self.all().into_iter().partition(named);
                let mut strata = one("true", inside);
                if both {
                    strata.extend(one("false", outside));
                }
                strata.retain(|_, stratum| !stratum.members.is_empty());
                (strata, None)
            }
            RawStrata::Values(values) if values.is_empty() => nothing(None),
            RawStrata::Values(values) => {
                let strata = values.iter().map(|label| {
                    let stratum = Stratum {
                        members: self.all(),
                        coding: label.coding.clone(),
                    };
                    (Arc::clone(&label.text), stratum)
                });
                (strata.collect(), None)
            }
            RawStrata::OfMembers(values) => {
                let (mut strata, mut unknown) = (BTreeMap::<Arc<str>, Stratum>::new(), None);
                // Resources that are in no population have no stratum to miss.
                let concerned = |member: usize| {
                    let mut populations = 0..self.gating.codes.len();
                    populations.any(|p| self.of(p).any(|(m, _)| m == member))
                };
                for (position, id) in self.members.iter().enumerate() {
                    if !concerned(position) {
                        continue;
                    }
                    let mut own = values.iter().filter(|(of, _)| of == id).peekable();
                    if own.peek().is_none() {
                        unknown = Some(Arc::from(NULL));
                    }
                    for (_, value) in own {
                        match value {
                            Some(label) => {
                                let own = strata.entry(Arc::clone(&label.text)).or_default();
                                if own.members.last() != Some(&position) {
                                    own.members.push(position);
                                }
                                smaller(&mut own.coding, label.coding.as_ref());
                            }
                            None => unknown = Some(Arc::from(NULL)),
                        }
                    }
                }
                (strata, unknown)
            }
            RawStrata::Components(parts) => self.crossed(parts),
        }
    }

    /// Every combination of the parts' strata that has a member.
    fn crossed(&self, parts: &[RawStrata]) -> Strata {
        let mut all: Vec<(Vec<Label>, Vec<usize>)> = vec![(vec![], self.all())];
        let mut unknown = None;
        for part in parts {
            let (strata, reason) = self.strata_of(part, true);
            unknown = unknown.or(reason);
            let mut next = vec![];
            for (values, members) in &all {
                for (text, inside) in &strata {
                    let both: Vec<usize> = members
                        .iter()
                        .copied()
                        .filter(|m| inside.members.binary_search(m).is_ok())
                        .collect();
                    if !both.is_empty() {
                        let mut values = values.clone();
                        values.push(Label {
                            text: Arc::clone(text),
                            coding: inside.coding.clone(),
                        });
                        next.push((values, both));
                    }
                }
            }
            all = next;
        }
        let strata = all.into_iter().map(|(values, members)| {
            let coding = codings(&values);
            (name(&values), Stratum { members, coding })
        });
        (strata.collect(), unknown)
    }
}

/// The values of a stratum of several components.
fn name(values: &[Label]) -> Arc<str> {
    let values: Vec<&str> = values.iter().map(|v| v.text.as_ref()).collect();
    serde_json::json!(values).to_string().into()
}

/// Their codings, null for a value without; `None` where none has any.
fn codings(values: &[Label]) -> Option<Arc<str>> {
    values.iter().find(|v| v.coding.is_some())?;
    let text = |v: &Label| v.coding.as_deref().unwrap_or("null").to_owned();
    let all: Vec<String> = values.iter().map(text).collect();
    Some(format!("[{}]", all.join(",")).into())
}

/// Of codings of the same codes (they may differ in a display) the same, whatever the order.
pub(crate) fn smaller(kept: &mut Option<Arc<str>>, other: Option<&Arc<str>>) {
    if let Some(other) = other
        && kept.as_ref().is_none_or(|kept| other < kept)
    {
        *kept = Some(Arc::clone(other));
    }
}
