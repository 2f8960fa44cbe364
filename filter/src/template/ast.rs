//! A template as it was read. Nothing in it belongs to a request, so workers share it.

/// What renders one after another.
pub type Block = Vec<Node>;

/// A variable, by its place among the template's names.
pub type Slot = usize;

/// One thing that renders.
#[derive(Debug, PartialEq)]
pub enum Node {
    /// Stands for itself.
    Text(Box<str>),
    /// `$a.b`
    Print(Print),
    /// `#set`
    Set(Reference, Expression),
    /// `#if`, `#elseif`: the block of the first condition that holds; else the last block.
    If(Vec<(Expression, Block)>, Block),
    /// `#foreach`
    Foreach(Slot, Expression, Block),
    /// `#define`
    Define(Slot, Block),
    /// `#break`, of a scope when one is named.
    Break(Option<Expression>),
    /// `#stop`
    Stop,
}

/// A reference that prints.
#[derive(Debug, PartialEq)]
pub struct Print {
    pub reference: Reference,
    /// As written. It prints in the place of a `#define` that is within itself too deep.
    pub literal: Box<str>,
}

/// `$name`, and what is asked of it.
#[derive(Debug, PartialEq)]
pub struct Reference {
    pub slot: Slot,
    pub links: Vec<Link>,
}

/// One step from a value to the next.
#[derive(Debug, PartialEq)]
pub enum Link {
    /// `.name`
    Property(Box<str>),
    /// `[key]`
    Index(Expression),
    /// `.name(arguments)`
    Method(Box<str>, Vec<Expression>),
}

/// What has a value.
#[derive(Debug, PartialEq)]
pub enum Expression {
    Boolean(bool),
    Integer(i64),
    BigInteger(Box<str>),
    Double(f64),
    Text(Box<str>),
    /// A string in double quotes that has something to evaluate.
    Interpolated(Block),
    Reference(Reference),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    /// `[a..b]`
    Range(Box<(Expression, Expression)>),
    Not(Box<Expression>),
    /// Operators of one precedence, from the left; flat, so that a long sum is not a deep tree.
    Chain(Box<Expression>, Vec<(Operator, Expression)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}
