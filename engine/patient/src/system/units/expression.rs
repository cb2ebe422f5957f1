//! What a UCUM expression means: its size in base units as an exact fraction, and its dimensions
//! (UCUM §16-26). The tables and the parser are octofhir-ucum's; its own arithmetic rounds `1/60`.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use octofhir_ucum::{Case, Number, SpecialKind, UnitExpr, lookup_unit, parse_expression};
use rust_decimal::Decimal;

use crate::system::decimal;

/// Longest text of a unit that is read: patient data may hold anything.
const LONGEST: usize = 256;
/// Greatest exponent in a unit.
const POWER: i32 = 32;
/// Greatest size of a factor, in bits and in powers of ten.
const BITS: u64 = 8192;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fraction {
    pub over: BigInt,
    pub under: BigInt,
}

impl Fraction {
    fn new(over: BigInt, under: BigInt) -> Self {
        let (mut a, mut b) = (over.clone(), under.clone());
        while b != BigInt::ZERO {
            let rest = a % &b;
            a = b;
            b = rest;
        }
        if a == BigInt::ZERO {
            return Self::of(0, 1);
        }
        // The greatest common divisor gets the sign of the denominator.
        if (a < BigInt::ZERO) != (under < BigInt::ZERO) {
            a = -a;
        }
        Fraction {
            over: over / &a,
            under: under / a,
        }
    }

    fn of(over: i64, under: i64) -> Self {
        Fraction {
            over: BigInt::from(over),
            under: BigInt::from(under),
        }
    }

    /// Product.
    pub fn times(&self, other: &Self) -> Self {
        Self::new(&self.over * &other.over, &self.under * &other.under)
    }

    /// Quotient; the divisor is a factor of a unit and never zero.
    pub fn divided_by(&self, other: &Self) -> Self {
        Self::new(&self.over * &other.under, &self.under * &other.over)
    }

    /// Difference.
    pub fn minus(&self, other: &Self) -> Self {
        Self::new(
            &self.over * &other.under - &other.over * &self.under,
            &self.under * &other.under,
        )
    }

    fn is_small(&self) -> bool {
        self.over.bits() <= BITS && self.under.bits() <= BITS
    }

    fn power(&self, exponent: i32) -> Option<Self> {
        if exponent.abs() > POWER {
            return None;
        }
        let n = exponent.unsigned_abs();
        let (over, under) = (self.over.pow(n), self.under.pow(n));
        let power = if exponent < 0 {
            Fraction {
                over: under,
                under: over,
            }
        } else {
            Fraction { over, under }
        };
        power.is_small().then_some(power)
    }

    /// Of a factor of the tables.
    fn number(number: Number) -> Option<Self> {
        let (digits, exponent) = number.to_integer_and_exponent();
        let power = Self::of(10, 1);
        let mut ten = Self::of(1, 1);
        // In steps, since the exponent may be beyond the greatest of a unit.
        let mut left = exponent;
        while left != 0 {
            let step = left.clamp(-POWER, POWER);
            ten = ten.times(&power.power(step)?);
            if !ten.is_small() {
                return None;
            }
            left -= step;
        }
        Some(simplest(digits).times(&ten))
    }
}

/// The tables hold 28 digits, so a factor such as 5/9 is cut off there. Where a fraction of small
/// numbers has these very digits, that is what was meant: two numbers of nine digits agreeing with
/// 28 digits by chance is out of the question, and it is none for a multiple of π.
fn simplest(digits: i128) -> Fraction {
    const CUT: i128 = 10i128.pow(26);
    const SMALL: i128 = 1_000_000_000;
    let whole = Fraction {
        over: BigInt::from(digits),
        under: BigInt::from(1),
    };
    if digits < CUT {
        return whole;
    }
    let unit = 10i128.pow(27);
    // Continued fraction of digits / 10^27.
    let (mut n, mut d) = (digits, unit);
    let (mut p0, mut q0, mut p1, mut q1) = (0i128, 1i128, 1i128, 0i128);
    while d != 0 {
        let part = n / d;
        (n, d) = (d, n % d);
        let next = |a: i128, b: i128| part.checked_mul(b)?.checked_add(a);
        let (Some(p), Some(q)) = (next(p0, p1), next(q0, q1)) else {
            break;
        };
        if q > SMALL {
            break;
        }
        (p0, q0, p1, q1) = (p1, q1, p, q);
    }
    // Off by at most a few units of the last digit: the tables multiplied rounded factors.
    let left = BigInt::from(digits) * q1 - BigInt::from(p1) * unit;
    let off = if left < BigInt::ZERO { -left } else { left };
    if q1 > 0 && off <= BigInt::from(16) * q1 {
        Fraction::new(BigInt::from(p1) * unit, BigInt::from(q1))
    } else {
        whole
    }
}

