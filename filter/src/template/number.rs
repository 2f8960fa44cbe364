//! Arithmetic as Velocity's: whole numbers stay whole and grow as they must, what cannot be computed is `null`.

use super::ast::Operator;
use crate::value::Value;

/// A number to compute with. Whole numbers beyond 128 bits are not computed.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    Whole(i128),
    Double(f64),
}

// === impl Number ===

impl Number {
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(Self::Whole(i128::from(*number))),
            Value::BigInteger(digits) => digits.parse().ok().map(Self::Whole),
            Value::Double(number) => Some(Self::Double(*number)),
            _ => None,
        }
    }

    fn double(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Double(number) => number,
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Whole(number) => {
                i64::try_from(number).map_or_else(|_| Value::BigInteger(number.to_string().into()), Value::Integer)
            }
            Self::Double(number) => Value::Double(number),
        }
    }

    /// Which is more; none with what is no number.
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            _ => self.double().partial_cmp(&other.double()),
        }
    }

    pub fn is_zero(self) -> bool {
        match self {
            Self::Whole(number) => number == 0,
            Self::Double(number) => number == 0.0,
        }
    }
}

/// A sum, a product… of two numbers; `null`: it has none.
pub fn compute(operator: Operator, left: &Value, right: &Value) -> Value {
    let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) else { return Value::Null };
    if matches!(operator, Operator::Divide | Operator::Modulo) && right.is_zero() {
        return Value::Null;
    }
    if let (Number::Whole(left), Number::Whole(right)) = (left, right) {
        let number = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide => left.checked_div(right),
            Operator::Modulo => left.checked_rem(right),
            _ => None,
        };
        return number.map_or(Value::Null, |number| Number::Whole(number).value());
    }
    let (left, right) = (left.double(), right.double());
    Value::Double(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Modulo => left % right,
        _ => return Value::Null,
    })
}
