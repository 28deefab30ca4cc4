//! Readings of tokens: every number that begins at a token, as digits. `treinta cuatro` is 34, and also 30 and 4.

use smallvec::SmallVec;

use super::{Token, Value};

/// Longest number that is read in one piece: `ciento veintitrés mil cuatrocientos cincuenta y seis`.
const MAX_DIGITS: usize = 6;

/// One reading of the tokens from some place on.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Edge {
    /// Index of the first token after it.
    pub(in super::super) end: usize,
    digits: [u8; MAX_DIGITS],
    length: usize,
}

impl Edge {
    /// Most tokens that one reading takes: three below a thousand, `mil`, and three again.
    pub(in super::super) const MAX_TOKENS: usize = 7;

    fn new(end: usize, digits: &[u8]) -> Option<Self> {
        let mut all = [0; MAX_DIGITS];
        all.get_mut(..digits.len())?.copy_from_slice(digits);
        Some(Self { end, digits: all, length: digits.len() })
    }

    /// Digits of it, each 0 to 9.
    pub(in super::super) fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

/// Readings of a place: seldom more than a few.
pub(in super::super) type Edges = SmallVec<[Edge; 8]>;

/// Puts every reading that begins at a token into `read`, in the place of what was there.
pub(in super::super) fn edges(tokens: &[Token], at: usize, read: &mut Edges) {
    read.clear();
    match tokens[at].value {
        Value::Digit(digit) => {
            read.extend(Edge::new(at + 1, &[digit]));
            if let Some(unit) = unit_of_tens(tokens, at) {
                read.extend(Edge::new(at + 3, &[digit, unit]));
            }
            doubled(tokens, at, digit, read);
        }
        Value::Thousand => thousands(tokens, at, &[1], read),
        Value::Repeat(times) => repeated(tokens, at, times, read),
        Value::Plural(unit) => read.extend(Edge::new(at + 1, &[unit])),
        _ => {
            below_thousand(tokens, at, read);
            for index in 0..read.len() {
                let multiple = read[index];
                if next(tokens, multiple.end) == Some(Value::Thousand) {
                    thousands(tokens, multiple.end, multiple.digits(), read);
                }
            }
            if let Value::Unit(unit) = tokens[at].value {
                doubled(tokens, at, unit, read);
            }
            if let (Value::Unit(times @ 2..=4), Some(Value::Plural(unit))) =
                (tokens[at].value, next(tokens, at + 1))
            {
                read.extend(Edge::new(at + 2, &[unit; 4][..usize::from(times)]));
            }
        }
    }
}

/// `mil` at a place, after how many thousands it says: with nothing behind it, or the number that follows.
fn thousands(tokens: &[Token], at: usize, multiple: &[u8], read: &mut Edges) {
    let mut push = |end, rest: &[u8]| {
        let zeros = [0; 3].into_iter().skip(rest.len());
        let digits = multiple.iter().copied().chain(zeros).chain(rest.iter().copied());
        read.extend(Edge::new(end, &digits.collect::<SmallVec<[u8; 2 * MAX_DIGITS]>>()));
    };
    push(at + 1, &[]);
    if next(tokens, at + 1).is_some() {
        let mut rest = Edges::new();
        below_thousand(tokens, at + 1, &mut rest);
        for edge in rest {
            push(edge.end, edge.digits());
        }
    }
}

/// The unit in `50 y 5`, which speech recognition writes for 55: tens as digits, and one digit apart from them.
fn unit_of_tens(tokens: &[Token], at: usize) -> Option<u8> {
    let (Some(Value::Digit(0)), Some(Value::Digit(unit) | Value::Unit(unit))) =
        (next(tokens, at + 1), next(tokens, at + 2))
    else {
        return None;
    };
    let is_group = !tokens[at].is_glued && tokens[at + 1].is_glued && !tokens[at + 2].is_glued;
    (is_group && tokens.get(at + 3).is_none_or(|after| !after.is_glued)).then_some(unit)
}

/// `cinco doble`, said of the digit before it.
fn doubled(tokens: &[Token], at: usize, digit: u8, read: &mut Edges) {
    if let Some(Value::Repeat(times)) = next(tokens, at + 1) {
        read.extend(Edge::new(at + 2, &[digit; 4][..usize::from(times)]));
    }
}

fn repeated(tokens: &[Token], at: usize, times: u8, read: &mut Edges) {
    let mut inner = Edges::new();
    match next(tokens, at + 1) {
        Some(Value::Digit(digit)) => inner.extend(Edge::new(at + 2, &[digit])),
        Some(_) => below_hundred(tokens, at + 1, &mut inner),
        None => {}
    }
    read.extend(
        inner.iter().filter_map(|edge| Edge::new(edge.end, &edge.digits().repeat(usize::from(times)))),
    );
}

fn below_thousand(tokens: &[Token], at: usize, read: &mut Edges) {
    let Value::Hundreds(hundreds) = tokens[at].value else { return below_hundred(tokens, at, read) };
    read.extend(Edge::new(at + 1, &[hundreds, 0, 0]));
    if next(tokens, at + 1).is_some() {
        let mut rest = Edges::new();
        below_hundred(tokens, at + 1, &mut rest);
        read.extend(rest.iter().filter_map(|edge| match *edge.digits() {
            [unit] => Edge::new(edge.end, &[hundreds, 0, unit]),
            [tens, unit] => Edge::new(edge.end, &[hundreds, tens, unit]),
            _ => None,
        }));
    }
}

fn below_hundred(tokens: &[Token], at: usize, read: &mut Edges) {
    let mut push = |end, digits: &[u8]| read.extend(Edge::new(end, digits));
    match tokens[at].value {
        Value::Maybe(10) => push(at + 1, &[1, 0]),
        Value::Unit(digit) | Value::Maybe(digit) => push(at + 1, &[digit]),
        Value::Pair(tens, unit) => {
            push(at + 1, &[tens, unit]);
            // `diez y seis`
            if let (0, Some(Value::Unit(unit))) = (unit, next(tokens, at + 1)) {
                push(at + 2, &[tens, unit]);
            }
        }
        Value::Tens(tens) => {
            push(at + 1, &[tens, 0]);
            if let Some(Value::Unit(unit) | Value::Digit(unit) | Value::Maybe(unit @ 0..=9)) =
                next(tokens, at + 1)
            {
                push(at + 2, &[tens, unit]);
            }
        }
        Value::Digit(_) | Value::Hundreds(_) | Value::Thousand | Value::Repeat(_) | Value::Plural(_) => {}
    }
}

/// Value of a token that continues the one before it.
fn next(tokens: &[Token], at: usize) -> Option<Value> {
    let token = tokens.get(at)?;
    token.continues(&tokens[at - 1]).then_some(token.value)
}
