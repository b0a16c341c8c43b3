//! A reader of CBOR (RFC 8949) as CTAP2 has it: one spelling for each value (CTAP 2.1 §8, "Message Encoding").
//!
//! It knows what attestation objects, keys and extension outputs are made of. Tags and floating-point numbers are in none
//! of them and are refused with the rest: indefinite lengths, lengths not written in the fewest octets, keys out of order or
//! twice, more than four levels.

/// A value that was read, borrowed from the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Major types 0 and 1.
    Integer(i64),
    /// Major type 2.
    Bytes(&'a [u8]),
    /// Major type 3.
    Text(&'a str),
    /// Major type 4.
    Array(Vec<Value<'a>>),
    /// Major type 5; every key is an integer or a text and comes once.
    Map(Vec<(Value<'a>, Value<'a>)>),
    /// `true` and `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// Why octets are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CborError {
    /// The input ends inside a value.
    #[error("it ends too early")]
    Short,
    /// Something follows the value.
    #[error("something follows it")]
    Trailing,
    /// A length without an end, or a reserved one.
    #[error("a length is indefinite or reserved")]
    Indefinite,
    /// A number that fewer octets could hold.
    #[error("a number is not in its shortest form")]
    NotShortest,
    /// An integer beyond 64 bits with sign.
    #[error("an integer is too large")]
    TooLarge,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A tag, a floating-point number, `undefined` or another simple value.
    #[error("a kind of value is not used here")]
    Unsupported,
    /// A key that is no integer and no text.
    #[error("a key is neither an integer nor a text")]
    Key,
    /// A key that comes twice.
    #[error("a key comes twice")]
    DuplicateKey,
    /// Keys are sorted by kind, then length, then octets.
    #[error("the keys are not in order")]
    KeyOrder,
    /// More than four levels of arrays and maps.
    #[error("it is nested too deeply")]
    TooDeep,
}

/// How many levels of arrays and maps there may be.
const LEVELS_MAX: u8 = 4;

/// Reads the one value that the input is.
pub(crate) fn read(input: &[u8]) -> Result<Value<'_>, CborError> {
    let (value, rest) = read_first(input)?;
    if rest.is_empty() { Ok(value) } else { Err(CborError::Trailing) }
}

/// Reads the value that the input begins with; also gives what follows it.
pub(crate) fn read_first(input: &[u8]) -> Result<(Value<'_>, &[u8]), CborError> {
    let mut reader = Reader { rest: input };
    let value = reader.value(LEVELS_MAX)?;
    Ok((value, reader.rest))
}

impl<'a> Value<'a> {
    /// The entries, if this is a map.
    pub(crate) fn entries(&self) -> Option<&[(Value<'a>, Value<'a>)]> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    /// What this map has under an integer.
    pub(crate) fn at(&self, label: i64) -> Option<&Value<'a>> {
        self.under(&Value::Integer(label))
    }

    /// What this map has under a text.
    pub(crate) fn named(&self, name: &str) -> Option<&Value<'a>> {
        self.under(&Value::Text(name))
    }

    /// The octets, if this is a byte string.
    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    fn under(&self, wanted: &Value<'_>) -> Option<&Value<'a>> {
        self.entries()?.iter().find(|(key, _)| key == wanted).map(|(_, value)| value)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A value with so many levels of arrays and maps at most.
    fn value(&mut self, levels: u8) -> Result<Value<'a>, CborError> {
        let first = self.octet()?;
        let (major, info) = (first >> 5, first & 0x1f);
        if major == 7 {
            return match info {
                20 => Ok(Value::Bool(false)),
                21 => Ok(Value::Bool(true)),
                22 => Ok(Value::Null),
                _ => Err(CborError::Unsupported),
            };
        }
        let number = self.number(info)?;
        match major {
            0 => Ok(Value::Integer(i64::try_from(number).map_err(|_| CborError::TooLarge)?)),
            // -1 - n is !n in two's complement.
            1 => Ok(Value::Integer(!i64::try_from(number).map_err(|_| CborError::TooLarge)?)),
            2 => Ok(Value::Bytes(self.take(number)?)),
            3 => Ok(Value::Text(str::from_utf8(self.take(number)?).map_err(|_| CborError::NotUtf8)?)),
            4 => self.array(number, levels.checked_sub(1).ok_or(CborError::TooDeep)?),
            5 => self.map(number, levels.checked_sub(1).ok_or(CborError::TooDeep)?),
            _ => Err(CborError::Unsupported),
        }
    }

    /// Room is made as values are read, whatever length was claimed: each takes an octet of the input at least.
    fn array(&mut self, length: u64, levels: u8) -> Result<Value<'a>, CborError> {
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(levels)?);
        }
        Ok(Value::Array(values))
    }

    fn map(&mut self, length: u64, levels: u8) -> Result<Value<'a>, CborError> {
        let mut entries = Vec::new();
        let mut before: Option<&[u8]> = None;
        for _ in 0..length {
            let start = self.rest;
            let key = self.value(levels)?;
            if !matches!(key, Value::Integer(_) | Value::Text(_)) {
                return Err(CborError::Key);
            }
            let spelling = &start[..start.len() - self.rest.len()];
            if before == Some(spelling) {
                return Err(CborError::DuplicateKey);
            }
            // Strictly ascending: no key comes twice.
            if before.is_some_and(|before| rank(before) > rank(spelling)) {
                return Err(CborError::KeyOrder);
            }
            before = Some(spelling);
            entries.push((key, self.value(levels)?));
        }
        Ok(Value::Map(entries))
    }

    /// The number in or after the first octet.
    fn number(&mut self, info: u8) -> Result<u64, CborError> {
        let octets = match info {
            0..24 => return Ok(u64::from(info)),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(CborError::Indefinite),
        };
        let number = self.take(octets)?.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
        let least = match info {
            24 => 24,
            25 => 1 << 8,
            26 => 1 << 16,
            _ => 1 << 32,
        };
        if number < least { Err(CborError::NotShortest) } else { Ok(number) }
    }

    fn octet(&mut self) -> Result<u8, CborError> {
        let (first, rest) = self.rest.split_first().ok_or(CborError::Short)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CborError> {
        let length = usize::try_from(length).map_err(|_| CborError::Short)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CborError::Short)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Where a key stands among those of its map: by major type, then length, then octets.
fn rank(spelling: &[u8]) -> (u8, usize, &[u8]) {
    (spelling.first().map_or(0, |first| first >> 5), spelling.len(), spelling)
}
