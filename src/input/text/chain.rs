//! The tree of exceptions while a text is being read.
//!
//! Knows who wraps whom and which statements repeat each other; reads no text.

use std::borrow::Cow;

use crate::model::Exception;

use super::bounds::EXCEPTION_LIMIT;
use super::types;

/// How a stated exception stands to those stated before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// Nothing is said: the first exception, or a further one beside it.
    Beside,
    /// It is wrapped by the exception that is open.
    Inner,
    /// It is wrapped by the open exception, and may have been stated under it already.
    Repeated,
    /// It is the first of several that the nearest open aggregate wraps; the aggregate's own chain states it too.
    FirstBranch,
    /// It is a further one that the nearest open aggregate wraps.
    Branch,
    /// It wraps the tree that was stated before it.
    Wraps,
    /// The message of the open exception quotes it.
    Quoted,
}

#[derive(Debug, Default)]
struct Node {
    type_name: Option<String>,
    lines: Vec<String>,
    numbers: Vec<i64>,
    parent: Option<usize>,
    beside: bool,
    /// Whether the same words under the same exception mean the same exception.
    again: bool,
    /// The exception that ends this one's message, and how its name was written there.
    quotes: Option<(usize, String)>,
}

/// The exceptions of one text.
#[derive(Debug, Default)]
pub(super) struct Chain {
    nodes: Vec<Node>,
    /// The open exceptions, outermost first.
    open: Vec<usize>,
    /// For each aggregate branch that is open: how many exceptions were open around it.
    branches: Vec<usize>,
}

