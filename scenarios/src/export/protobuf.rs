//! As much of the protobuf wire format as a trace needs: <https://protobuf.dev/programming-guides/encoding>.

/// A message being written: fields one after the other, in the order in which they are added.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;

impl Message {
    /// A number; also an enum or a truth.
    pub(super) fn number(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3 | VARINT);
        self.varint(number);
        self
    }

    /// A number of eight bytes.
    pub(super) fn fixed(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3 | FIXED64);
        self.0.extend(number.to_le_bytes());
        self
    }

    /// A text.
    pub(super) fn text(self, field: u64, text: &str) -> Self {
        self.delimited(field, text.as_bytes())
    }

    /// A message within this one.
    pub(super) fn message(self, field: u64, message: &Message) -> Self {
        self.delimited(field, &message.0)
    }

    /// What was written.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn delimited(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | LENGTH_DELIMITED);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    /// Seven bits a byte, the lowest first; the highest bit says that more follow.
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the format's own description.
    #[test]
    fn it_writes_what_the_description_says() {
        assert_eq!(Message::default().number(1, 150).bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").bytes(), b"\x12\x07testing");
        let inner = Message::default().number(1, 150);
        assert_eq!(Message::default().message(3, &inner).bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().fixed(1, 0x0102).bytes(), [0x09, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Message::default().number(1, u64::MAX).bytes().len(), 11);
    }
}
