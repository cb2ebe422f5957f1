//! An operator of ELM as the compiler, the evaluation, the prefilter and explanations see it.

use crate::context::cx::{Cx, Extra, Out};
use crate::values::value::Val;

/// What an operator does with its operands.
pub type OpFn = for<'a> fn(&Cx<'a>, &[Val<'a>], &Extra) -> Out<'a>;

/// An operator. Operators are rows of tables and known by what their row says, never by the address
/// of their function: a compiler may give one address to functions that do the same. Special forms,
/// which do not evaluate all their operands or need more than values, are variants of
/// [`crate::tree::node::Kind`].
#[derive(Debug)]
pub struct Operator {
    /// The name of its ELM node.
    pub name: &'static str,
    /// Where it is specified: the chapter of CQL 1.5's Logical Specification, or the library.
    pub section: &'static str,
    /// Its operands: properties of the node. `operand*2`: a list of two; `operand*`: of any number; `?`
    /// after a name: may be missing.
    pub operands: &'static [&'static str],
    /// How many operands that are; `None`: any number.
    count: Option<usize>,
    /// Given as many operands as it takes, for the compiler sees to that.
    pub run: OpFn,
    pub spelling: Spelling,
    pub when_empty: WhenEmpty,
    pub certain: CertainItems,
    /// A comparison: null where precision, units or an unknown bound do not tell.
    pub is_comparison: bool,
    /// Of constants it gives a constant, whatever run it is in.
    pub is_constant: bool,
    /// Of more than two operands it takes two at a time, from the left.
    pub is_pairwise: bool,
}

/// How CQL writes an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spelling {
    /// `Name(a, b)`
    Call,
    /// Between its operands: `=`.
    Infix(&'static str),
    /// Before its operand: `not `.
    Prefix(&'static str),
    /// After its operand: ` is null`.
    Suffix(&'static str),
    /// Not at all: a conversion, which says nothing to a reader.
    Nothing,
}

/// What an operator gives where operands are null, false or hold nothing: from it follows of which
/// patients nothing can hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhenEmpty {
    /// Nothing follows.
    Unknown,
    /// Null where any operand is null.
    NullOfNull,
    /// Null where its operand is null or an empty list.
    NullOfEmpty,
    /// Not true where its operand is null or an empty list.
    FalseOfEmpty,
    /// Not true where its operand is not.
    FalseOfFalse,
    /// Not true where the code is null or an empty list, or the code system is null.
    FalseOfNoCode,
    /// True of null.
    TrueOfNull,
    /// The opposite of its operand.
    Negation,
    /// As empty as its first operand.
    AsFirst,
    /// Empty where all operands are.
    AsAll,
    /// As empty as any of its operands.
    AsAny,
}

/// Which items of its result are there in any case, where operands are lists in doubt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertainItems {
    /// None that could be told.
    None,
    /// It is true in any case where an item of its operand is there in any case.
    AnyDecides,
    /// Those of its operand.
    OfFirst,
    /// Those of its first operand, where the second is not in doubt.
    OfFirstIfSecondIsSure,
    /// Those of either operand.
    OfEither,
    /// Those of both operands.
    OfBoth,
    /// Those of the lists of which its operand consists.
    OfLists,
}

impl Operator {
    /// An operator that is written as a call, and of which nothing more is known.
    pub const fn new(
        section: &'static str,
        name: &'static str,
        operands: &'static [&'static str],
        run: OpFn,
    ) -> Self {
        Operator {
            name,
            section,
            operands,
            count: count(operands),
            run,
            spelling: Spelling::Call,
            when_empty: WhenEmpty::Unknown,
            certain: CertainItems::None,
            is_comparison: false,
            is_constant: false,
            is_pairwise: false,
        }
    }

    /// Whether it is of so many operands.
    #[inline]
    pub fn takes(&self, operands: usize) -> bool {
        self.count.is_none_or(|count| count == operands)
    }

    /// Written between its operands.
    pub const fn infix(mut self, word: &'static str) -> Self {
        self.spelling = Spelling::Infix(word);
        self
    }

    /// Written before its operand.
    pub const fn prefix(mut self, word: &'static str) -> Self {
        self.spelling = Spelling::Prefix(word);
        self
    }

    /// Written after its operand.
    pub const fn suffix(mut self, word: &'static str) -> Self {
        self.spelling = Spelling::Suffix(word);
        self
    }

    /// Not written: a conversion.
    pub const fn unwritten(mut self) -> Self {
        self.spelling = Spelling::Nothing;
        self
    }

    /// What it gives where operands are empty.
    pub const fn when_empty(mut self, when_empty: WhenEmpty) -> Self {
        self.when_empty = when_empty;
        self
    }

    /// Which items of its result are certain.
    pub const fn certain(mut self, certain: CertainItems) -> Self {
        self.certain = certain;
        self
    }

    /// A comparison.
    pub const fn comparison(mut self) -> Self {
        self.is_comparison = true;
        self
    }

    /// Applied at load where its operands are constants.
    pub const fn constant(mut self) -> Self {
        self.is_constant = true;
        self
    }

    /// Of any number of operands, two at a time.
    pub const fn pairwise(mut self) -> Self {
        self.is_pairwise = true;
        self
    }
}

/// How many operands these properties give.
const fn count(operands: &[&str]) -> Option<usize> {
    match operands {
        [list] => match list.as_bytes() {
            [.., b'*'] => None,
            [.., b'*', digit] => Some((*digit - b'0') as usize),
            _ => Some(1),
        },
        several => Some(several.len()),
    }
}