/// How a value in a unit relates to its proper unit.
#[derive(Clone, PartialEq, Debug)]
pub enum Scale {
    /// `scale · value + offset` of it.
    Affine { scale: Fraction, offset: Fraction },
    /// A function of it, such as a logarithm.
    Curve,
}

/// The meaning of a unit.
#[derive(Clone, PartialEq, Debug)]
pub struct Meaning {
    /// In base units; of a special unit, its proper unit.
    pub factor: Fraction,
    pub scale: Scale,
    dimensions: [i32; 7],
    /// Units that nothing else can be converted to, such as `[iU]`, with exponents.
    arbitrary: Vec<(&'static str, i32)>,
    /// Whether it is of a special scale and takes part in no product.
    special: bool,
}

impl Meaning {
    /// `None` where the text is no unit.
    pub fn of(unit: &str) -> Option<Meaning> {
        if unit.len() > LONGEST {
            return None;
        }
        evaluate(&parse(unit)?)
    }

    fn number(factor: Fraction) -> Meaning {
        Meaning {
            factor,
            scale: Scale::Affine {
                scale: Fraction::of(1, 1),
                offset: Fraction::of(0, 1),
            },
            dimensions: [0; 7],
            arbitrary: Vec::new(),
            special: false,
        }
    }

    fn is_number(&self) -> bool {
        !self.special && self.dimensions == [0; 7] && self.arbitrary.is_empty()
    }

    /// Whether both measure the same.
    pub fn is_commensurable(&self, other: &Meaning) -> bool {
        self.dimensions == other.dimensions && self.arbitrary == other.arbitrary
    }

    fn times(self, other: Meaning) -> Option<Meaning> {
        if self.special || other.special {
            // A number may scale a special unit.
            let (mut unit, number) = if self.special {
                (self, other)
            } else {
                (other, self)
            };
            if !number.is_number() {
                return None;
            }
            if let Scale::Affine { scale, .. } = &mut unit.scale {
                *scale = scale.times(&number.factor);
            }
            return Some(unit);
        }
        let factor = self.factor.times(&other.factor);
        let mut dimensions = self.dimensions;
        for (sum, more) in dimensions.iter_mut().zip(other.dimensions) {
            *sum = sum.checked_add(more)?;
        }
        let mut arbitrary = self.arbitrary;
        for (atom, exponent) in other.arbitrary {
            match arbitrary.iter_mut().find(|(a, _)| *a == atom) {
                Some((_, sum)) => *sum = sum.checked_add(exponent)?,
                None => arbitrary.push((atom, exponent)),
            }
        }
        arbitrary.retain(|(_, exponent)| *exponent != 0);
        arbitrary.sort_unstable();
        factor.is_small().then_some(Meaning {
            factor,
            dimensions,
            arbitrary,
            ..self
        })
    }

