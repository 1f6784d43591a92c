//! All patterns of a set compiled, on all processors, so that one over the limits is a finding at its place.

use crate::diagnostic::{Diagnostic, Spanned, lints};
use crate::model::{Pattern, PatternError, in_parallel, limits};

/// Patterns that are compiled between two looks at the limit of large ones.
const BATCH: usize = 512;
/// Fewer patterns than this are not worth a thread.
const WORTH_A_THREAD: usize = 64;

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
    let help = "Write `+` instead of a count, or repeat less; a class such as `[^\"]` says more than `.` does.";
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
    in_parallel(patterns.len(), WORTH_A_THREAD, |index| compile(&patterns[index]))
}
