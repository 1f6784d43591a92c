//! Rows of a table, from CSV and Parquet: columns that are named as facts are these facts; others need `--map`.

use crate::input::draft::Draft;
use crate::input::format::Format;
use crate::input::mapping::Fact;
use crate::input::value::Value;

use super::{Adapter, as_it_is};

pub(super) const CSV: Adapter = Adapter {
    format: Format::Csv,
    expected: "a row of a table",
    // The header tells, not a row.
    tells: |_| false,
    shape: as_it_is,
    read,
};

pub(super) const PARQUET: Adapter = Adapter { format: Format::Parquet, ..CSV };

fn read(row: &Value, _: &str, draft: &mut Draft) -> bool {
    draft.facts(row.members().iter().filter_map(|(name, value)| Some((Fact::parse(name)?, value))));
    matches!(row, Value::Object(_))
}
