//! What travels and what is written down: its kind and its part in the fingerprint. Its size: `wire/size.rs`.
//!
//! Everything that is `Serialize` qualifies: `serde`'s derive visits every field in the order of the source, so no
//! field can be forgotten in the fingerprint, and the first enum variant met is the message's *kind*.

mod size;

pub use size::size;

use serde::Serialize;
use serde::ser::{self, Impossible};
use std::fmt::{self, Debug, Display};
use xxhash_rust::xxh3::Xxh3;

/// A message, record, request or reply.
pub trait Wire: Clone + Debug + Serialize + 'static {}
impl<T: Clone + Debug + Serialize + 'static> Wire for T {}

/// The name of a message's outermost enum variant, such as `AppendEntries`; the type's own name if it is no enum.
pub fn kind(item: &impl Serialize) -> &'static str {
    match item.serialize(KindOf) {
        Err(Found(name)) => name,
        Ok(()) => "value",
    }
}

const BUFFER: usize = 8 * 1024;

/// A running hash over everything delivered: eight little-endian bytes a word, so that it is the same on every machine.
#[derive(Clone)]
pub struct Fingerprint {
    buffer: Box<[u8; BUFFER]>,
    used: usize,
    hash: Box<Xxh3>,
}

impl Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({:016x})", self.digest())
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint { buffer: Box::new([0; BUFFER]), used: 0, hash: Box::new(Xxh3::new()) }
    }
}

impl Fingerprint {
    /// Adds one word.
    #[inline]
    pub fn word(&mut self, word: u64) {
        if self.used == BUFFER {
            self.hash.update(&self.buffer[..]);
            self.used = 0;
        }
        self.buffer[self.used..self.used + 8].copy_from_slice(&word.to_le_bytes());
        self.used += 8;
    }

    /// Adds every field of an item.
    #[inline]
    pub fn item(&mut self, item: &impl Serialize) {
        item.serialize(Feed(self)).expect("feeding a hash cannot fail");
    }

    /// The hash of everything added so far.
    pub fn digest(&self) -> u64 {
        let mut hash = self.hash.clone();
        hash.update(&self.buffer[..self.used]);
        hash.digest()
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }
}

/// Stands for "nothing here"; no number that occurs in practice.
const NOTHING: u64 = 0x6e6f_7468_696e_6721;
/// Stands before an optional that is there.
const SOMETHING: u64 = 0x736f_6d65_7468_6967;

/// What an item of unknown length feeds in place of its length.
const UNCOUNTED: u64 = u64::MAX;

struct Feed<'a>(&'a mut Fingerprint);

/// Neither feeding nor counting can fail, but serde wants an error type.
#[derive(Debug)]
struct NoError;

impl Display for NoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no error")
    }
}

impl std::error::Error for NoError {}

impl ser::Error for NoError {
    fn custom<T: Display>(message: T) -> Self {
        panic!("an item cannot be serialized: {message}")
    }
}

macro_rules! feed_numbers {
    ($($method:ident $type:ty),*) => {$(
        #[inline]
        fn $method(self, number: $type) -> Result<(), NoError> {
            self.0.word(number as u64);
            Ok(())
        }
    )*};
}

impl ser::Serializer for Feed<'_> {
    type Ok = ();
    type Error = NoError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    feed_numbers!(
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_char char
    );
    fn serialize_i128(self, number: i128) -> Result<(), NoError> {
        self.0.word(number as u64);
        self.0.word((number >> 64) as u64);
        Ok(())
    }
    fn serialize_u128(self, number: u128) -> Result<(), NoError> {
        self.0.word(number as u64);
        self.0.word((number >> 64) as u64);
        Ok(())
    }
    fn serialize_f32(self, number: f32) -> Result<(), NoError> {
        self.0.word(u64::from(number.to_bits()));
        Ok(())
    }
    fn serialize_f64(self, number: f64) -> Result<(), NoError> {
        self.0.word(number.to_bits());
        Ok(())
    }
    fn serialize_str(self, text: &str) -> Result<(), NoError> {
        self.0.bytes(text.as_bytes());
        Ok(())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), NoError> {
        self.0.bytes(bytes);
        Ok(())
    }
    #[inline]
    fn serialize_none(self) -> Result<(), NoError> {
        self.serialize_unit()
    }
    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoError> {
        self.0.word(SOMETHING);
        value.serialize(self)
    }
    #[inline]
    fn serialize_unit(self) -> Result<(), NoError> {
        self.0.word(NOTHING);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoError> {
        self.serialize_unit()
    }
    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), NoError> {
        self.0.word(u64::from(index));
        Ok(())
    }
    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NoError> {
        value.serialize(self)
    }
    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoError> {
        self.0.word(u64::from(index));
        value.serialize(self)
    }
    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, NoError> {
        self.0.word(len.map_or(UNCOUNTED, |len| len as u64));
        Ok(self)
    }
    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, NoError> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NoError> {
        Ok(self)
    }
    #[inline]
    fn serialize_tuple_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, NoError> {
        self.0.word(u64::from(index));
        Ok(self)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Self, NoError> {
        self.serialize_seq(len)
    }
    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NoError> {
        Ok(self)
    }
    #[inline]
    fn serialize_struct_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, NoError> {
        self.0.word(u64::from(index));
        Ok(self)
    }
}

