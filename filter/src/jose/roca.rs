//! ROCA (CVE-2017-15361): moduli of a chip's flawed key generator, which can be factored. Such a modulus is a power of 65537 modulo
//! every small prime; another one is so with all of them less often than once in 2^27.

/// The generator takes the primes up to here at the least for moduli of 2048 bits and more.
const LARGEST_PRIME: u32 = 701;

/// True if the modulus (big-endian) bears the mark.
pub(super) fn is_marked(modulus: &[u8]) -> bool {
    (3..=LARGEST_PRIME).step_by(2).filter(|number| is_prime(*number)).all(|prime| {
        let residue = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        is_power(residue, prime)
    })
}

fn is_prime(odd: u32) -> bool {
    (3..odd).step_by(2).take_while(|divisor| divisor * divisor <= odd).all(|divisor| odd % divisor != 0)
}

/// The powers of 65537 repeat after less than `prime` steps.
fn is_power(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    (0..prime).any(|_| {
        power = power * (65537 % prime) % prime;
        power == residue
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_the_generator_are_marked_and_others_are_not() {
        assert!(is_marked(&[1]));
        assert!(is_marked(&[1, 0, 1]));
        assert!(!is_marked(&[2]));
        assert!(!is_marked(&[0xc5; 256]));
        assert!(is_power(2, 3) && !is_power(0, 3) && !is_power(3, 11));
    }
}
