//! Every limit, in one place. Rule files and failures may come from anybody; none of them may stall the engine.
//!
//! Each limit of a rule file is tested at its value and one over it (`tests/suite/limits.rs`).

/// Bytes of one rule file. A 10 MB file of integers takes about 1 GB to parse, so the size is checked before parsing.
pub const FILE_BYTES: usize = 1024 * 1024;
/// Bytes of all rule files of a set together.
pub const SET_BYTES: usize = 16 * 1024 * 1024;
/// Rule files of a set.
pub const FILES: usize = 1_000;
/// Folders below the rules directory.
pub const DIRECTORY_DEPTH: usize = 4;
/// Rules of a set.
pub const RULES: usize = 10_000;
/// Examples and counterexamples of a set; each is tried against all rules.
pub const EXAMPLES: usize = 20_000;
/// Tables and arrays inside each other in a rule file; our own entries need seven.
pub const TOML_DEPTH: usize = 8;

/// Characters of a code's title, which stands in tables and decisions.
pub const TITLE_CHARS: usize = 100;
/// Characters of a message pattern.
pub const PATTERN_CHARS: usize = 1_024;
/// The highest counted repetition in a pattern: `{50}`.
pub const PATTERN_REPETITION: u32 = 50;
/// The product of counted repetitions inside each other.
pub const PATTERN_REPETITION_PRODUCT: u32 = 1_000;
/// States that a pattern's automaton may be in at once at worst. At 150 a message of 16 KiB that is made for it takes some
/// 30 ms on an ordinary machine; what people write has less than 10.
pub const PATTERN_WIDTH: usize = 150;
/// States from which on a pattern is worth a warning: some 10 ms.
pub const SLOW_PATTERN_WIDTH: usize = 48;
/// Bytes of a compiled pattern.
pub const PATTERN_COMPILED_BYTES: usize = 256 * 1024;
/// Bytes of a compiled pattern that counts as a large one.
pub const LARGE_PATTERN_BYTES: usize = 16 * 1024;
/// Large patterns of a set.
pub const LARGE_PATTERNS: usize = 250;
/// Patterns, globs and literals of a set together.
pub const PATTERNS: usize = 20_000;
/// Groups and classes inside each other in a pattern.
pub const PATTERN_NESTING: u32 = 32;

/// Bytes of a type or code glob. Deep braces overflow the stack of the glob compiler, so this is checked before it.
pub const GLOB_BYTES: usize = 512;
/// Braces inside each other in a glob.
pub const GLOB_BRACE_DEPTH: usize = 8;
/// Alternatives of a glob, over all its braces.
pub const GLOB_ALTERNATIVES: usize = 64;

/// Bytes of a message template.
pub const TEMPLATE_BYTES: usize = 4 * 1024;
/// Bytes of a rendered message; what is longer is cut on a character boundary.
pub const RENDERED_BYTES: usize = 4 * 1024;

/// Bytes at the start of a text that are looked at.
pub const TEXT_HEAD_BYTES: usize = 48 * 1024;
/// Bytes at the end of a longer text that are looked at as well.
pub const TEXT_TAIL_BYTES: usize = 16 * 1024;
/// Exceptions of a failure: the outermost ones and the innermost.
pub const CAUSES: usize = 32;
/// Ancestors of one exception type, sent and from the rules together.
pub const ANCESTORS: usize = 32;
/// Codes, numbers and attributes of a failure, each.
pub const FACTS: usize = 256;

/// Bytes of one record (one line of NDJSON, or one pasted text).
pub const RECORD_BYTES: usize = 72 * 1024 * 1024;
/// Fields of one record.
pub const RECORD_FIELDS: usize = 1_000;
/// Values of one record, over all its levels. Each takes a few dozen bytes: a list of nothing but zeros would otherwise
/// take many times the memory of its line.
pub const RECORD_VALUES: usize = 100_000;
/// Bytes of a field's name; what is longer is no name.
pub const FIELD_NAME_BYTES: usize = 1024;
/// Notes on one record; what is odd in more ways is odd enough.
pub const NOTES: usize = 16;
/// Characters of a failure's `id` that is echoed.
pub const ID_CHARS: usize = 64;
