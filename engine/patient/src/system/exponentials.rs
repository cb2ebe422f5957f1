//! Exponentials, logarithms, powers and roots of Decimals (CQL 1.5, §16), right to the last of the
//! eight places.
//!
//! A result may have 20 digits before the point and 8 after, which is more than a floating-point
//! number holds. So the series run in fixed point with 288 bits after the point; what they are off
//! by lies far below the last place. A result that ought to be exact, such as `Power(0.25, 0.5)`,
//! comes out a hair beside it; rounding takes what is a hair below the middle as the middle.

use std::sync::OnceLock;

use super::decimal::{self, PLACES};
use num_bigint::BigInt;
use rust_decimal::Decimal;

/// Bits after the point.
const BITS: u32 = 288;

/// Beyond this, `e^x` is out of range; below its opposite, zero.
const LIMIT: i32 = 64;

/// A number in fixed point.
type Fixed = BigInt;

fn one() -> Fixed {
    BigInt::from(1) << BITS
}

fn product(a: &Fixed, b: &Fixed) -> Fixed {
    (a * b) >> BITS
}

/// `numerator / denominator` in fixed point.
fn fraction(numerator: &BigInt, denominator: &BigInt) -> Fixed {
    (numerator << BITS) / denominator
}

fn fixed(value: Decimal) -> Fixed {
    fraction(&decimal::mantissa(value), &decimal::ten(value.scale()))
}

/// Rounded to the places of a Decimal.
fn decimal(value: &Fixed) -> Option<Decimal> {
    let negative = *value < BigInt::ZERO;
    let size = if negative { -value } else { value.clone() };
    // Half a step, and the hair: see the heading of this file.
    let half = (BigInt::from(1) << (BITS - 1)) + (BigInt::from(1) << (BITS - 80));
    let steps: BigInt = (size * decimal::ten(PLACES) + half) >> BITS;
    let steps = i128::try_from(&steps).ok()?;
    let steps = if negative { -steps } else { steps };
    let value = Decimal::try_from_i128_with_scale(steps, PLACES).ok()?;
    decimal::fit(value.normalize())
}

/// `2 · atanh(n / d)`, that is `ln((d + n) / (d - n))`, for `|n / d|` of at most a third.
fn twice_atanh(n: &BigInt, d: &BigInt) -> Fixed {
    let z = fraction(n, d);
    let square = product(&z, &z);
    let mut power = z;
    let mut sum = BigInt::ZERO;
    // Each term is a ninth of the one before.
    for k in 0..BITS {
        if power == BigInt::ZERO {
            break;
        }
        sum += &power / (2 * k + 1);
        power = product(&power, &square);
    }
    sum * 2
}

fn ln_two() -> &'static Fixed {
    static LN_TWO: OnceLock<Fixed> = OnceLock::new();
    LN_TWO.get_or_init(|| twice_atanh(&BigInt::from(1), &BigInt::from(3)))
}

/// The logarithm of a positive number.
fn ln_fixed(value: Decimal) -> Fixed {
    let mut n = decimal::mantissa(value);
    let mut d = decimal::ten(value.scale());
    // n / d into [1, 2] by a power of two.
    let shift = i64::try_from(n.bits()).unwrap_or(0) - i64::try_from(d.bits()).unwrap_or(0);
    if shift > 0 {
        d <<= shift;
    } else {
        n <<= -shift;
    }
    let mut twos = BigInt::from(shift);
    if n < d {
        n <<= 1;
        twos -= 1;
    }
    twos * ln_two() + twice_atanh(&(&n - &d), &(&n + &d))
}

/// `e^x`; `None` where it is out of range.
fn exp_fixed(x: &Fixed) -> Option<Fixed> {
    if *x > one() * LIMIT {
        return None;
    }
    if *x < one() * -LIMIT {
        return Some(BigInt::ZERO);
    }
    let two = ln_two();
    let twos = i32::try_from(&(x / two)).ok()?;
    let rest = x - two * twos;
    let mut term = one();
    let mut sum = one();
    for k in 1..BITS {
        term = product(&term, &rest) / k;
        if term == BigInt::ZERO || term == BigInt::from(-1) {
            break;
        }
        sum += &term;
    }
    Some(if twos < 0 {
        sum >> twos.unsigned_abs()
    } else {
        sum << twos.unsigned_abs()
    })
}

/// `e^x`; `None` where it is out of range.
pub fn exp(x: Decimal) -> Option<Decimal> {
    decimal(&exp_fixed(&fixed(x))?)
}

/// Natural logarithm; `None` where there is none.
pub fn ln(x: Decimal) -> Option<Decimal> {
    if x <= Decimal::ZERO {
        return None;
    }
    decimal(&ln_fixed(x))
}

/// Logarithm to a base; `None` where there is none.
pub fn log(x: Decimal, base: Decimal) -> Option<Decimal> {
    if x <= Decimal::ZERO || base <= Decimal::ZERO || base == Decimal::ONE {
        return None;
    }
    decimal(&fraction(&ln_fixed(x), &ln_fixed(base)))
}

/// `x^y`; `None` where there is none or it is out of range.
pub fn power(x: Decimal, y: Decimal) -> Option<Decimal> {
    if y.is_zero() || x == Decimal::ONE {
        return Some(Decimal::ONE);
    }
    if x.is_zero() {
        return y.is_sign_positive().then_some(Decimal::ZERO);
    }
    // A negative number has powers only of whole exponents.
    let odd = match decimal::whole(y) {
        Some(whole) => whole % 2 != 0,
        None if x.is_sign_negative() => return None,
        None => false,
    };
    let log = ln_fixed(x.abs()) * decimal::mantissa(y) / decimal::ten(y.scale());
    let size = decimal(&exp_fixed(&log)?)?;
    Some(if odd && x.is_sign_negative() {
        decimal::negate(size)
    } else {
        size
    })
}

