//! What every engine is: something that says which rule applies first.

use std::borrow::Cow;
use std::error::Error;

use faultbook::matcher::TypeName;
use faultbook::{Failure, Rule};

/// Anything that may go wrong while an engine is built, in words.
pub type Built = Result<Box<dyn Engine>, Box<dyn Error>>;

/// One way to find the first rule that applies.
pub trait Engine {
    /// Reads the facts of the cases that come next, where the engine has facts of its own.
    fn prepare(&mut self, _cases: &[Case<'_>]) {}

    /// The index of the first rule that applies, from facts that were prepared.
    fn first(&mut self, case: &Case<'_>) -> Option<usize>;

    /// The same from the failure as it was sent.
    fn first_of(&mut self, failure: &Failure<'_>) -> Option<usize>;

    /// Bytes that the engine holds, when it knows.
    fn bytes(&self) -> Option<usize> {
        None
    }
}

/// A failure with its facts in the form that the engine under test wants: all prepared before the clock runs.
pub struct Case<'f> {
    /// Its place among the cases that were prepared together.
    pub number: usize,
    pub failure: &'f Failure<'f>,
    pub facts: Facts<'f>,
}

/// Borrowed facts, as a program without this crate would hold them.
pub struct Facts<'f> {
    pub connector: Option<&'f str>,
    pub types: Vec<Type<'f>>,
    pub texts: Vec<&'f str>,
    pub status: Option<u16>,
    pub provider_codes: &'f [Cow<'f, str>],
}

/// A type by its plain name, and with slashes for dots as globs want it.
pub struct Type<'f> {
    pub name: TypeName<'f>,
    pub slashed: String,
}

impl<'f> Case<'f> {
    pub fn new(failure: &'f Failure<'f>) -> Self {
        Self { number: 0, failure, facts: Facts::new(failure) }
    }
}

impl<'f> Facts<'f> {
    pub fn new(failure: &'f Failure<'f>) -> Self {
        let names = failure.exceptions.iter().filter_map(|exception| exception.type_name.as_deref());
        let texts =
            failure.exceptions.iter().map(|exception| exception.message.as_deref()).chain([failure.message.as_deref()]);
        Self {
            connector: failure.connector.as_deref(),
            types: names
                .filter_map(TypeName::parse)
                .map(|name| Type { slashed: name.full().replace('.', "/"), name })
                .collect(),
            texts: texts.flatten().filter(|text| !text.trim().is_empty()).collect(),
            status: failure.http_status,
            provider_codes: &failure.provider_codes,
        }
    }
}

/// An engine of the table.
pub struct Entry {
    pub name: &'static str,
    /// Builds the engine from rules that nothing was done with yet.
    pub build: fn(&[Rule]) -> Built,
    /// Why the engine is left out at so many rules.
    pub skip: fn(usize) -> Option<&'static str>,
}
