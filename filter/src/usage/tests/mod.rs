//! What counts, from the outside: each part against a model that is written another way.

mod demand;
mod meter;
mod quota;
mod throttle;
