//! Decimals as CQL has them (CQL 1.5, §1.6 "Decimal"): 28 digits, 8 of them after the point.
//!
//! Operators compute exactly and round once, to the nearest step of 10^-8 and away from zero from
//! the middle. What does not fit is `None`, which the operators make null (CQL 1.5, §16). Small
//! numbers go through 128 bits; what does not fit there through big integers, so that a result
//! never depends on how an intermediate value was rounded.

use std::cmp::Ordering;

use num_bigint::BigInt;
use rust_decimal::{Decimal, RoundingStrategy};

/// Digits after the point.
pub const PLACES: u32 = 8;

/// The greatest Decimal, 99999999999999999999.99999999.
pub const MAX: Decimal = Decimal::from_parts(268_435_455, 1_042_612_833, 542_101_086, false, 8);

/// The distance of a Decimal to the next.
pub const STEP: Decimal = Decimal::from_parts(1, 0, 0, false, 8);

/// Rounded to the places of a Decimal; `None` where it is out of range.
pub fn fit(value: Decimal) -> Option<Decimal> {
    let value = round(value, PLACES);
    (value.abs() <= MAX).then_some(value)
}

/// As people read it: nine digits where there are more places than a Decimal of CQL has, as a converted
/// quantity may have 28.
pub fn for_people(value: Decimal) -> Decimal {
    match value.scale() > PLACES {
        true => value.round_sf(9).unwrap_or(value),
        false => value,
    }
}

/// Rounded to so many places after the point.
pub fn round(value: Decimal, places: u32) -> Decimal {
    if value.scale() > places {
        value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
    } else {
        value
    }
}

/// Ten to the power of `n`, where 128 bits hold it.
pub fn ten_i128(n: u32) -> Option<i128> {
    10i128.checked_pow(n)
}

/// Ten to the power of `n`.
pub fn ten(n: u32) -> BigInt {
    BigInt::from(10).pow(n)
}

/// `numerator / denominator` to the nearest integer, away from zero from the middle.
fn divide_i128(numerator: i128, denominator: i128) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let rest = numerator.checked_rem(denominator)?.unsigned_abs();
    if rest < denominator.unsigned_abs() - rest {
        return Some(quotient);
    }
    let away = if (numerator < 0) == (denominator < 0) {
        1
    } else {
        -1
    };
    quotient.checked_add(away)
}

/// See [`divide_i128`].
fn divide_big(numerator: &BigInt, denominator: &BigInt) -> Option<BigInt> {
    let zero = BigInt::ZERO;
    if *denominator == zero {
        return None;
    }
    let negative = (*numerator < zero) != (*denominator < zero);
    let (n, d) = (magnitude(numerator), magnitude(denominator));
    let quotient: BigInt = (n * 2u32 + &d) / (d * 2u32);
    Some(if negative { -quotient } else { quotient })
}

fn magnitude(value: &BigInt) -> BigInt {
    if *value < BigInt::ZERO {
        -value
    } else {
        value.clone()
    }
}

/// An integer of 10^-`scale` as a Decimal, with trailing zeros as they are.
fn scaled(mantissa: i128, scale: u32) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// `numerator / denominator`, rounded to `places` after the point, without trailing zeros.
pub fn ratio(numerator: &BigInt, denominator: &BigInt, places: u32) -> Option<Decimal> {
    let mantissa = divide_big(&(numerator * ten(places)), denominator)?;
    Some(scaled(i128::try_from(&mantissa).ok()?, places)?.normalize())
}

/// `numerator / denominator` to all the digits that 28 of them allow.
pub fn ratio_long(numerator: &BigInt, denominator: &BigInt) -> Option<Decimal> {
    let whole = magnitude(&divide_big(numerator, denominator)?);
    let digits = if whole == BigInt::ZERO {
        0
    } else {
        u32::try_from(whole.to_string().len()).ok()?
    };
    ratio(numerator, denominator, 28u32.checked_sub(digits)?)
}

/// The mantissa of a Decimal as an integer; its scale tells the point.
pub fn mantissa(value: Decimal) -> BigInt {
    BigInt::from(value.mantissa())
}

