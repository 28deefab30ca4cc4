//! Digits of any script, and letters that are taken for them.

/// Zeros of the scripts that write decimal digits (Unicode's general category `Nd`, version 16); each is followed by its
/// nine others.
const ZEROS: [u32; 75] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
    0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40,
    0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA,
    0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50,
    0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1,
    0x1E950, 0x1FBF0,
];

/// Digits that are signs of their own (`No`): raised, lowered, circled, in parentheses, with a full stop. Each row: the
/// first one, its value, how many follow each other.
const SIGNS: [(u32, u8, u32); 19] = [
    (0xB2, 2, 2),
    (0xB9, 1, 1),
    (0x1369, 1, 9),
    (0x19DA, 1, 1),
    (0x2070, 0, 1),
    (0x2074, 4, 6),
    (0x2080, 0, 10),
    (0x2460, 1, 9),
    (0x2474, 1, 9),
    (0x2488, 1, 9),
    (0x24EA, 0, 1),
    (0x24F5, 1, 9),
    (0x24FF, 0, 1),
    (0x2776, 1, 9),
    (0x2780, 1, 9),
    (0x278A, 1, 9),
    (0x10E60, 1, 9),
    (0x1F100, 0, 1),
    (0x1F101, 0, 10),
];

/// Signs for ten to twenty, as [`SIGNS`].
const PAIRS: [(u32, u8, u32); 8] = [
    (0x2469, 10, 11),
    (0x247D, 10, 11),
    (0x2491, 10, 11),
    (0x24EB, 11, 10),
    (0x24FE, 10, 1),
    (0x277F, 10, 1),
    (0x2789, 10, 1),
    (0x2793, 10, 1),
];

/// Reads a character as a decimal digit.
pub(super) fn digit(c: char) -> Option<u8> {
    if c.is_ascii() {
        return c.is_ascii_digit().then(|| c as u8 - b'0');
    }
    let code = u32::from(c);
    let zero = ZEROS[ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?];
    let decimal = code - zero;
    if decimal < 10 { u8::try_from(decimal).ok() } else { in_rows(&SIGNS, code) }
}

/// Reads a sign for ten to twenty.
pub(super) fn pair(c: char) -> Option<u8> {
    if c.is_ascii() { None } else { in_rows(&PAIRS, u32::from(c)) }
}

fn in_rows(rows: &[(u32, u8, u32)], code: u32) -> Option<u8> {
    let (first, value, _) = rows.iter().find(|(first, _, count)| (*first..first + count).contains(&code))?;
    u8::try_from(code - first).ok().map(|offset| value + offset)
}

/// Reads a letter as the digit that it is mistaken for: speech recognition and people write `O` for zero.
pub(super) fn lookalike(c: char) -> Option<u8> {
    match c {
        'O' | 'o' => Some(0),
        'I' | 'i' | 'l' => Some(1),
        'S' | 's' => Some(5),
        'B' => Some(8),
        _ => None,
    }
}

/// Tells a character that shows nothing and separates nothing: a combining mark, a joiner, a soft hyphen.
pub(in super::super) fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{300}'..='\u{36F}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{20E3}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_script_are_read() {
        for text in [
            "0123456789",
            "०१२३४५६७८९",
            "０１２３４５６７８９",
            "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
            "⓪①②③④⑤⑥⑦⑧⑨",
            "⁰¹²³⁴⁵⁶⁷⁸⁹",
            "🄋➀➁➂➃➄➅➆➇➈",
        ] {
            let read: Vec<Option<u8>> = text.chars().skip_while(|c| *c == '🄋').map(digit).collect();
            let from = 10 - u8::try_from(read.len()).expect("ten at most");
            assert_eq!(read, (from..10).map(Some).collect::<Vec<_>>(), "{text}");
        }
        assert_eq!("añ|Ⅷ½".chars().find_map(digit), None);
        assert_eq!((pair('⑩'), pair('⑳'), pair('①')), (Some(10), Some(20), None));
        assert!(ZEROS.is_sorted());
    }
}
