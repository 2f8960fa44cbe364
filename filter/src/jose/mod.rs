//! JSON Web Tokens and JSON Web Keys: read strictly, verified.
