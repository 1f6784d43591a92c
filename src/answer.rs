//! One record in, one decision out: diagnosed and, where nobody knows it, kept.

use crate::engine::Generation;
use crate::input::json::Record;
use crate::model::{Decision, Failure};
use crate::spool::Keeper;

/// Answers a record of these bytes with one set of rules; `fill_in` adds what the failure does not say itself.
pub(crate) fn answer<'g, 'r>(
    generation: &'g Generation,
    keeper: &Keeper,
    read: Result<Record<'r>, String>,
    bytes: &[u8],
    fill_in: impl FnOnce(&mut Failure<'r>),
) -> Decision<'g> {
    let set = generation.rules();
    match read {
        Ok(Record { mut failure, notes }) => {
            fill_in(&mut failure);
            set.noted(keeper.keep(set, &failure, generation.classify(&failure)), notes)
        }
        Err(error) => keeper.keep_unreadable(set, bytes, generation.unreadable_record(error, bytes)),
    }
}