macro_rules! feed_parts {
    ($($trait:ident $method:ident),*) => {$(
        impl ser::$trait for Feed<'_> {
            type Ok = ();
            type Error = NoError;
            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<(), NoError> {
                part.serialize(Feed(self.0))
            }
            #[inline]
            fn end(self) -> Result<(), NoError> {
                Ok(())
            }
        }
    )*};
}
feed_parts!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

macro_rules! feed_fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Feed<'_> {
            type Ok = ();
            type Error = NoError;
            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, field: &T) -> Result<(), NoError> {
                field.serialize(Feed(self.0))
            }
            #[inline]
            fn end(self) -> Result<(), NoError> {
                Ok(())
            }
        }
    )*};
}
feed_fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Feed<'_> {
    type Ok = ();
    type Error = NoError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoError> {
        key.serialize(Feed(self.0))
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoError> {
        value.serialize(Feed(self.0))
    }
    fn end(self) -> Result<(), NoError> {
        Ok(())
    }
}

/// Stops at the first name it meets, with the name as its "error".
struct KindOf;

#[derive(Debug)]
struct Found(&'static str);

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Found {}

impl ser::Error for Found {
    fn custom<T: Display>(_: T) -> Self {
        Found("value")
    }
}

macro_rules! kind_value {
    ($($method:ident($($type:ty),*)),*) => {$(
        fn $method(self, $(_: $type),*) -> Result<(), Found> {
            Ok(())
        }
    )*};
}

impl ser::Serializer for KindOf {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Impossible<(), Found>;
    type SerializeTuple = Impossible<(), Found>;
    type SerializeTupleStruct = Impossible<(), Found>;
    type SerializeTupleVariant = Impossible<(), Found>;
    type SerializeMap = Impossible<(), Found>;
    type SerializeStruct = Impossible<(), Found>;
    type SerializeStructVariant = Impossible<(), Found>;

    kind_value!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_none(),
        serialize_unit()
    );
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Found> {
        value.serialize(self)
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Found> {
        Err(Found(name))
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Found> {
        Err(Found(variant))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, _: &T) -> Result<(), Found> {
        Err(Found(name))
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), Found> {
        Err(Found(variant))
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Found> {
        Err(Found("sequence"))
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Found> {
        Err(Found("tuple"))
    }
    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Found> {
        Err(Found(name))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Found> {
        Err(Found(variant))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Found> {
        Err(Found("map"))
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, Found> {
        Err(Found(name))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Found> {
        Err(Found(variant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Value;

    #[derive(Clone, Debug, Serialize)]
    enum Message {
        Vote { term: u64, granted: bool },
        Append(Vec<(u64, Value)>),
        Hello,
    }

    fn digest(message: &Message) -> u64 {
        let mut fingerprint = Fingerprint::default();
        fingerprint.item(message);
        fingerprint.digest()
    }

    #[test]
    fn every_field_counts() {
        let all = [
            Message::Vote { term: 3, granted: true },
            Message::Vote { term: 3, granted: false },
            Message::Vote { term: 4, granted: true },
            Message::Append(vec![]),
            Message::Append(vec![(1, Value::Nil)]),
            Message::Append(vec![(1, Value::Int(0))]),
            Message::Append(vec![(1, Value::text("ab"))]),
            Message::Append(vec![(1, Value::text("ab")), (1, Value::Nil)]),
            Message::Hello,
        ];
        for (i, a) in all.iter().enumerate() {
            for b in &all[..i] {
                assert_ne!(digest(a), digest(b), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn the_kind_is_the_variant() {
        assert_eq!(kind(&Message::Vote { term: 1, granted: true }), "Vote");
        assert_eq!(kind(&Message::Append(vec![])), "Append");
        assert_eq!(kind(&Message::Hello), "Hello");
        assert_eq!(kind(&7u64), "value");
    }

    /// The hash does not depend on where its buffer happened to end.
    #[test]
    fn long_streams_are_hashed_whole() {
        let mut fingerprint = Fingerprint::default();
        let mut bytes = Vec::new();
        for word in 0..3000u64 {
            fingerprint.word(word);
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        assert_eq!(fingerprint.digest(), xxhash_rust::xxh3::xxh3_64(&bytes));
    }
}
