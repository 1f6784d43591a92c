//! Decisions as a stream of batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use faultbook::{Decision, Generation};
use pyo3::Python;

use crate::capture::Context;

use super::Batches;
use super::columns::Plan;

/// Rows that are answered at once: whoever gives a table in one piece gets its decisions in several.
const ROWS: usize = 8_192;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let field = |name: &str| Field::new(name, DataType::Utf8, name == "unknown_reason");
    let names = ["code", "status", "retry", "action", "message", "rule", "unknown_reason", "ruleset"];
    Arc::new(Schema::new(names.map(field).to_vec()))
});

/// The columns of decisions.
pub(super) fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// The decisions on a stream of failures, made when they are asked for.
pub(super) struct Answers {
    batches: Batches,
    plan: Plan,
    /// One set for the whole table, whatever is loaded meanwhile.
    generation: Arc<Generation>,
    context: Context,
    /// A batch that is not answered to its end, and the next row of it.
    begun: Option<(RecordBatch, usize)>,
    has_failed: bool,
}

impl Answers {
    pub(super) fn new(batches: Batches, plan: Plan, generation: Arc<Generation>, context: Context) -> Self {
        Self { batches, plan, generation, context, begun: None, has_failed: false }
    }

    fn next_rows(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        let (batch, at) = match self.begun.take() {
            Some(begun) => begun,
            None => match self.batches.next()? {
                Ok(batch) => (batch, 0),
                Err(error) => return Some(Err(error)),
            },
        };
        let count = ROWS.min(batch.num_rows() - at);
        let rows = batch.slice(at, count);
        if at + count < batch.num_rows() {
            self.begun = Some((batch, at + count));
        }
        Some(self.answer(&rows))
    }

    fn answer(&self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let facts = self.plan.facts(rows)?;
        let mut decisions = Columns::default();
        for row in 0..rows.num_rows() {
            let failure = facts.failure(row, &self.context);
            decisions.push(&self.generation.classify(&failure));
        }
        decisions.finish()
    }
}

impl Iterator for Answers {
    type Item = Result<RecordBatch, ArrowError>;

    /// Called by whoever reads the stream, from C: nothing may unwind from here. Whether the GIL is held then is not known;
    /// it is not held while rows are answered.
    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let mut work = || catch_unwind(AssertUnwindSafe(|| self.next_rows()));
        // None while the interpreter ends: then there is no GIL to give back.
        let done = match Python::try_attach(|py| py.detach(&mut work)) {
            Some(done) => done,
            None => work(),
        };
        let next = done
            .unwrap_or_else(|_| Some(Err(ArrowError::ExternalError("internal error; please report the table".into()))));
        if let Some(Err(error)) = next {
            self.has_failed = true;
            // The reader hands errors on as C texts.
            return Some(Err(ArrowError::CDataInterface(error.to_string().replace('\0', "\u{fffd}"))));
        }
        next
    }
}

impl RecordBatchReader for Answers {
    fn schema(&self) -> SchemaRef {
        schema()
    }
}

/// The columns of decisions while they are written.
#[derive(Default)]
struct Columns {
    code: StringBuilder,
    status: StringBuilder,
    retry: StringBuilder,
    action: StringBuilder,
    message: StringBuilder,
    rule: StringBuilder,
    unknown_reason: StringBuilder,
    ruleset: StringBuilder,
}

impl Columns {
    fn push(&mut self, decision: &Decision<'_>) {
        self.code.append_value(decision.code.as_str());
        self.status.append_value(&decision.status);
        self.retry.append_value(decision.retry.as_str());
        self.action.append_value(decision.action.as_str());
        self.message.append_value(&decision.message);
        self.rule.append_value(&decision.rule);
        self.unknown_reason.append_option(decision.unknown_reason.map(faultbook::UnknownReason::as_str));
        self.ruleset.append_value(&decision.ruleset);
    }

    fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = [
            &mut self.code,
            &mut self.status,
            &mut self.retry,
            &mut self.action,
            &mut self.message,
            &mut self.rule,
            &mut self.unknown_reason,
            &mut self.ruleset,
        ]
        .map(|column| Arc::new(column.finish()) as ArrayRef)
        .into();
        RecordBatch::try_new(schema(), columns)
    }
}
