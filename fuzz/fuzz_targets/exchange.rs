//! Whole exchanges: every event in every order, several streams and two workers at once, clocks that jump, configurations that are
//! swapped. What holds is asserted in [`tollgate_fuzz::play`].

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_fuzz::play;

fuzz_target!(|data: &[u8]| play(data));
