//! How many bytes an item is, in a plain binary encoding.
//!
//! What a system of today would send if it took no special care: numbers of their own width, a byte for which variant an
//! enum or optional is, four bytes for how long a list or text is, texts as they are, names of fields never. (Postcard or
//! protobuf would make small numbers smaller; JSON would make everything several times larger.)

use super::NoError;
use serde::Serialize;
use serde::ser::{self, Serializer};

/// How many bytes an item is, without headers of the network.
pub fn size(item: &impl Serialize) -> u64 {
    let mut bytes = 0;
    item.serialize(Count(&mut bytes)).expect("counting cannot fail");
    bytes
}

/// Which of an enum's variants it is, or whether an optional is there.
const TAG: u64 = 1;
/// How long a list, map or text is.
const LENGTH: u64 = 4;

struct Count<'a>(&'a mut u64);

impl Count<'_> {
    fn add(self, bytes: u64) -> Result<(), NoError> {
        *self.0 += bytes;
        Ok(())
    }
}

macro_rules! count_numbers {
    ($($method:ident $type:ty),*) => {$(
        fn $method(self, _: $type) -> Result<(), NoError> {
            self.add(size_of::<$type>() as u64)
        }
    )*};
}

impl<'a> Serializer for Count<'a> {
    type Ok = ();
    type Error = NoError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    count_numbers!(
        serialize_bool bool, serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_i128 i128, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64,
        serialize_u128 u128, serialize_f32 f32, serialize_f64 f64, serialize_char char
    );
    fn serialize_str(self, text: &str) -> Result<(), NoError> {
        self.serialize_bytes(text.as_bytes())
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), NoError> {
        self.add(LENGTH + bytes.len() as u64)
    }
    fn serialize_none(self) -> Result<(), NoError> {
        self.add(TAG)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoError> {
        *self.0 += TAG;
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), NoError> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoError> {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), NoError> {
        self.add(TAG)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), NoError> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoError> {
        self.serialize_some(value)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NoError> {
        *self.0 += LENGTH;
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, NoError> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NoError> {
        Ok(self)
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, NoError> {
        *self.0 += TAG;
        Ok(self)
    }
    fn serialize_map(self, len: Option<usize>) -> Result<Self, NoError> {
        self.serialize_seq(len)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NoError> {
        Ok(self)
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, NoError> {
        *self.0 += TAG;
        Ok(self)
    }
}

macro_rules! count_parts {
    ($($trait:ident $method:ident $($name:ty)?),*) => {$(
        impl ser::$trait for Count<'_> {
            type Ok = ();
            type Error = NoError;
            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? part: &T) -> Result<(), NoError> {
                part.serialize(Count(self.0))
            }
            fn end(self) -> Result<(), NoError> {
                Ok(())
            }
        }
    )*};
}
count_parts!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
    SerializeStruct serialize_field &'static str,
    SerializeStructVariant serialize_field &'static str
);

impl ser::SerializeMap for Count<'_> {
    type Ok = ();
    type Error = NoError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoError> {
        key.serialize(Count(self.0))
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoError> {
        value.serialize(Count(self.0))
    }
    fn end(self) -> Result<(), NoError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    enum Message {
        Hello,
        Vote { term: u64, granted: bool },
        Append(Vec<(u32, String)>),
        Named(BTreeMap<u8, Option<u16>>),
    }

    #[test]
    fn every_field_has_its_width() {
        assert_eq!(size(&Message::Hello), 1);
        assert_eq!(size(&Message::Vote { term: 0, granted: true }), 1 + 8 + 1);
        let entry = |text: &str| (7, text.to_owned());
        assert_eq!(size(&Message::Append(vec![])), 1 + 4);
        assert_eq!(size(&Message::Append(vec![entry("ab"), entry("")])), 1 + 4 + (4 + 4 + 2) + (4 + 4));
        assert_eq!(size(&Message::Named(BTreeMap::from([(1, None), (2, Some(3))]))), 1 + 4 + (1 + 1) + (1 + 1 + 2));
    }
}
