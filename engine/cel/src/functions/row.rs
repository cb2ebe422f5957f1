//! What a row of the table of functions says.

use std::borrow::Cow;

use engine_patient::record::Element;
use engine_patient::terminology::ValueSet;

use super::call::{Call, Scene};
use crate::either::united;
use crate::value::Val;

/// The code of a function.
pub(crate) type Code = for<'a, 'r> fn(&Call<'a, 'r>) -> Val<'r>;

/// What the checks that see no patient know of a function: what its value is made of, what it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Nothing but its types.
    Plain,
    /// An item of the list.
    Item,
    /// Some items of the list, or whether the one resource is such.
    Filter,
    /// Its value is in the unit of its argument.
    SameUnit,
    Component,
    ComponentValue,
    Contains,
    Date,
    Days,
    During,
    EndsWith,
    Exists,
    InValueSet,
    IsEmpty,
    IsFinal,
    IsUnknown,
    LatestValue,
    /// The numbers of a list of Observations, in a unit.
    ListValue,
    Months,
    OrElse,
    /// It reads all resources of these types.
    Reads(&'static [&'static str]),
    QuantityIn,
    Size,
    StartsWith,
    ValueIn,
    Weeks,
    Years,
}

/// What an argument must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Param {
    /// Anything; the result may have the same type.
    Any,
    Int,
    Number,
    /// What can be written as text: a number, a date or a text.
    Writable,
    Text,
    /// A date, or something that has one: a resource, a Period, a choice with them.
    When,
    Time,
    Duration,
    /// A CodeableConcept, a Coding, a list of them, or a choice with them.
    Concept,
    /// A Quantity, or a choice with it.
    Quantity,
    List,
    ListOfNumbers,
    ListOfResources,
    /// A list of elements of one of these types.
    ListOf(&'static [&'static str]),
    /// An element of this type.
    Element(&'static str),
    /// An element of one of these types, or a list of them.
    OneOrMany(&'static [&'static str]),
    /// A resource or a date, or a list of resources.
    WhenOrMany,
    /// The name of a value set, in quotes.
    ValueSet,
    /// A number, an Observation, or several of which the latest counts.
    Measured,
    /// A date in quotes.
    DateText,
    /// What has a drug: a request, a statement, a Medication.
    Drug,
    /// A medication, or an allergy to one.
    DrugOrAllergy,
    /// A medication, or a list of them.
    DrugOrMany,
    /// An AllergyIntolerance, or a list of them.
    AllergyOrMany,
    /// Drugs: terms in quotes, or a `drugs` column.
    Drugs,
    /// The id of a drug class, in quotes.
    DrugClass,
    /// A type of orders, in quotes.
    DraftType,
    /// A resource of any type.
    Resource,
    /// The same type as the first argument.
    LikeFirst,
}

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Returns {
    Bool,
    Int,
    Double,
    Text,
    Time,
    Duration,
    /// The type of the first argument.
    First,
    /// The type of the first argument's items.
    Item,
    /// Of a list a list, of one resource true or false.
    Filtered,
    Components,
    /// Texts.
    Texts,
    /// A list of resources of this type.
    ListOf(&'static str),
    /// A list of resources of the type that is named.
    Named,
}

/// A row of the table. All there is to say of a function stands in its row, its code with it.
#[derive(Clone, Copy, Debug)]
pub struct FunctionInfo {
    /// As written in rules.
    pub name: &'static str,
    /// Its arguments: `f(x, y)` and `x.f(y)` are the same.
    pub params: &'static [Param],
    /// The type of its value.
    pub returns: Returns,
    pub(crate) code: Code,
    /// Whether its code wants to see arguments that are unknown. Otherwise they make its value unknown,
    /// with their reason, and the code is not asked.
    pub takes_unknown: bool,
    /// What the static checks know of it.
    pub role: Role,
    /// What it does, what is unknown, bounds and units.
    pub doc: &'static str,
    /// A call that the tests compile.
    pub example: &'static str,
    /// The value of the example for the patient of the reference page; empty where it is not shown.
    pub gives: &'static str,
}

impl FunctionInfo {
    /// The value of a call; `set` is the value set that it names.
    pub(crate) fn call<'r>(
        &self,
        scene: &Scene<'r>,
        args: &[Val<'r>],
        set: Option<&ValueSet>,
    ) -> Val<'r> {
        // Of nothing there are none, whatever is asked.
        if let (Some(Val::List(items)), Role::Filter | Role::During) = (args.first(), self.role)
            && items.is_empty()
        {
            return Val::List(items.clone());
        }
        if let Some((at, all, why)) = one_of_several(args) {
            let answers = all.iter().map(|one| {
                let mut args = args.to_vec();
                if let Some(arg) = args.get_mut(at) {
                    *arg = Val::Element(*one);
                }
                self.call(scene, &args, set)
            });
            return united(answers, why);
        }
        let unknown = args.iter().find_map(|v| match v {
            Val::Unknown(reason) | Val::Between(_, _, reason) => Some(reason),
            _ => None,
        });
        match unknown.filter(|_| !self.takes_unknown) {
            Some(reason) => Val::Unknown(reason.clone()),
            None => (self.code)(&Call { scene, args, set }),
        }
    }
}

/// The first argument of which it is not known which of several it is: where it stands, which, and why.
fn one_of_several<'a, 'r>(
    args: &'a [Val<'r>],
) -> Option<(usize, &'a [Element<'r>], &'a Cow<'r, str>)> {
    let mut args = args.iter().enumerate();
    args.find_map(|(at, arg)| match arg {
        Val::Either(all, why) => Some((at, &**all, why)),
        _ => None,
    })
}

/// What rows leave out.
pub(super) const PLAIN: FunctionInfo = FunctionInfo {
    name: "",
    params: &[],
    returns: Returns::Bool,
    code: nothing,
    takes_unknown: false,
    role: Role::Plain,
    doc: "",
    example: "",
    gives: "",
};

fn nothing<'r>(_: &Call<'_, 'r>) -> Val<'r> {
    Val::unknown("a function that does nothing")
}
