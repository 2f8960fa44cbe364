//! The parts of `attack.rs`.

pub mod answer;
pub mod classes;
pub mod gateway;
pub mod h2;
pub mod hostile;
pub mod matrix;
pub mod proof;
pub mod shot;
pub mod upstream;
pub mod wrong_answers;
