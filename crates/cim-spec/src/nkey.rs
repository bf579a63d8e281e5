//! Public nkeys, checked without any key material: <https://docs.nats.io/reference/config>.
//!
//! An nkey is base32 of a kind byte, 32 key bytes and a CRC-16: a typing mistake shows.

use crate::problem::Refused;

const USER: u8 = 20 << 3;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Whether the text is a user's public nkey (`U…`, 56 characters, checksum right).
pub fn is_user(text: &str) -> bool {
    decode(text).is_some_and(|bytes| {
        let (data, sum) = bytes.split_at(33);
        data[0] == USER && crc16(data).to_le_bytes() == sum
    })
}

/// Checks a public nkey of the kind that a letter stands for: `O`perator, `A`ccount, `U`ser, curve (`X`), …
///
/// # Errors
/// Another kind, or a typing mistake.
pub fn check(text: &str, letter: char) -> Result<(), Refused> {
    let sound = decode(text).is_some_and(|bytes| {
        let (data, sum) = bytes.split_at(33);
        crc16(data).to_le_bytes() == sum
    });
    if sound && text.starts_with(letter) {
        return Ok(());
    }
    Err(Refused::new(
        "is not a public nkey of the right kind",
        format!("write the 56 characters that start with {letter}"),
    ))
}

fn decode(text: &str) -> Option<[u8; 35]> {
    if text.len() != 56 {
        return None;
    }
    let mut bytes = [0; 35];
    for (bit, symbol) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|known| *known == symbol)?;
        for offset in 0..5 {
            let position = bit * 5 + offset;
            if value & (16 >> offset) != 0 {
                bytes[position / 8] |= 128 >> (position % 8);
            }
        }
    }
    Some(bytes)
}

/// CRC-16/XMODEM, as nkeys uses it.
fn crc16(data: &[u8]) -> u16 {
    data.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 != 0 {
                (crc << 1) ^ 0x1021
            } else {
                crc << 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use nkeys::KeyPair;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_of_the_nkeys_crate_are_read_and_typing_mistakes_found(
            raw in any::<[u8; 32]>(), position in 0usize..56, letter in "[A-Z2-7]"
        ) {
            let pair = KeyPair::new_from_raw(nkeys::KeyPairType::User, raw).unwrap();
            let public = pair.public_key();
            prop_assert!(is_user(&public));
            prop_assert!(crate::secret::is_in(&pair.seed().unwrap()));
            prop_assert!(!crate::secret::is_in(&public));
            let mut typo = public.clone();
            typo.replace_range(position..=position, &letter);
            prop_assert_eq!(is_user(&typo), typo == public);
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = (is_user(&text), crate::secret::is_in(&text));
        }
    }

    #[test]
    fn an_account_key_is_not_a_user() {
        assert!(!is_user(&KeyPair::new_account().public_key()));
    }
}
