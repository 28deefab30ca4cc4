//! Chance that can be repeated: the same seed, name and number always give the same draw.
//!
//! Nothing here depends on what was drawn before, so one conversation can be made without making the others.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng};

/// A generator of its own for one thing (`name`) of one number.
pub(crate) fn rng(seed: u64, name: &str, number: u64) -> Xoshiro256PlusPlus {
    // FNV-1a over the name, so that two names never share a sequence
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    Xoshiro256PlusPlus::seed_from_u64(
        seed.rotate_left(32) ^ hash ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    )
}

/// A draw of 64 bits for one thing (`name`) of one number.
pub(crate) fn draw(seed: u64, name: &str, number: u64) -> u64 {
    rng(seed, name, number).next_u64()
}

/// Is `number` among the share `probability` of all numbers? Raising the probability keeps those already chosen.
pub(crate) fn is_chosen(seed: u64, name: &str, number: u64, probability: f64) -> bool {
    probability > 0.0 && rng(seed, name, number).random_bool(probability.min(1.0))
}

/// One of `choices`.
pub(crate) fn pick<'a, T: ?Sized>(rng: &mut Xoshiro256PlusPlus, choices: &[&'a T]) -> &'a T {
    choices[rng.random_range(0..choices.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_a_probability_keeps_those_already_chosen() {
        for number in 0..2000 {
            if is_chosen(7, "missing", number, 0.1) {
                assert!(is_chosen(7, "missing", number, 0.3));
            }
            assert!(is_chosen(7, "missing", number, 1.0));
            assert!(!is_chosen(7, "missing", number, 0.0));
        }
        let chosen = (0..2000).filter(|number| is_chosen(7, "missing", *number, 0.1)).count();
        assert!((120..280).contains(&chosen), "{chosen}");
    }
}
