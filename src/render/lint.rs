//! Lints: what each is about, with a wrong and a right example.

use crate::diagnostic::{Acceptance, Lint, PAGES};

use super::escaped;

/// The page of a lint in Markdown, without its title.
#[must_use]
pub fn lint_text(lint: &Lint) -> &'static str {
    let page = PAGES.iter().find(|(name, _)| *name == lint.name).map_or("", |(_, page)| *page);
    page.split_once("\n\n").map_or("", |(_, text)| text)
}

/// What people read about a lint.
#[must_use]
pub fn lint_page(lint: &Lint) -> String {
    let accept = match lint.acceptance {
        Acceptance::Never => "It cannot be accepted: the set does not load while it stands.".to_owned(),
        Acceptance::Always | Acceptance::Compared => format!(
            "Where it may stand, write why on the rule, code or manifest:\n\n  accept = [{{ lint = \"{}\", reason = \"…\" }}]",
            lint.name
        ),
    };
    let mut text = String::new();
    // Headings and fences are for pages; a terminal shows what stands in them.
    let mut is_code = false;
    for line in lint_text(lint).lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let line = line.strip_prefix("## ").map_or_else(|| escaped(line).into_owned(), |heading| format!("{heading}:"));
        text.push_str(&if is_code && !line.is_empty() { format!("  {line}") } else { line });
        text.push('\n');
    }
    format!("{} ({})\n\n{}\n\n{text}\n{accept}", lint.name, lint.severity.as_str(), lint.about)
}