/// The geometric mean of positive numbers.
pub fn geometric_mean(values: &[Decimal]) -> Option<Decimal> {
    let sum: BigInt = values.iter().map(|v| ln_fixed(*v)).sum();
    let count = BigInt::from(values.len());
    if values.is_empty() {
        return None;
    }
    decimal(&exp_fixed(&(sum / count))?)
}

/// The square root of `numerator / denominator`, neither of them negative.
pub fn square_root(numerator: &BigInt, denominator: &BigInt) -> Option<Decimal> {
    // Twelve places more than are kept; cutting off after them cannot move a value over a middle.
    let places = PLACES + 12;
    if *numerator < BigInt::ZERO || *denominator <= BigInt::ZERO {
        return None;
    }
    let root = (numerator * decimal::ten(2 * places) / denominator).sqrt();
    decimal::fit(decimal::ratio(&root, &decimal::ten(places), PLACES)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn some(text: &str) -> Option<Decimal> {
        Some(d(text))
    }

    #[test]
    fn exponentials() {
        assert_eq!(exp(d("0")), some("1"));
        assert_eq!(exp(d("-0.0")), some("1"));
        assert_eq!(exp(d("1")), some("2.71828183"));
        assert_eq!(exp(d("-1")), some("0.36787944"));
        assert_eq!(exp(d("46")), some("94961194206024488745.13364912"));
        assert_eq!(exp(d("0.00000001")), some("1.00000001"));
        assert_eq!(exp(d("47")), None);
        assert_eq!(exp(d("1000")), None);
        assert_eq!(exp(decimal::MAX), None);
        assert_eq!(exp(-decimal::MAX), some("0"));
        assert_eq!(exp(d("-18")), some("0.00000002"));
        assert_eq!(exp(d("-20")), some("0"));
    }

    #[test]
    fn logarithms() {
        assert_eq!(ln(d("1")), some("0"));
        assert_eq!(ln(d("1000")), some("6.90775528"));
        assert_eq!(ln(d("0.00000001")), some("-18.42068074"));
        assert_eq!(ln(decimal::MAX), some("46.05170186"));
        assert_eq!(ln(d("0")), None);
        assert_eq!(ln(d("-1")), None);
        assert_eq!(log(d("16"), d("2")), some("4"));
        assert_eq!(log(d("0.125"), d("2")), some("-3"));
        assert_eq!(log(d("1"), d("100")), some("0"));
        assert_eq!(log(d("1"), d("1")), None);
        assert_eq!(log(d("10"), d("2")), some("3.32192809"));
        assert_eq!(log(d("8"), d("0.5")), some("-3"));
        assert_eq!(log(d("2"), d("0")), None);
    }

    #[test]
    fn powers() {
        assert_eq!(power(d("0"), d("0")), some("1"));
        assert_eq!(power(d("0"), d("2.5")), some("0"));
        assert_eq!(power(d("0"), d("-1")), None);
        assert_eq!(power(d("2"), d("-2")), some("0.25"));
        assert_eq!(power(d("-2.0"), d("2.0")), some("4"));
        assert_eq!(power(d("-2"), d("-3")), some("-0.125"));
        assert_eq!(power(d("-2"), d("0.5")), None);
        assert_eq!(power(d("0.25"), d("0.5")), some("0.5"));
        assert_eq!(power(d("2"), d("0.5")), some("1.41421356"));
        assert_eq!(power(d("10"), d("-8")), some("0.00000001"));
        assert_eq!(power(d("10"), d("19")), some("10000000000000000000"));
        assert_eq!(power(d("10"), d("20")), None);
        assert_eq!(power(d("1.1"), d("10")), some("2.59374246"));
        // 2^-9 = 0.001953125 and 0.000025^1.5 = 0.000000125 lie in the middle.
        assert_eq!(power(d("2"), d("-9")), some("0.00195313"));
        assert_eq!(power(d("-0.5"), d("9")), some("-0.00195313"));
        assert_eq!(power(d("0.000025"), d("1.5")), some("0.00000013"));
        assert_eq!(
            power(d("1.00000001"), d("1000000000")),
            some("22026.46469348")
        );
        assert_eq!(power(decimal::MAX, decimal::MAX), None);
        assert_eq!(power(d("0.5"), decimal::MAX), some("0"));
        assert_eq!(
            power(d("2.5"), d("50")),
            some("78886090522101180541.17285653")
        );
    }

    #[test]
    fn roots_and_means() {
        let root = |n: i64, d: i64| square_root(&BigInt::from(n), &BigInt::from(d));
        assert_eq!(root(2, 1), some("1.41421356"));
        assert_eq!(root(5, 2), some("1.58113883"));
        assert_eq!(root(0, 7), some("0"));
        assert_eq!(root(9, 16), some("0.75"));
        assert_eq!(root(1, 0), None);
        assert_eq!(geometric_mean(&[d("2"), d("8")]), some("4"));
        assert_eq!(geometric_mean(&[d("1"), d("10"), d("100")]), some("10"));
        assert_eq!(geometric_mean(&[]), None);
    }
}
