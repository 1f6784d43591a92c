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
    // Headings and fences are for pages; a terminal shows what stands in them.
    let mut lines = Vec::new();
    let mut is_code = false;
    for written in lint_text(lint).lines() {
        if written.starts_with("```") {
            is_code = !is_code;
        } else if let Some(heading) = written.strip_prefix("## ") {
            lines.push(format!("{heading}:"));
        } else if is_code && !written.is_empty() {
            lines.push(format!("  {}", escaped(written)));
        } else {
            lines.push(escaped(written).into_owned());
        }
    }
    let text = lines.join("\n");
    format!("{} ({})\n\n{}\n\n{text}\n\n{accept}", lint.name, lint.severity.as_str(), lint.about)
}
