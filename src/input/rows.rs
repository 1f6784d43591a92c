//! Rows of tables as records: each becomes an object with the names of its columns.

use std::io::{self, BufRead, BufReader, Read};

use csv_core::{ReadRecordResult, ReaderBuilder};

use crate::diagnostic::nearest;
use crate::model::limits;

use super::form::without_mark;
use super::mapping::{Fact, Mapping};
use super::records::fill;

/// What comes next.
pub(crate) enum Row {
    /// A row, as an object.
    Record,
    /// Something that is no row; why was said.
    Broken,
    /// Nothing.
    End,
}

/// Rows that are read from somewhere else than a stream.
pub(crate) trait RowSource: Send {
    /// Puts the next row into `row`, or why there is none into `broken`.
    fn next(&mut self, row: &mut Vec<u8>, broken: &mut String) -> Row;
}

/// Rows of CSV, whose first one names the columns. Quoted cells may hold line ends.
pub(super) struct CsvRows {
    core: csv_core::Reader,
    /// The names of the columns as JSON, each with its colon.
    names: Vec<Vec<u8>>,
    header: Vec<Vec<u8>>,
    cells: Vec<u8>,
    ends: Vec<usize>,
    rows: u64,
}

/// Bytes that a row may leave behind in memory for the next one.
const ROW_BYTES: usize = 1024 * 1024;

/// What was read of a row.
enum Read1 {
    /// So many cells.
    Cells(usize),
    TooLong,
    End,
}

impl CsvRows {
    /// Reads the names of the columns; nothing when there is no input.
    pub(super) fn open(reader: &mut BufReader<impl Read>, mapping: &Mapping) -> io::Result<Option<Self>> {
        if !fill(reader)? {
            return Ok(None);
        }
        let mark = reader.buffer().len() - without_mark(reader.buffer()).len();
        reader.consume(mark);
        let core = ReaderBuilder::new().delimiter(delimiter(reader.buffer())).build();
        let (cells, ends) = (vec![0; 4096], vec![0; 64]);
        let mut rows = Self { core, names: Vec::new(), header: Vec::new(), cells, ends, rows: 0 };
        let count = match rows.read(reader)? {
            Read1::Cells(count) => count,
            Read1::TooLong => return Err(io::Error::other("the first row, which names the columns, is too long")),
            Read1::End => return Ok(None),
        };
        rows.header = (0..count).map(|index| rows.cell(index).trim_ascii().to_vec()).collect();
        let header: Vec<String> = rows.header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        check_columns(&header.iter().map(String::as_str), mapping).map_err(io::Error::other)?;
        rows.names = header.iter().map(|name| serde_json::to_vec(name).unwrap_or_default()).collect();
        Ok(Some(rows))
    }

    /// Puts the next row into `row`, or why there is none into `broken`.
    pub(super) fn next(
        &mut self,
        reader: &mut BufReader<impl Read>,
        row: &mut Vec<u8>,
        broken: &mut String,
    ) -> io::Result<Row> {
        loop {
            let count = match self.read(reader)? {
                Read1::Cells(count) => count,
                Read1::TooLong => {
                    *broken = format!(
                        "row {} has more than {} bytes or {} cells; is a quote not closed?",
                        self.rows,
                        limits::RECORD_BYTES,
                        limits::RECORD_FIELDS
                    );
                    return Ok(Row::Broken);
                }
                Read1::End => return Ok(Row::End),
            };
            if count > self.names.len() {
                *broken = format!(
                    "row {} has {count} cells, the first row names {} columns; is a separator not in quotes?",
                    self.rows,
                    self.names.len()
                );
                return Ok(Row::Broken);
            }
            // A file that begins anew while it is followed begins with the names again.
            if count == self.header.len() && (0..count).all(|index| self.cell(index).trim_ascii() == self.header[index])
            {
                continue;
            }
            self.compose(count, row);
            return Ok(Row::Record);
        }
    }

    fn read(&mut self, reader: &mut BufReader<impl Read>) -> io::Result<Read1> {
        let (mut written, mut cells, mut is_too_long) = (0, 0, false);
        self.cells.truncate(ROW_BYTES);
        self.cells.shrink_to(ROW_BYTES);
        loop {
            // Nothing more at the end is what tells the parser that it is one.
            fill(reader)?;
            let (result, read, bytes, ends) =
                self.core.read_record(reader.buffer(), &mut self.cells[written..], &mut self.ends[cells..]);
            reader.consume(read);
            written += bytes;
            cells += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.cells.len() < limits::RECORD_BYTES => {
                    self.cells.resize((self.cells.len() * 2).min(limits::RECORD_BYTES), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() <= limits::RECORD_FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                // The rest of the row is skipped.
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (written, cells, is_too_long) = (0, 0, true);
                }
                ReadRecordResult::Record => {
                    self.rows += 1;
                    return Ok(if is_too_long { Read1::TooLong } else { Read1::Cells(cells) });
                }
                ReadRecordResult::End => return Ok(Read1::End),
            }
        }
    }

    fn cell(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.cells[start..self.ends[index]]
    }

    /// The row as an object; what is empty says nothing.
    fn compose(&self, count: usize, row: &mut Vec<u8>) {
        row.clear();
        row.push(b'{');
        for index in 0..count {
            let cell = self.cell(index);
            if cell.trim_ascii().is_empty() {
                continue;
            }
            if row.len() > 1 {
                row.push(b',');
            }
            row.extend_from_slice(&self.names[index]);
            row.push(b':');
            match std::str::from_utf8(cell) {
                // A text: writing it to memory cannot fail.
                Ok(text) => drop(serde_json::to_writer(&mut *row, text)),
                // Whoever reads the row says which byte it is.
                Err(_) => row.extend_from_slice(cell),
            }
        }
        row.push(b'}');
    }
}

/// What separates cells: the one of the usual separators that the first line has most of.
pub(super) fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| memchr::memchr_iter(wanted, line).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|&wanted| count(wanted)).unwrap_or(b',')
}

/// Refuses columns of which nothing becomes a fact, and mapped fields that are no column.
pub(super) fn check_columns<'c>(
    columns: &(impl Iterator<Item = &'c str> + Clone),
    mapping: &Mapping,
) -> Result<(), String> {
    let listed = || {
        let names: Vec<String> = columns.clone().take(20).map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    for field in mapping.fields() {
        let first = field.split('.').next().unwrap_or(field);
        if !columns.clone().any(|column| column == field || column == first) {
            let near = columns.clone().find(|column| column.eq_ignore_ascii_case(field));
            let help = match near.or_else(|| nearest(field, columns.clone())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the columns are {}", listed()),
            };
            return Err(format!("there is no column `{field}`; {help}"));
        }
    }
    if mapping.is_empty() && !columns.clone().any(|column| Fact::parse(column).is_some()) {
        return Err(format!(
            "no column has the name of a fact; say which is which with `--map FACT=COLUMN`. The columns are {}",
            listed()
        ));
    }
    Ok(())
}
