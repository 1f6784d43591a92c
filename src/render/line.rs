//! Values as JSON on one line that is the same to every reader.
//!
//! Streams write a decision for every failure: this writes whole texts and names at once, where a general writer looks at
//! each byte. What [`escaped`](super::escaped) escapes is escaped here as well, as JSON does it.

use std::fmt::{self, Display};
use std::io;

use serde::ser::{self, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple};

use super::escape::next_unsafe;

/// Writes a value on one line, without a line end.
///
/// # Errors
/// When the writer fails; memory does not.
pub(super) fn write(value: &impl Serialize, mut writer: impl io::Write) -> io::Result<()> {
    value.serialize(Writer(&mut writer)).map_err(|Error(error)| error)
}

/// A value on one line.
#[cfg(feature = "cli")]
pub(super) fn to_string(value: &impl Serialize) -> String {
    let mut line = Vec::new();
    // Texts, numbers and structs: writing them to memory cannot fail.
    let _ = write(value, &mut line);
    String::from_utf8(line).unwrap_or_default()
}

/// What keeps a value from being written: the writer, or a kind of value that no document of ours has.
#[derive(Debug)]
struct Error(io::Error);

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self(io::Error::other(message.to_string()))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

struct Writer<'w, W>(&'w mut W);

/// A list or an object that was begun.
struct Open<'w, W> {
    writer: &'w mut W,
    is_empty: bool,
    end: &'static [u8],
}

impl<'w, W: io::Write> Writer<'w, W> {
    fn open(self, start: &[u8], end: &'static [u8]) -> Result<Open<'w, W>, Error> {
        self.0.write_all(start)?;
        Ok(Open { writer: self.0, is_empty: true, end })
    }

    fn unused<T>(kind: &str) -> Result<T, Error> {
        Err(ser::Error::custom(format_args!("no document has {kind}")))
    }
}

impl<W: io::Write> Open<'_, W> {
    fn next(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_empty) {
            self.writer.write_all(b",")?;
        }
        Ok(())
    }

    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Error> {
        self.next()?;
        value.serialize(Writer(self.writer))
    }

    fn finish(self) -> Result<(), Error> {
        Ok(self.writer.write_all(self.end)?)
    }
}

/// Bytes that are looked at before anything is decided.
const RUN_BYTES: usize = 32;

