//! Which attribute of Terraform's is which property of CloudFormation's, and in which shape.

/// One attribute of Terraform's, and what it becomes.
pub struct Field {
    pub from: &'static str,
    pub to: &'static str,
    pub shape: Shape,
}

/// In which shape.
pub enum Shape {
    /// As it is.
    Plain,
    /// As it is, unless it is what it is anyway.
    Unless(&'static str),
    /// A value that is taken whole from another resource where it is taken from one: an ARN, a name.
    Direct,
    /// The same where it has no effect here: it is left out when nobody knows it.
    Loose,
    /// The same as a list.
    List,
    /// The URI of a REST integration or an authorizer: of a function, its invocation.
    Uri,
    /// The URI of an HTTP integration: of a function, also its ARN.
    HttpUri,
    /// The issuer of tokens.
    Issuer,
    /// A text that is a number.
    Number,
    /// A text that holds JSON.
    Json,
    /// The id of one of these kinds.
    Link(&'static [&'static str]),
    /// The id of a VPC link: any name will do where the link is not in the file.
    VpcLink(&'static [&'static str]),
    /// The id of a resource of a REST API, its root included.
    Parent,
    /// `integrations/ID`
    Target,
    /// The path of a resource and a method: `pets/{id}/GET`.
    MethodPath,
    /// A block that stands once at most, as a list of one.
    Block(&'static [Field]),
    /// Blocks.
    Blocks(&'static [Field]),
    /// It does not change what is served.
    Unused,
}

/// A field of a table.
pub const fn field(from: &'static str, to: &'static str, shape: Shape) -> Field {
    Field { from, to, shape }
}

/// An attribute that does not change what is served.
pub const fn unused(from: &'static str) -> Field {
    Field { from, to: "", shape: Shape::Unused }
}
