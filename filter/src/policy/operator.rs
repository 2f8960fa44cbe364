//! The names of condition operators. AWS: "IAM JSON policy elements: Condition operators", "Multivalued context keys".

use super::pattern::Style;

/// `ForAnyValue:StringNotLikeIfExists`, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) operand: Operand,
    pub(super) negated: bool,
    pub(super) quantifier: Quantifier,
    pub(super) if_exists: bool,
}

/// What the values are, and how they compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Text(Style),
    Number(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Ip,
    Null,
}

/// How the value of the request stands to the value of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What several values of the request are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// No set operator: one value is expected.
    Single,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

const OPERATORS: [(&str, Operand, bool); 27] = [
    ("StringEquals", Operand::Text(Style::Exact), false),
    ("StringNotEquals", Operand::Text(Style::Exact), true),
    ("StringEqualsIgnoreCase", Operand::Text(Style::Folded), false),
    ("StringNotEqualsIgnoreCase", Operand::Text(Style::Folded), true),
    ("StringLike", Operand::Text(Style::Wild), false),
    ("StringNotLike", Operand::Text(Style::Wild), true),
    ("NumericEquals", Operand::Number(Comparison::Equal), false),
    ("NumericNotEquals", Operand::Number(Comparison::Equal), true),
    ("NumericLessThan", Operand::Number(Comparison::Less), false),
    ("NumericLessThanEquals", Operand::Number(Comparison::LessOrEqual), false),
    ("NumericGreaterThan", Operand::Number(Comparison::Greater), false),
    ("NumericGreaterThanEquals", Operand::Number(Comparison::GreaterOrEqual), false),
    ("DateEquals", Operand::Date(Comparison::Equal), false),
    ("DateNotEquals", Operand::Date(Comparison::Equal), true),
    ("DateLessThan", Operand::Date(Comparison::Less), false),
    ("DateLessThanEquals", Operand::Date(Comparison::LessOrEqual), false),
    ("DateGreaterThan", Operand::Date(Comparison::Greater), false),
    ("DateGreaterThanEquals", Operand::Date(Comparison::GreaterOrEqual), false),
    ("Bool", Operand::Bool, false),
    ("BinaryEquals", Operand::Binary, false),
    ("IpAddress", Operand::Ip, false),
    ("NotIpAddress", Operand::Ip, true),
    // Documented: `ArnEquals` and `ArnLike` are the same.
    ("ArnEquals", Operand::Text(Style::Arn), false),
    ("ArnLike", Operand::Text(Style::Arn), false),
    ("ArnNotEquals", Operand::Text(Style::Arn), true),
    ("ArnNotLike", Operand::Text(Style::Arn), true),
    ("Null", Operand::Null, false),
];

// === impl Operator ===

impl Operator {
    /// Reads a name; none: IAM has no such operator. assumed(policy-operator-case): names in another case are none.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (quantifier, name) = match name.split_once(':') {
            None => (Quantifier::Single, name),
            Some(("ForAllValues", name)) => (Quantifier::All, name),
            Some(("ForAnyValue", name)) => (Quantifier::Any, name),
            Some(_) => return None,
        };
        let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
        let (_, operand, negated) = OPERATORS.iter().find(|(known, ..)| *known == name)?;
        // A check for a key's absence takes neither.
        let is_alone = quantifier == Quantifier::Single && !if_exists;
        (*operand != Operand::Null || is_alone).then_some(Self { operand: *operand, negated: *negated, quantifier, if_exists })
    }
}

// === impl Comparison ===

impl Comparison {
    /// Whether `asked` stands so to `wanted`.
    pub(super) fn holds<T: PartialOrd>(self, asked: &T, wanted: &T) -> bool {
        match self {
            Self::Equal => asked == wanted,
            Self::Less => asked < wanted,
            Self::LessOrEqual => asked <= wanted,
            Self::Greater => asked > wanted,
            Self::GreaterOrEqual => asked >= wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart() {
        let operator = Operator::parse("ForAnyValue:StringNotLikeIfExists").unwrap();
        assert_eq!(operator.operand, Operand::Text(Style::Wild));
        assert_eq!((operator.negated, operator.quantifier, operator.if_exists), (true, Quantifier::Any, true));
    }

    #[test]
    fn what_iam_does_not_have_is_no_operator() {
        for name in [
            "",
            "stringEquals",
            "StringEqual",
            "IfExists",
            "NullIfExists",
            "ForAllValues:Null",
            "ForSomeValues:Bool",
            "BoolNotEquals",
        ] {
            assert_eq!(Operator::parse(name), None, "{name}");
        }
    }
}
