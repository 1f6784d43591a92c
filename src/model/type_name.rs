//! Exception type names as runtimes print them, reduced to their plain form.

use std::borrow::Cow;

/// A type by its plain name: no generic arity or arguments, no assembly, nested types joined by a dot.
///
/// ``System.ServiceModel.FaultException`1[[A.B, C, Version=1.0]]`` is `System.ServiceModel.FaultException`,
/// `Outer+Inner` is `Outer.Inner`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeName<'t>(Cow<'t, str>);

impl<'t> TypeName<'t> {
    /// Reads a type name; `None` when nothing is left of it.
    #[must_use]
    pub fn parse(raw: &'t str) -> Option<Self> {
        let raw = raw.trim();
        let plain = if raw.bytes().any(|b| matches!(b, b'`' | b'[' | b'<' | b'+' | b',')) {
            Cow::Owned(plain(raw))
        } else {
            Cow::Borrowed(raw)
        };
        (!plain.is_empty()).then_some(Self(plain))
    }

    /// A name that is plain already.
    pub(crate) fn from_plain(full: &'t str) -> Self {
        Self(Cow::Borrowed(full))
    }

    /// The whole name: `System.TimeoutException`.
    #[must_use]
    pub fn full(&self) -> &str {
        &self.0
    }

    /// The part behind the last dot: `TimeoutException`.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or_default()
    }

    /// Whether the name has no namespace in front.
    #[must_use]
    pub fn is_short(&self) -> bool {
        !self.0.contains('.')
    }

    /// The same name without a borrow.
    #[must_use]
    pub fn into_owned(self) -> TypeName<'static> {
        TypeName(Cow::Owned(self.0.into_owned()))
    }
}

/// Drops what stands in brackets, generic arities and the assembly tail.
fn plain(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut depth = 0_usize;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Compiler-made names such as `<>c__DisplayClass3_0` keep their angle brackets: nothing would be left.
            '<' if out.is_empty() || out.ends_with('.') => out.push(c),
            '[' | '<' => depth += 1,
            ']' | '>' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            ',' => break,
            '`' => while chars.next_if(char::is_ascii_digit).is_some() {},
            '+' => out.push('.'),
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::TypeName;

    #[test]
    fn plain_names() {
        let cases = [
            ("System.TimeoutException", "System.TimeoutException", "TimeoutException"),
            (" TimeoutException ", "TimeoutException", "TimeoutException"),
            ("A.Fault`1[[B.C, D, Version=4.0.0.0, PublicKeyToken=b77a]]", "A.Fault", "Fault"),
            ("A.Fault`1[B.C]", "A.Fault", "Fault"),
            ("A.Fault<B.C>", "A.Fault", "Fault"),
            ("A.Outer`2+Inner`1[[B],[C]]", "A.Outer.Inner", "Inner"),
            ("A.B, MyAssembly, Version=4.0.0.0, Culture=neutral", "A.B", "B"),
            ("System.String[]", "System.String", "String"),
            ("A.Program+<>c__DisplayClass1_0", "A.Program.<>c__DisplayClass1_0", "<>c__DisplayClass1_0"),
        ];
        for (raw, full, short) in cases {
            let name = TypeName::parse(raw).unwrap_or_else(|| panic!("{raw} has no name"));
            assert_eq!((name.full(), name.short()), (full, short), "{raw}");
        }
        assert_eq!(TypeName::parse("  "), None);
        assert_eq!(TypeName::parse("[]"), None);
    }
}