/// Sum.
pub fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    fit(a.checked_add(b)?)
}

/// Difference.
pub fn subtract(a: Decimal, b: Decimal) -> Option<Decimal> {
    fit(a.checked_sub(b)?)
}

/// The opposite; zero has no sign.
pub fn negate(value: Decimal) -> Decimal {
    if value.is_zero() { value.abs() } else { -value }
}

/// Product.
pub fn multiply(a: Decimal, b: Decimal) -> Option<Decimal> {
    let scale = a.scale() + b.scale();
    if let Some(product) = a.mantissa().checked_mul(b.mantissa()) {
        if scale <= PLACES {
            return fit(scaled(product, scale)?);
        }
        if let Some(by) = ten_i128(scale - PLACES) {
            return fit(scaled(divide_i128(product, by)?, PLACES)?.normalize());
        }
    }
    fit(ratio(&(mantissa(a) * mantissa(b)), &ten(scale), PLACES)?)
}

/// Quotient; `None` where the divisor is zero.
pub fn divide(a: Decimal, b: Decimal) -> Option<Decimal> {
    // a / b = (ma · 10^(sb + 8)) / (mb · 10^sa), in steps of 10^-8.
    let small = || {
        let over = a.mantissa().checked_mul(ten_i128(b.scale() + PLACES)?)?;
        let under = b.mantissa().checked_mul(ten_i128(a.scale())?)?;
        divide_i128(over, under)
    };
    if b.is_zero() {
        return None;
    }
    if let Some(steps) = small() {
        return fit(scaled(steps, PLACES)?.normalize());
    }
    let over = mantissa(a) * ten(b.scale());
    let under = mantissa(b) * ten(a.scale());
    fit(ratio(&over, &under, PLACES)?)
}

/// Both as integers of the same scale.
fn aligned(a: Decimal, b: Decimal) -> Option<(i128, i128, u32)> {
    let scale = a.scale().max(b.scale());
    let up = |v: Decimal| v.mantissa().checked_mul(ten_i128(scale - v.scale())?);
    Some((up(a)?, up(b)?, scale))
}

/// What remains of a truncated division; it has the sign of the dividend. `None` where the divisor
/// is zero.
pub fn modulo(a: Decimal, b: Decimal) -> Option<Decimal> {
    match aligned(a, b) {
        Some((x, y, scale)) => fit(scaled(x.checked_rem(y)?, scale)?),
        None => fit(a.checked_rem(b)?),
    }
}

/// The whole part of a quotient; `None` where the divisor is zero.
pub fn truncated_divide(a: Decimal, b: Decimal) -> Option<Decimal> {
    match aligned(a, b) {
        Some((x, y, _)) => fit(scaled(x.checked_div(y)?, 0)?),
        None => fit(a.checked_div(b)?.trunc()),
    }
}

/// Compares `a · p` with `b · q`.
pub fn compare_products(a: Decimal, p: i128, b: Decimal, q: i128) -> Ordering {
    let scale = a.scale().max(b.scale());
    let small = |v: Decimal, by: i128| {
        let product = v.mantissa().checked_mul(by)?;
        product.checked_mul(ten_i128(scale - v.scale())?)
    };
    if let (Some(x), Some(y)) = (small(a, p), small(b, q)) {
        return x.cmp(&y);
    }
    let big = |v: Decimal, by: i128| mantissa(v) * by * ten(scale - v.scale());
    big(a, p).cmp(&big(b, q))
}

/// `value · p / q`, to all the digits that 28 of them allow.
pub fn rescale(value: Decimal, p: i128, q: i128) -> Option<Decimal> {
    ratio_long(&(mantissa(value) * p), &(ten(value.scale()) * q))
}

/// `a ~ b` (CQL 1.5, §12.2): rounded to the places of the one that has fewer, not counting zeros at
/// the end.
pub fn equivalent(a: Decimal, b: Decimal) -> bool {
    let (a, b) = (a.normalize(), b.normalize());
    let places = a.scale().min(b.scale());
    round(a, places) == round(b, places)
}

