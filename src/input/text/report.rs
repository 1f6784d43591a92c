//! What a text has been found to state so far.
//!
//! Collects facts and gives them out as a `Failure`; decides nothing about the text.

use std::borrow::Cow;

use crate::model::Failure;

use super::body::Body;
use super::bounds::NESTING_LIMIT;
use super::chain::Chain;

/// The facts found so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// The exceptions.
    pub(super) chain: Chain,
    /// The stack frames.
    pub(super) frames: Vec<String>,
    /// Words outside of exceptions: as pasted, and without what a logger wrote before them.
    words: Vec<(String, String)>,
    codes: Vec<String>,
    status: Option<u16>,
    numbers: Vec<i64>,
    nesting: usize,
}

impl Report {
    /// How many lines of words there are.
    pub(super) fn said(&self) -> usize {
        self.words.len()
    }

    /// Adds words.
    pub(super) fn say(&mut self, raw: &str, clean: &str) {
        if !raw.trim().is_empty() {
            self.words.push((raw.to_owned(), clean.trim().to_owned()));
        }
    }

    /// Takes back the words from a line on, because they turned out to be a message.
    pub(super) fn unsay(&mut self, from: usize) -> Vec<String> {
        let from = from.min(self.words.len());
        self.words.drain(from..).map(|(_, clean)| clean).collect()
    }

    /// Adds a code of the remote side.
    pub(super) fn code(&mut self, code: &str) {
        if !self.codes.iter().any(|known| known == code) {
            self.codes.push(code.to_owned());
        }
    }

    /// The status, unless one was stated before.
    pub(super) fn state_status(&mut self, status: u16) {
        if self.status.is_none() && (100..600).contains(&status) {
            self.status = Some(status);
        }
    }

    /// A number of SQL Server: of the latest exception of its client, else of the failure.
    pub(super) fn number(&mut self, number: i64) {
        match self.chain.latest("SqlException") {
            Some(node) => self.chain.number(node, number),
            None if !self.numbers.contains(&number) => self.numbers.push(number),
            None => {}
        }
    }

    /// Takes over codes and status of bodies.
    pub(super) fn adopt<'b>(&mut self, bodies: impl Iterator<Item = &'b Body>) {
        for body in bodies {
            for code in &body.codes {
                self.code(code);
            }
            if let Some(status) = body.status {
                self.state_status(status);
            }
        }
    }

    /// Reads a text that a logger wrote into a field.
    pub(super) fn logged(&mut self, text: &str) {
        if self.nesting < NESTING_LIMIT {
            self.nesting += 1;
            super::walk(text, self);
            self.nesting -= 1;
        }
    }

    /// How deep the text being read is nested in others.
    pub(super) fn nesting(&self) -> usize {
        self.nesting
    }

    /// The facts as a failure.
    pub(super) fn into_failure(self) -> Failure<'static> {
        let plain = self.chain.is_empty();
        let words: Vec<String> = self.words.into_iter().map(|(raw, clean)| if plain { raw } else { clean }).collect();
        let message = words.join("\n").trim().to_owned();
        Failure {
            exceptions: self.chain.finish(),
            message: Some(message).filter(|m| !m.is_empty()).map(Cow::Owned),
            http_status: self.status,
            provider_codes: self.codes.into_iter().map(Cow::Owned).collect(),
            error_numbers: self.numbers,
            stack_trace: Some(self.frames.join("\n")).filter(|f| !f.is_empty()).map(Cow::Owned),
            ..Failure::default()
        }
    }
}
