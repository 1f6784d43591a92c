//! Rows of Parquet files: one group of rows and its pages at a time.

use std::io;

use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;

use crate::model::limits;

use super::mapping::Mapping;
use super::rows::{Row, RowSource, check_columns};

/// Rows of a file.
pub(crate) struct ParquetRows {
    rows: RowIter<'static>,
    /// Says how many bytes of the file were read, as far as rows tell.
    progress: Box<dyn Fn(u64) + Send>,
    bytes: u64,
    total: u64,
    read: u64,
    is_broken: bool,
}

/// Rows between two looks at the progress.
const LOOK_ROWS: u64 = 1024;

impl ParquetRows {
    /// Opens a file; its columns must be facts, or those that are mapped.
    pub(crate) fn open(
        file: impl ChunkReader + 'static,
        mapping: &Mapping,
        progress: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let bytes = file.len();
        let reader = SerializedFileReader::new(file).map_err(io::Error::other)?;
        let metadata = reader.metadata().file_metadata();
        let fields = metadata.schema().get_fields();
        if fields.len() > limits::RECORD_FIELDS {
            return Err(io::Error::other(format!("it has more than {} columns", limits::RECORD_FIELDS)));
        }
        check_columns(&fields.iter().map(|field| field.name()), mapping).map_err(io::Error::other)?;
        let total = u64::try_from(metadata.num_rows()).unwrap_or_default();
        let rows = RowIter::from_file_into(Box::new(reader));
        Ok(Self { rows, progress: Box::new(progress), bytes, total, read: 0, is_broken: false })
    }
}

impl RowSource for ParquetRows {
    fn next(&mut self, row: &mut Vec<u8>, broken: &mut String) -> Row {
        if self.is_broken {
            return Row::End;
        }
        let Some(next) = self.rows.next() else { return Row::End };
        self.read += 1;
        if self.read.is_multiple_of(LOOK_ROWS) && self.total > 0 {
            (self.progress)(self.bytes.saturating_mul(self.read) / self.total);
        }
        match next {
            Ok(next) => {
                row.clear();
                // A value of JSON: writing it to memory cannot fail.
                let _ = serde_json::to_writer(&mut *row, &next.to_json_value());
                Row::Record
            }
            Err(error) => {
                // Nobody knows where the next row would begin.
                self.is_broken = true;
                *broken = format!("row {} cannot be read, nor can those behind it: {error}", self.read);
                Row::Broken
            }
        }
    }
}