    fn power(self, exponent: i32) -> Option<Meaning> {
        if exponent == 1 {
            return Some(self);
        }
        if self.special {
            return None;
        }
        let mut dimensions = self.dimensions;
        for d in &mut dimensions {
            *d = d.checked_mul(exponent)?;
        }
        let mut arbitrary = self.arbitrary;
        for (_, e) in &mut arbitrary {
            *e = e.checked_mul(exponent)?;
        }
        arbitrary.retain(|(_, e)| *e != 0);
        Some(Meaning {
            factor: self.factor.power(exponent)?,
            dimensions,
            arbitrary,
            ..self
        })
    }
}

/// The expression of a text. The grammar of UCUM has no annotation after `)`; its table of examples has, as
/// in `g/(8.h){shift}`, and an annotation means nothing.
fn parse(unit: &str) -> Option<UnitExpr> {
    match parse_expression(unit) {
        Ok(expression) => Some(expression),
        Err(_) if unit.contains("){") => parse_expression(&without_annotations(unit)?).ok(),
        Err(_) => None,
    }
}

/// A text without the annotations that are after `)`; `None` where one has no end or says nothing.
fn without_annotations(unit: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = unit;
    while let Some((before, after)) = rest.split_once('{') {
        let (note, left) = after.split_once('}')?;
        let graphic = note.chars().all(|c| c.is_ascii_graphic() && c != '{');
        if note.is_empty() || !graphic {
            return None;
        }
        plain.push_str(before);
        if !before.ends_with(')') {
            plain.extend(["{", note, "}"]);
        }
        rest = left;
    }
    plain.push_str(rest);
    Some(plain)
}

/// The parser bounds how deep an expression nests.
fn evaluate(expression: &UnitExpr) -> Option<Meaning> {
    match expression {
        UnitExpr::Symbol(code) => symbol(code),
        UnitExpr::Numeric(number) => Some(Meaning::number(Fraction::number(*number)?)),
        UnitExpr::Annotation(_) => Some(Meaning::number(Fraction::of(1, 1))),
        UnitExpr::Annotated(inner, _) => evaluate(inner),
        UnitExpr::Power(base, exponent) => evaluate(base)?.power(*exponent),
        UnitExpr::Product(terms) => {
            let mut product = Meaning::number(Fraction::of(1, 1));
            for term in terms {
                product = product.times(evaluate(term)?)?;
            }
            Some(product)
        }
        UnitExpr::Quotient(over, under) => evaluate(over)?.times(evaluate(under)?.power(-1)?),
        UnitExpr::Reciprocal(inner) => evaluate(inner)?.power(-1),
    }
}

fn symbol(written: &str) -> Option<Meaning> {
    // The roentgen, which some editions of UCUM write so, and its table `R`.
    let code = written
        .strip_suffix("Roe")
        .map(|prefix| format!("{prefix}R"));
    let code = code.as_deref().unwrap_or(written);
    let (prefix, unit) = lookup_unit(code, Case::Sensitive)?;
    let prefix = match prefix {
        Some(prefix) => Fraction::number(prefix.factor)?,
        None => Fraction::of(1, 1),
    };
    let factor = Fraction::number(unit.factor)?;
    let mut meaning = Meaning::number(factor);
    meaning.dimensions = unit.dim.0.map(i32::from);
    if !unit.special.is_special() {
        meaning.factor = meaning.factor.times(&prefix);
        meaning.arbitrary = unit.arbitrary.to_vec();
        meaning.arbitrary.sort_unstable();
        return Some(meaning);
    }
    meaning.special = true;
    let offset = match unit.special {
        SpecialKind::Celsius => Fraction::of(27_315, 100),
        SpecialKind::Fahrenheit => Fraction::of(45_967, 100),
        SpecialKind::Reaumur => Fraction::of(21_852, 100),
        _ => {
            meaning.scale = Scale::Curve;
            return Some(meaning);
        }
    };
    meaning.scale = Scale::Affine {
        scale: prefix,
        offset,
    };
    Some(meaning)
}

/// Conversion of a unit on a logarithmic or similar scale. Floating point has some 15 digits, which
/// is more than such a measurement has.
pub fn curve(value: Decimal, from: &str, to: &str) -> Option<Decimal> {
    let value: f64 = value.to_string().parse().ok()?;
    let converted = octofhir_ucum::convert(value, from, to).ok()?;
    let converted = format!("{converted:.12}").parse().ok()?;
    Some(decimal::round(converted, decimal::PLACES).normalize())
}

/// Units of an amount of substance, and what they count. To UCUM each is a plain number, so that
/// `mmol/mol` would be 0.1 `%` and `meq` a `mmol`; what is measured by the one is not what is measured by
/// the other. Of the derived units of UCUM's table these are made of moles: `U` is `umol/min`, `kat` is
/// `mol/s`, `[pH]` is of `mol/l`.
const AMOUNTS: [(&str, &str); 6] = [
    ("eq", "eq"),
    ("mol", "mol"),
    ("osm", "osm"),
    ("U", "mol"),
    ("kat", "mol"),
    ("[pH]", "mol"),
];

/// What amounts of substance an expression counts: each with the sums of its exponents over and under.
pub fn amounts(unit: &str) -> BTreeMap<&'static str, (i32, i32)> {
    type Amounts = BTreeMap<&'static str, (i32, i32)>;
    fn walk(expression: &UnitExpr, exponent: i32, into: &mut Amounts) {
        match expression {
            UnitExpr::Symbol(code) => {
                let unit = lookup_unit(code, Case::Sensitive).map(|(_, unit)| unit.code);
                let amount = AMOUNTS.iter().find(|(symbol, _)| unit == Some(*symbol));
                if let Some((_, amount)) = amount {
                    let (over, under) = into.entry(amount).or_default();
                    let sum = if exponent < 0 { under } else { over };
                    *sum = sum.saturating_add(exponent);
                }
            }
            UnitExpr::Numeric(_) | UnitExpr::Annotation(_) => {}
            UnitExpr::Annotated(inner, _) => walk(inner, exponent, into),
            UnitExpr::Power(base, n) => walk(base, exponent.saturating_mul(*n), into),
            UnitExpr::Product(terms) => terms.iter().for_each(|t| walk(t, exponent, into)),
            UnitExpr::Quotient(over, under) => {
                walk(over, exponent, into);
                walk(under, exponent.saturating_neg(), into);
            }
            UnitExpr::Reciprocal(inner) => walk(inner, exponent.saturating_neg(), into),
        }
    }
    let mut found = Amounts::new();
    if unit.len() <= LONGEST
        && let Some(expression) = parse(unit)
    {
        walk(&expression, 1, &mut found);
    }
    found
}