/// Whether a text stands in JSON as it is: printable ASCII without quotes and backslashes.
fn is_plain(text: &str) -> bool {
    let (runs, rest) = text.as_bytes().as_chunks();
    // Filled up with what is plain, so that no byte is looked at alone.
    let mut last = [b' '; RUN_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    runs.iter().chain([&last]).all(is_plain_run)
}

/// The same for a run of bytes: without an early end, so that it takes a few instructions.
fn is_plain_run(run: &[u8; RUN_BYTES]) -> bool {
    run.iter().fold(true, |plain, byte| plain & is_plain_byte(*byte))
}

fn is_plain_byte(byte: u8) -> bool {
    matches!(byte, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~')
}

fn text(text: &str, writer: &mut impl io::Write) -> io::Result<()> {
    writer.write_all(b"\"")?;
    if is_plain(text) {
        writer.write_all(text.as_bytes())?;
    } else {
        escape(text, writer)?;
    }
    writer.write_all(b"\"")
}

fn escape(text: &str, writer: &mut impl io::Write) -> io::Result<()> {
    let next_mark = |from: usize| {
        let found = memchr::memchr2(b'"', b'\\', &text.as_bytes()[from..]);
        found.map_or(text.len(), |at| from + at)
    };
    let mut written = 0;
    let mut mark = next_mark(0);
    loop {
        // What must not be seen may stand in front of the next quote.
        let found = next_unsafe(&text[..mark], written).or_else(|| Some((mark, text[mark..].chars().next()?)));
        let Some((at, c)) = found else { return writer.write_all(&text.as_bytes()[written..]) };
        writer.write_all(&text.as_bytes()[written..at])?;
        match c {
            '"' => writer.write_all(b"\\\"")?,
            '\\' => writer.write_all(b"\\\\")?,
            '\n' => writer.write_all(b"\\n")?,
            '\r' => writer.write_all(b"\\r")?,
            '\t' => writer.write_all(b"\\t")?,
            '\u{8}' => writer.write_all(b"\\b")?,
            '\u{c}' => writer.write_all(b"\\f")?,
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        written = at + c.len_utf8();
        // Looked for once each: a text may have many lines and no quote.
        if mark < written {
            mark = next_mark(written);
        }
    }
}

/// Numbers, each as the library writes it.
macro_rules! numbers {
    ($($name:ident: $number:ty),*) => {$(
        fn $name(self, number: $number) -> Result<(), Error> {
            serde_json::to_writer(self.0, &number).map_err(|error| Error(error.into()))
        }
    )*};
}

impl<'w, W: io::Write> ser::Serializer for Writer<'w, W> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'w, W>;
    type SerializeTuple = Open<'w, W>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Open<'w, W>;
    type SerializeStruct = Open<'w, W>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        Ok(self.0.write_all(if value { b"true" } else { b"false" })?)
    }

    numbers!(
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64
    );

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        Ok(text(value, self.0)?)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Self::unused("bytes")
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(self.0.write_all(b"null")?)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut object = self.open(b"{", b"}")?;
        SerializeStruct::serialize_field(&mut object, variant, value)?;
        object.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Open<'w, W>, Error> {
        self.open(b"[", b"]")
    }

    fn serialize_tuple(self, _: usize) -> Result<Open<'w, W>, Error> {
        self.open(b"[", b"]")
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Impossible<(), Error>, Error> {
        Self::unused("structs without names")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Self::unused("variants with several values")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Open<'w, W>, Error> {
        self.open(b"{", b"}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Open<'w, W>, Error> {
        self.open(b"{", b"}")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        Self::unused("variants with fields")
    }
}

/// Lists of any and of a fixed length.
macro_rules! list {
    ($($list:ident),*) => {$(
        impl<W: io::Write> $list for Open<'_, W> {
            type Ok = ();
            type Error = Error;

            fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )*};
}

list!(SerializeSeq, SerializeTuple);

impl<W: io::Write> SerializeMap for Open<'_, W> {
    type Ok = ();
    type Error = Error;

    /// Names are texts in every document.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.item(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.writer.write_all(b":")?;
        value.serialize(Writer(self.writer))
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl<W: io::Write> SerializeStruct for Open<'_, W> {
    type Ok = ();
    type Error = Error;

    /// Names of fields are words that need no escapes.
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        let is_first = std::mem::take(&mut self.is_empty);
        self.writer.write_all(if is_first { b"\"" } else { b",\"" })?;
        self.writer.write_all(name.as_bytes())?;
        self.writer.write_all(b"\":")?;
        value.serialize(Writer(self.writer))
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::write;

    fn line(value: &impl serde::Serialize) -> String {
        let mut line = Vec::new();
        let written = write(value, &mut line);
        assert!(written.is_ok(), "{written:?}");
        String::from_utf8(line).unwrap_or_default()
    }

    #[test]
    fn unsafe_characters_are_escaped() {
        assert_eq!(line(&"a\"b\\c\n\t\u{8}\u{c}\u{1}\u{7f}"), r#""a\"b\\c\n\t\b\f\u0001\u007f""#);
        assert_eq!(line(&"ü\u{202e}漢\u{e0041}😀"), r#""ü\u202e漢\udb40\udc41😀""#);
        let lines = "a\n".repeat(500) + "\"" + &"b\\".repeat(500) + "\u{1b}";
        assert_eq!(line(&lines), ["\"", &"a\\n".repeat(500), "\\\"", &"b\\\\".repeat(500), "\\u001b\""].concat());
        assert_eq!(line(&"\u{1b}\"\u{1b}"), r#""\u001b\"\u001b""#);
    }

    #[test]
    fn as_the_library_writes_it() {
        #[derive(serde::Serialize)]
        enum Kind {
            One,
            Two(i64),
        }
        #[derive(serde::Serialize)]
        struct Fields<'t> {
            none: Option<u8>,
            some: Option<&'t str>,
            list: Vec<(i64, f64)>,
            short: f32,
            map: BTreeMap<&'t str, Kind>,
            empty: [u8; 0],
            is: bool,
            unit: (),
            value: Value,
        }
        let fields = Fields {
            none: None,
            some: Some("x"),
            list: vec![(i64::MIN, 0.5), (i64::MAX, -1e300)],
            short: 0.1,
            map: BTreeMap::from([("a\"", Kind::One), ("b", Kind::Two(-3))]),
            empty: [],
            is: true,
            unit: (),
            value: json!({"a": [1, null, {"b": "c\\d"}], "b": {}}),
        };
        assert_eq!(serde_json::to_string(&fields).ok(), Some(line(&fields)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is escaped, every reader reads the same text, and printable ASCII is written as the library does.
        #[test]
        fn texts_come_back(text in "\\PC{0,80}|[ -~\\n\"\\\\\u{7f}\u{202e}]{0,80}|[ -~]{0,200}") {
            let written = line(&text);
            let read: Option<String> = serde_json::from_str(&written).ok();
            prop_assert_eq!(read.as_ref(), Some(&text));
            if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
                prop_assert_eq!(serde_json::to_string(&text).ok(), Some(written));
            }
        }
    }
}
