//! A checksum of texts, against bits that a disk turns over. It is no protection against anybody who can write the file.

/// Any change of one text that leaves the others alone, within eight bytes of each other, gives another number; of other changes one in
/// 2⁶⁴ goes unseen.
pub(super) fn seal(texts: &[&str]) -> i64 {
    let mut state = 0x51_7c_c1_b7_27_22_0a_95_u64;
    // Each step maps states one to one, so that a difference never goes away again.
    let mut step = |word: u64| {
        state = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
    };
    for text in texts {
        step(text.len() as u64);
        for bytes in text.as_bytes().chunks(8) {
            let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            step(word);
        }
    }
    state.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts() {
        let text = "an identity, and what else there is to say of it".to_owned();
        let whole = seal(&["acme", &text]);
        for at in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let turned = String::from_utf8(bytes).unwrap();
                assert_ne!(seal(&["acme", &turned]), whole, "{turned}");
            }
        }
        assert_ne!(seal(&["acm", &format!("e{text}")]), whole);
    }
}