/// A whole number of a Decimal that is one.
pub fn whole(value: Decimal) -> Option<i128> {
    let value = value.normalize();
    (value.scale() == 0).then(|| value.mantissa())
}

/// The integer of a Decimal without fraction; `None` where 32 bits do not hold it.
pub fn integer(value: Decimal) -> Option<i32> {
    whole(value).and_then(|v| i32::try_from(v).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn bounds() {
        assert_eq!(MAX, d("99999999999999999999.99999999"));
        assert_eq!(STEP, d("0.00000001"));
        assert_eq!(fit(MAX), Some(MAX));
        assert_eq!(add(MAX, STEP), None);
        assert_eq!(subtract(-MAX, STEP), None);
        assert_eq!(multiply(MAX, d("1.00000001")), None);
        assert_eq!(divide(MAX, d("0.1")), None);
        assert_eq!(multiply(MAX, d("1")), Some(MAX));
        assert_eq!(divide(MAX, MAX), Some(d("1")));
        assert_eq!(fit(d("100000000000000000000")), None);
    }

    #[test]
    fn one_rounding_away_from_zero() {
        assert_eq!(multiply(d("0.00001"), d("0.0005")), Some(d("0.00000001")));
        assert_eq!(multiply(d("0.00001"), d("0.0004")), Some(d("0")));
        assert_eq!(multiply(d("-0.00001"), d("0.0005")), Some(d("-0.00000001")));
        assert_eq!(divide(d("10"), d("3")), Some(d("3.33333333")));
        assert_eq!(divide(d("-20"), d("3")), Some(d("-6.66666667")));
        assert_eq!(divide(d("20"), d("-3")), Some(d("-6.66666667")));
        assert_eq!(divide(d("1"), d("0")), None);
        // 9999999999.99999999² = 99999999999999999800.0000000000000001.
        assert_eq!(
            multiply(d("9999999999.99999999"), d("9999999999.99999999")),
            Some(d("99999999999999999800"))
        );
        // 123456789012.34567891 · 1.00000001: 32 digits, rounded once.
        assert_eq!(
            multiply(d("123456789012.34567891"), d("1.00000001")),
            Some(d("123456790246.91356903"))
        );
        assert_eq!(
            divide(d("12345678901234567890.12345678"), d("7.00000001")),
            Some(d("1763668411942554824.38541551"))
        );
    }

    #[test]
    fn modulo_and_truncated_division() {
        assert_eq!(modulo(d("3.5"), d("3")), Some(d("0.5")));
        assert_eq!(modulo(d("-3.5"), d("3")), Some(d("-0.5")));
        assert_eq!(modulo(MAX, d("0.00000003")), Some(d("0")));
        assert_eq!(modulo(d("1"), d("0")), None);
        assert_eq!(truncated_divide(d("-10.1"), d("3.1")), Some(d("-3")));
        assert_eq!(truncated_divide(d("1"), d("0.0")), None);
        assert_eq!(truncated_divide(MAX, STEP), None);
    }

    #[test]
    fn equivalence_of_decimals() {
        assert!(equivalent(d("1.001"), d("1.000")));
        assert!(equivalent(d("1.0"), d("1.00")));
        assert!(!equivalent(d("1.5"), d("1.55")));
        assert!(!equivalent(d("1"), d("2")));
    }

    #[test]
    fn what_people_read_is_short() {
        let shown = |text: &str| for_people(text.parse().unwrap()).normalize().to_string();
        assert_eq!(shown("144.7623047959076521504327868"), "144.762305");
        assert_eq!(
            shown("0.000000000001234567890123"),
            "0.00000000000123456789"
        );
        assert_eq!(shown("123456789012.12345678"), "123456789012.12345678");
        assert_eq!(shown("9.3"), "9.3");
    }

    #[test]
    fn products_beyond_128_bits() {
        use Ordering::{Equal, Greater, Less};
        let big = 10i128.pow(27);
        assert_eq!(compare_products(MAX, big, MAX, big), Equal);
        assert_eq!(compare_products(MAX, big, MAX - STEP, big), Greater);
        assert_eq!(compare_products(d("0.1"), 10, d("1.00000001"), 1), Less);
    }
}
