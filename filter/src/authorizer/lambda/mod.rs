//! Lambda authorizers of REST and HTTP APIs: everything but the call itself.
