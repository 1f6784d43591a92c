//! One record in, one decision out: read, diagnosed and, where nobody knows it, kept.

use crate::engine::Generation;
use crate::input::json::Record;
use crate::input::records::Raw;
use crate::model::{Decision, Failure};
use crate::spool::Keeper;

/// Answers a record with one set of rules; `fill_in` adds what the failure does not say itself.
#[cfg(feature = "serve")]
pub(crate) fn answer<'g, 'r>(
    generation: &'g Generation,
    keeper: &Keeper,
    record: Raw<'r>,
    fill_in: impl FnOnce(&mut Failure<'r>),
) -> Decision<'g> {
    answer_read(generation, keeper, record, record.read(), fill_in)
}

/// Answers a record that was read, or could not be.
pub(crate) fn answer_read<'g, 'r>(
    generation: &'g Generation,
    keeper: &Keeper,
    record: Raw<'r>,
    read: Result<Record<'r>, String>,
    fill_in: impl FnOnce(&mut Failure<'r>),
) -> Decision<'g> {
    let set = generation.rules();
    match read {
        Ok(Record { mut failure, notes }) => {
            fill_in(&mut failure);
            set.noted(keeper.keep(set, &failure, generation.classify(&failure)), notes)
        }
        Err(error) => keeper.keep_unreadable(set, record.bytes(), generation.unreadable_record(error, record.bytes())),
    }
}