/// The symbols of a product in order of appearance, with exponents.
type Symbols = Vec<(String, i32)>;

fn collect(expression: &UnitExpr, exponent: i32, into: &mut Symbols) -> Option<()> {
    let mut put = |symbol: String, exponent: i32| -> Option<()> {
        match into.iter_mut().find(|(s, _)| *s == symbol) {
            Some((_, sum)) => *sum = sum.checked_add(exponent)?,
            None => into.push((symbol, exponent)),
        }
        Some(())
    };
    match expression {
        UnitExpr::Symbol(code) => put(code.clone(), exponent),
        // A `1`, such as in `1/min`, says nothing.
        UnitExpr::Numeric(number) if *number == Number::ONE => Some(()),
        UnitExpr::Numeric(_) => put(expression.to_string(), exponent),
        UnitExpr::Annotation(_) => Some(()),
        UnitExpr::Annotated(inner, _) => collect(inner, exponent, into),
        UnitExpr::Power(base, n) => collect(base, exponent.checked_mul(*n)?, into),
        UnitExpr::Product(terms) => terms
            .iter()
            .try_for_each(|term| collect(term, exponent, into)),
        UnitExpr::Quotient(over, under) => {
            collect(over, exponent, into)?;
            collect(under, exponent.checked_neg()?, into)
        }
        UnitExpr::Reciprocal(inner) => collect(inner, exponent.checked_neg()?, into),
    }
}

/// The text of a product, or of a quotient, with the powers of a symbol put together.
pub fn product(a: &str, b: &str, divide: bool) -> Option<String> {
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut symbols = Symbols::new();
    collect(&parse(a)?, 1, &mut symbols)?;
    let sign = if divide { -1 } else { 1 };
    collect(&parse(b)?, sign, &mut symbols)?;
    let mut text = String::new();
    for (symbol, exponent) in symbols.iter().filter(|(_, e)| *e > 0) {
        write_power(&mut text, ".", symbol, *exponent)?;
    }
    if text.is_empty() {
        text.push('1');
    }
    for (symbol, exponent) in symbols.iter().filter(|(_, e)| *e < 0) {
        write_power(&mut text, "/", symbol, exponent.checked_neg()?)?;
    }
    Some(text)
}

fn write_power(text: &mut String, between: &str, symbol: &str, exponent: i32) -> Option<()> {
    if exponent > POWER {
        return None;
    }
    // A number takes no exponent.
    let number = symbol.bytes().all(|b| b.is_ascii_digit());
    let times = if number { exponent } else { 1 };
    for _ in 0..times {
        if !text.is_empty() {
            text.push_str(between);
        }
        text.push_str(symbol);
    }
    if !number && exponent > 1 {
        text.push_str(&exponent.to_string());
    }
    Some(())
}
