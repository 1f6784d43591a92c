//! Message templates as Serilog and its relatives write them: `Order {Id} failed: {Reason:l}`.

use std::borrow::Cow;

/// Bytes of a message that is put together; nobody looks at more.
const BYTES: usize = 64 * 1024;

/// A place in a template that a property fills.
pub(super) struct Hole<'t> {
    /// The name of the property.
    pub(super) name: &'t str,
    /// Whether the template says how to write it.
    pub(super) has_format: bool,
}

/// The template with its holes filled; one for which there is nothing stays as it is.
pub(super) fn render<'v>(template: &str, mut fill: impl FnMut(&Hole<'_>) -> Option<Cow<'v, str>>) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        if out.len() > BYTES {
            return out;
        }
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        if from.starts_with("{{") || from.starts_with("}}") {
            out.push_str(&from[..1]);
            rest = &from[2..];
            continue;
        }
        let hole = from.strip_prefix('{').and_then(|inside| Some(&inside[..inside.find(['{', '}'])?]));
        let Some(hole) = hole.filter(|hole| from[hole.len() + 1..].starts_with('}')) else {
            out.push_str(&from[..1]);
            rest = &from[1..];
            continue;
        };
        let written = &from[..hole.len() + 2];
        let name = hole.trim_start_matches(['@', '$']).split([',', ':']).next().unwrap_or_default().trim();
        match fill(&Hole { name, has_format: hole.contains(':') }) {
            Some(value) => out.push_str(&value),
            None => out.push_str(written),
        }
        rest = &from[written.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::render;

    #[test]
    fn holes() {
        let filled = |template: &str| {
            render(template, |hole| match hole.name {
                "A" => Some(Cow::Borrowed(if hole.has_format { "1.0" } else { "1" })),
                _ => None,
            })
        };
        assert_eq!(filled("a {A} b {A:F1} c {@A,10} d {B}"), "a 1 b 1.0 c 1 d {B}");
        assert_eq!(filled("{{A}} }} {A"), "{A} } {A");
        assert_eq!(filled("{ {A} é{}"), "{ 1 é{}");
    }
}
