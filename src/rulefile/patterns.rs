//! All patterns of a set compiled, on all processors, so that one over the limits is a finding at its place.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::diagnostic::{Diagnostic, Spanned, lints};
use crate::model::{Pattern, PatternError, limits};

/// Patterns that are compiled between two looks at the limit of large ones.
const BATCH: usize = 512;
/// Fewer patterns than this are not worth a thread.
const WORTH_A_THREAD: usize = 64;
/// Threads at most: a check shall not take a build machine from everybody else.
const THREADS: usize = 8;

/// Compiles the patterns. What is found does not depend on the number of threads.
pub(super) fn compile(patterns: &[Spanned<Pattern>], findings: &mut Vec<Diagnostic>) {
    let mut large = 0;
    for batch in patterns.chunks(BATCH) {
        for (pattern, compiled) in batch.iter().zip(compile_all(batch)) {
            match compiled {
                Ok(Weight { is_large, width }) => {
                    large += usize::from(is_large);
                    findings.extend(slow(pattern, width));
                }
                Err(error) => {
                    let mut finding = Diagnostic::new(lints::LIMIT_EXCEEDED, pattern.span.clone(), error.message);
                    finding.help = error.help;
                    findings.push(finding);
                }
            }
            if large > limits::LARGE_PATTERNS {
                let message = format!(
                    "the set has more than {} patterns of {} bytes and more when compiled",
                    limits::LARGE_PATTERNS,
                    limits::LARGE_PATTERN_BYTES
                );
                let finding = Diagnostic::new(lints::LIMIT_EXCEEDED, pattern.span.clone(), message);
                findings.push(finding.help("Use smaller repetitions, and no `(?u)` where letters are ASCII."));
                return;
            }
        }
    }
}

/// What a pattern costs.
struct Weight {
    is_large: bool,
    /// States at once at worst.
    width: usize,
}

/// A pattern that a text made for it turns into work.
fn slow(pattern: &Spanned<Pattern>, width: usize) -> Option<Diagnostic> {
    let help = "Repeat less, or say what stands between: `[^\"]{1,50}` instead of `.{1,50}`, `+` instead of a count.";
    let at_least = if width >= limits::PATTERN_WIDTH { "at least " } else { "" };
    let message = format!("the pattern gets slow: it can be in {at_least}{width} places at once");
    let lint = match width {
        limits::PATTERN_WIDTH.. => lints::LIMIT_EXCEEDED,
        limits::SLOW_PATTERN_WIDTH.. => lints::SLOW_PATTERN,
        _ => return None,
    };
    Some(Diagnostic::new(lint, pattern.span.clone(), message).help(help))
}

/// What each pattern costs, in their order.
fn compile_all(patterns: &[Spanned<Pattern>]) -> Vec<Result<Weight, PatternError>> {
    let compile = |pattern: &Spanned<Pattern>| {
        let is_large = pattern.value.compile()?;
        Ok(Weight { is_large, width: pattern.value.width() })
    };
    let processors = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let threads = processors.min(patterns.len() / WORTH_A_THREAD).max(1);
    if threads == 1 {
        return patterns.iter().map(compile).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(pattern) = patterns.get(index) else { return done };
            done.push((index, compile(pattern)));
        }
    };
    let mut done = thread::scope(|scope| {
        // A thread that cannot be started leaves its work to the others.
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(compiled) => done.extend(compiled),
                // Patterns would be taken that nobody has compiled.
                Err(panic) => resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, compiled)| compiled).collect()
}
