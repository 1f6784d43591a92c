//! Tags taken off and entities undone: the words of a piece of HTML or XML.
//!
//! Knows no document types; those are read in `xml`.

use super::frames;

/// Tags after which a new line begins.
const BREAKS: &[&str] = &[
    "br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "title", "pre", "body", "head", "td", "hr", "table", "center",
];

/// The words of a piece of markup, one line for each block, without frames, scripts and styles.
pub(super) fn words(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let (skipped, breaks) = tag(rest);
        if breaks {
            out.push('\n');
        } else {
            out.push(' ');
        }
        rest = &rest[skipped..];
    }
    out.push_str(rest);
    let decoded = decode(&out);
    let mut lines: Vec<String> = Vec::new();
    for line in decoded.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() && !frames::is_frame(&line) && lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// How long the tag at the start is, its content included for scripts, styles and comments, and whether it breaks the line.
fn tag(text: &str) -> (usize, bool) {
    for (open, close) in [
        ("<!--", "-->"),
        ("<script", "</script>"),
        ("<style", "</style>"),
        ("<StackTrace", "</StackTrace>"),
        ("<![CDATA[", ""),
    ] {
        if text.starts_with(open) {
            if close.is_empty() {
                return (open.len(), false);
            }
            return (text.find(close).map_or(text.len(), |at| at + close.len()), true);
        }
    }
    let name: &str = text[1..].trim_start_matches('/');
    let name = &name[..name.bytes().take_while(u8::is_ascii_alphanumeric).count()];
    if name.is_empty() && !text.starts_with("<?") && !text.starts_with("<!") && !text.starts_with("</") {
        return (1, false);
    }
    let end = text.find('>').map_or(text.len(), |at| at + 1);
    let known = BREAKS.iter().any(|tag| tag.eq_ignore_ascii_case(name));
    // Every element of XML holds a statement of its own.
    (end, known || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) || text.starts_with("<?"))
}

/// The text with the entities of XML and the common ones of HTML undone.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|b| b == b';');
        if let Some((c, end)) = end.and_then(|end| entity(&rest[1..end]).map(|c| (c, end))) {
            out.push(c);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" | "ldquo" | "rdquo" => '"',
        "apos" | "lsquo" | "rsquo" => '\'',
        "nbsp" => ' ',
        "ndash" | "mdash" => '-',
        "hellip" => '…',
        _ => {
            let code = name.strip_prefix('#')?;
            let hex = code.strip_prefix(['x', 'X']);
            let number = hex.map_or_else(|| code.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())?;
            match char::from_u32(number)? {
                '\r' => '\n',
                c => c,
            }
        }
    })
}