impl Chain {
    /// Whether no exception was stated.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether no further exception is taken.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() >= EXCEPTION_LIMIT
    }

    /// The innermost open exception.
    pub(super) fn top(&self) -> Option<usize> {
        self.open.last().copied()
    }

    /// The type of an exception, as far as it was stated.
    pub(super) fn type_name(&self, node: usize) -> Option<&str> {
        self.nodes.get(node)?.type_name.as_deref()
    }

    /// Whether an exception has no message so far.
    pub(super) fn is_silent(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|n| n.lines.iter().all(|line| line.trim().is_empty()))
    }

    /// States one more exception and opens it.
    pub(super) fn state(&mut self, type_name: Option<&str>, numbers: &[i64], relation: Relation) -> Option<usize> {
        if self.is_full() {
            return None;
        }
        let index = self.nodes.len();
        let mut node = Node { type_name: type_name.map(str::to_owned), numbers: numbers.to_vec(), ..Node::default() };
        match relation {
            Relation::Inner | Relation::Quoted => node.parent = self.top(),
            Relation::Repeated => {
                node.parent = self.top();
                node.again = true;
            }
            Relation::FirstBranch | Relation::Branch => {
                node.again = relation == Relation::FirstBranch;
                let keep =
                    self.open.iter().rposition(|open| self.is_aggregate(*open)).map_or(self.open.len(), |at| at + 1);
                self.open.truncate(keep);
                self.branches.push(keep);
                node.parent = self.top();
            }
            Relation::Beside => {
                self.open.clear();
                self.branches.clear();
            }
            Relation::Wraps => {
                if let Some(root) = self.open.first().copied() {
                    self.nodes[root].parent = Some(index);
                }
                self.open.clear();
                self.branches.clear();
            }
        }
        node.beside = node.parent.is_none();
        self.nodes.push(node);
        self.open.push(index);
        Some(index)
    }

    /// States one more exception, wrapped by one that was stated before.
    pub(super) fn state_under(&mut self, parent: usize, type_name: Option<&str>, numbers: &[i64]) -> Option<usize> {
        self.open = vec![parent];
        self.state(type_name, numbers, Relation::Inner)
    }

    /// Says that the last line of `node`'s message ends with the exception `quoted`, named as written.
    pub(super) fn quote(&mut self, node: usize, quoted: usize, as_written: &str) {
        if let Some(n) = self.nodes.get_mut(node) {
            n.quotes = Some((quoted, as_written.to_owned()));
        }
    }

    /// Gives a type to an exception that has none, or a fuller one.
    pub(super) fn retype(&mut self, node: usize, type_name: &str) {
        if let Some(n) = self.nodes.get_mut(node) {
            n.type_name = Some(type_name.to_owned());
        }
    }

    /// Adds a line to an exception's message.
    pub(super) fn say(&mut self, node: usize, line: &str) {
        if let Some(n) = self.nodes.get_mut(node) {
            n.lines.push(line.to_owned());
        }
    }

    /// Adds numbers to an exception.
    pub(super) fn number(&mut self, node: usize, number: i64) {
        if let Some(n) = self.nodes.get_mut(node)
            && !n.numbers.contains(&number)
        {
            n.numbers.push(number);
        }
    }

    /// The last line of an exception's message, to be continued.
    pub(super) fn last_line(&mut self, node: usize) -> Option<&mut String> {
        self.nodes.get_mut(node)?.lines.last_mut()
    }

    /// Closes the innermost open exception: its stack trace has ended.
    pub(super) fn close_inner(&mut self) {
        let floor = self.branches.last().map_or(1, |keep| keep + 1);
        if self.open.len() > floor {
            self.open.pop();
        }
    }

    /// Closes an aggregate's branch.
    pub(super) fn close_branch(&mut self) {
        if let Some(keep) = self.branches.pop() {
            self.open.truncate(keep);
        }
    }

    /// The latest exception of this short type.
    pub(super) fn latest(&self, short: &str) -> Option<usize> {
        self.nodes.iter().rposition(|n| n.type_name.as_deref().map(types::short) == Some(short))
    }

    /// Opens an exception again that was stated with the same words before.
    pub(super) fn reopen(&mut self, name: &str, message: &str) -> Option<usize> {
        let message = squeeze(message);
        let at = self.nodes.iter().position(|n| {
            n.type_name.as_deref().is_some_and(|t| same_type(t, name)) && squeeze(&n.lines.join("\n")) == message
        })?;
        if types::is_qualified(name) && self.nodes[at].type_name.as_deref().is_some_and(|t| !types::is_qualified(t)) {
            self.nodes[at].type_name = Some(name.to_owned());
        }
        self.open = vec![at];
        Some(at)
    }

    fn is_aggregate(&self, node: usize) -> bool {
        self.type_name(node).map(types::short) == Some("AggregateException")
    }

    /// The exceptions from the outermost to the innermost, each stated once.
    pub(super) fn finish(mut self) -> Vec<Exception<'static>> {
        for index in (0..self.nodes.len()).rev() {
            self.compose(index);
        }
        let same = self.merge();
        self.linear(&same)
    }

    /// Writes the message of an exception that quotes another one in full.
    fn compose(&mut self, index: usize) {
        let Some((quoted, as_written)) = self.nodes[index].quotes.take() else {
            return;
        };
        let mut lines = self.nodes[quoted].lines.clone();
        let first = if lines.is_empty() { String::new() } else { lines.remove(0) };
        let node = &mut self.nodes[index];
        if let Some(last) = node.lines.last_mut() {
            last.push_str(&as_written);
            last.push_str(&first);
        } else {
            node.lines.push(format!("{as_written}{first}"));
        }
        node.lines.extend(lines);
    }

    /// For each exception the one that stands for it, itself when it says something new.
    fn merge(&mut self) -> Vec<usize> {
        let mut same: Vec<usize> = (0..self.nodes.len()).collect();
        if same.len() < 2 {
            return same;
        }
        let said: Vec<String> = self.nodes.iter().map(|n| squeeze(&n.lines.join("\n"))).collect();
        for late in 1..self.nodes.len() {
            let parent = self.nodes[late].parent.map(|p| same[p]);
            let found = (0..late).find(|early| {
                let (a, b) = (&self.nodes[*early], &self.nodes[late]);
                let again = b.again || b.parent.is_some_and(|p| same[p] != p);
                let place = b.beside || (again && a.parent.map(|p| same[p]) == parent);
                let kin = match (&a.type_name, &b.type_name) {
                    (Some(x), Some(y)) => same_type(&full_name(x), &full_name(y)),
                    _ => false,
                };
                place && kin && same[*early] == *early && (said[*early] == said[late] || said[late].is_empty())
            });
            if let Some(early) = found {
                same[late] = early;
                self.absorb(early, late);
            }
        }
        same
    }

    fn absorb(&mut self, early: usize, late: usize) {
        let numbers = std::mem::take(&mut self.nodes[late].numbers);
        let fuller = self.nodes[late].type_name.clone().filter(|t| types::is_qualified(t));
        for number in numbers {
            self.number(early, number);
        }
        if let Some(name) = fuller
            && self.nodes[early].type_name.as_deref().is_some_and(|t| !types::is_qualified(t))
        {
            self.nodes[early].type_name = Some(name);
        }
        // What wraps the repetition wraps the first statement too.
        if let Some(parent) = self.nodes[late].parent
            && self.nodes[early].parent.is_none()
            && parent != early
            && parent > early
        {
            self.nodes[early].parent = Some(parent);
        }
    }

    fn linear(&self, same: &[usize]) -> Vec<Exception<'static>> {
        let parent = |index: usize| self.nodes[index].parent.map(|p| same[p]).filter(|p| *p != index);
        let kept: Vec<usize> = (0..self.nodes.len()).filter(|i| same[*i] == *i).collect();
        let mut order: Vec<(usize, Option<usize>)> = Vec::new();
        let mut placed = vec![usize::MAX; self.nodes.len()];
        let mut stack: Vec<usize> = kept.iter().rev().copied().filter(|i| parent(*i).is_none()).collect();
        while let Some(index) = stack.pop() {
            if placed[index] != usize::MAX {
                continue;
            }
            placed[index] = order.len();
            order.push((index, parent(index).map(|p| placed[p])));
            stack.extend(kept.iter().rev().copied().filter(|i| parent(*i) == Some(index)));
        }
        order
            .iter()
            .enumerate()
            .map(|(at, (index, wrapped_by))| {
                let node = &self.nodes[*index];
                let type_name = node.type_name.as_deref().map(full_name);
                // A second tree has nothing that wraps it; beside the first one it must not look like its innermost part.
                let parent = wrapped_by.or(if at > 0 { Some(0) } else { None });
                let message = node.lines.join("\n").trim().to_owned();
                Exception {
                    type_name: type_name.map(Cow::Owned),
                    message: Some(message).filter(|m| !m.is_empty()).map(Cow::Owned),
                    error_numbers: node.numbers.clone(),
                    parent: parent.filter(|p| p + 1 != at),
                    ..Exception::default()
                }
            })
            .collect()
    }
}

/// MSAL heads its text with a name of its own, which stands for a type of its namespace.
fn full_name(name: &str) -> String {
    if name.starts_with("MSAL.") {
        format!("Microsoft.Identity.Client.{}", types::short(name))
    } else {
        name.to_owned()
    }
}

fn same_type(a: &str, b: &str) -> bool {
    a == b || (types::short(a) == types::short(b) && (!types::is_qualified(a) || !types::is_qualified(b)))
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
