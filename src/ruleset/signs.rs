//! Which secrets a text can hold at all, found in one pass.
//!
//! The detectors of secrets are regular expressions; thirteen of them take far longer than all the rest of a decision.
//! Each of them finds nothing but where a rare byte stands between certain others: `=` behind a name, `-` in front of
//! `----BEGIN`. This pass looks at the rare bytes and says which detectors have to run. It may say too much, never too
//! little; the detectors know ASCII letters in any case where they know letters in any case.

/// What a text with a match of a detector shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// `-----BEGIN `.
    KeyStart = 1,
    /// `-----END `.
    KeyEnd = 1 << 1,
    /// `authorization` in front of `:` or `=`.
    Authorization = 1 << 2,
    /// `bearer` or `basic` in front of a blank.
    Bearer = 1 << 3,
    /// `eyJ`.
    Jwt = 1 << 4,
    /// `://`, a user and `:`, and somewhere `@`.
    Url = 1 << 5,
    /// `sig` or `signature` in front of `=`.
    Signature = 1 << 6,
    /// `code=` behind `?`, `&` or `&amp;`.
    Code = 1 << 7,
    /// The name of a secret in front of `=` or `:=`.
    Assigned = 1 << 8,
    /// The name of a secret in front of `:`.
    Stated = 1 << 9,
    /// A tag that ends in the name of a secret.
    Tag = 1 << 10,
    /// How keys of clouds start, or `Q~`.
    CloudKey = 1 << 11,
}

/// The signs of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signs(u16);

impl Signs {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, sign: Sign) -> bool {
        self.0 & sign as u16 != 0
    }

    fn add(&mut self, sign: Sign, is_shown: bool) {
        if is_shown {
            self.0 |= sign as u16;
        }
    }
}

/// Bytes that are compared at once.
const BLOCK: usize = 16;

/// 1 for a byte around which something has to be looked at, else 0. Without branches, so that a block of bytes takes a
/// few instructions.
fn rare(byte: u8) -> u8 {
    u8::from(byte == b'=')
        | u8::from(byte == b':')
        | u8::from(byte == b'%')
        | u8::from(byte == b'-')
        | u8::from(byte == b'<')
        | u8::from(byte == b'_')
        | u8::from(byte == b'~')
        | u8::from(byte == b'J')
        | u8::from(byte == b'I')
        | u8::from(byte == b'G')
}

/// The same for a byte where `bearer` or `basic` may begin: with what stands two bytes behind it, since `b` alone is in
/// every other word.
fn begins_bearer(byte: u8, behind: u8) -> u8 {
    u8::from(byte | 0x20 == b'b') & (u8::from(behind | 0x20 == b'a') | u8::from(behind | 0x20 == b's'))
}

/// Reads the signs of a text.
pub(super) fn read(text: &str) -> Signs {
    let text = text.as_bytes();
    let mut signs = Signs::default();
    let mut look_at = |at: usize| look(text[at], &text[..at], &text[at + 1..], &mut signs);
    // Looks at bytes of the text from a place on, as far as there are whole blocks, and says how many those are.
    let mut look_over = |start: usize, bytes: &[u8]| {
        let (blocks, _) = bytes.as_chunks::<BLOCK>();
        // The same bytes, two further on; the last block may have none.
        let (behind, _) = bytes.get(2..).unwrap_or_default().as_chunks::<BLOCK>();
        for (index, (block, behind)) in blocks.iter().zip(behind).enumerate() {
            let mut found = [0; BLOCK];
            for ((found, &byte), &behind) in found.iter_mut().zip(block).zip(behind) {
                *found = rare(byte) | begins_bearer(byte, behind);
            }
            let mut places = u128::from_le_bytes(found);
            while places != 0 {
                look_at(start + index * BLOCK + places.trailing_zeros() as usize / 8);
                places &= places - 1;
            }
        }
        behind.len() * BLOCK
    };
    let start = look_over(0, text);
    // What is left, up to one byte more than a block, with nothing behind it.
    let mut rest = [0; 2 * BLOCK + 2];
    rest[..text.len() - start].copy_from_slice(&text[start..]);
    look_over(start, &rest);
    if signs.has(Sign::Url) && !text.contains(&b'@') {
        signs.0 &= !(Sign::Url as u16);
    }
    signs
}

/// Looks at what stands in front of a rare byte and behind it.
fn look(byte: u8, front: &[u8], behind: &[u8], signs: &mut Signs) {
    match byte {
        b'=' => {
            let name = named(front);
            signs.add(Sign::Authorization, ends(name, b"authorization"));
            signs.add(Sign::Signature, ends(front, b"sig") || ends(front, b"signature"));
            signs
                .add(Sign::Code, before(front, b"code").is_some_and(|front| matches!(front, [.., b'?' | b'&' | b';'])));
            signs.add(Sign::Assigned, is_secret(name));
        }
        b':' => {
            let name = named(front);
            signs.add(Sign::Authorization, ends(name, b"authorization"));
            signs.add(Sign::Url, behind.strip_prefix(b"//").is_some_and(has_user));
            if is_secret(name) {
                signs.add(Sign::Stated, true);
                signs.add(Sign::Assigned, behind.starts_with(b"="));
            }
        }
        b'%' => {
            let is_equals = matches!(behind, [b'3', b'D' | b'd', ..]);
            if is_equals || matches!(behind, [b'3', b'A' | b'a', ..]) {
                signs.add(Sign::Signature, is_equals && (ends(front, b"sig") || ends(front, b"signature")));
                signs.add(if is_equals { Sign::Assigned } else { Sign::Stated }, is_secret(named(front)));
            }
        }
        b'-' => {
            signs.add(Sign::KeyStart, behind.starts_with(b"----BEGIN "));
            signs.add(Sign::KeyEnd, behind.starts_with(b"----END "));
            signs.add(Sign::CloudKey, front.ends_with(b"glpat") || matches!(front, [.., b'x', b'o', b'x', _]));
        }
        b'<' => signs.add(Sign::Tag, is_secret_tag(behind)),
        b'_' => {
            let is_service = matches!(front, [.., b'r' | b's', b'k']);
            let is_service = is_service && (behind.starts_with(b"live_") || behind.starts_with(b"test_"));
            let is_github = matches!(front, [.., b'g', b'h', b'p' | b'o' | b'u' | b's' | b'r']);
            signs.add(Sign::CloudKey, is_service || is_github || front.ends_with(b"github_pat"));
        }
        b'~' => signs.add(Sign::CloudKey, front.ends_with(b"Q")),
        b'J' => signs.add(Sign::Jwt, front.ends_with(b"ey")),
        b'I' => {
            let is_access = (front.ends_with(b"AK") || front.ends_with(b"AS")) && behind.starts_with(b"A");
            signs.add(Sign::CloudKey, is_access || (front.ends_with(b"A") && behind.starts_with(b"za")));
        }
        b'G' => signs.add(Sign::CloudKey, front.ends_with(b"S") && behind.starts_with(b".")),
        b'b' | b'B' => {
            let rest = after(behind, b"earer").or_else(|| after(behind, b"asic"));
            signs.add(Sign::Bearer, rest.is_some_and(|rest| matches!(rest, [b' ' | b'\t' | b'\r' | b'\n', ..])));
        }
        _ => {}
    }
}

/// What stands in front of `=` or `:` without the blanks and the quote between.
fn named(front: &[u8]) -> &[u8] {
    let mut name = front;
    for _ in 0..3 {
        if let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = name {
            name = rest;
        }
    }
    if let [rest @ .., b'"' | b'\''] = name {
        name = rest;
        while let [rest @ .., b'\\'] = name {
            name = rest;
        }
    }
    name
}

/// Whether a text ends in the name of a secret.
fn is_secret(text: &[u8]) -> bool {
    const ALONE: &[&[u8]] = &[b"secret", b"password", b"passwd", b"passphrase", b"pwd"];
    const KEYS: &[&[u8]] = &[
        b"secret",
        b"access",
        b"account",
        b"storage",
        b"shared",
        b"subscription",
        b"function",
        b"functions",
        b"api",
        b"encryption",
        b"private",
    ];
    const TOKENS: &[&[u8]] = &[b"access", b"refresh", b"auth", b"session", b"security", b"sas", b"api", b"bot", b"id"];
    const JOINED: &[(&[u8], &[&[u8]])] = &[
        (b"key", KEYS),
        (b"token", TOKENS),
        (b"value", &[b"secret", b"access"]),
        (b"signature", &[b"access"]),
        (b"assertion", &[b"client"]),
    ];
    // Nearly everything in front of a `:` is told by its last letter.
    if !matches!(text.last(), Some(b't' | b'T' | b'd' | b'D' | b'e' | b'E' | b'y' | b'Y' | b'n' | b'N')) {
        return false;
    }
    ALONE.iter().any(|name| ends(text, name))
        || JOINED.iter().any(|(last, firsts)| {
            before(text, last).is_some_and(|front| {
                let front = if let [rest @ .., b'_' | b'-'] = front { rest } else { front };
                firsts.iter().any(|first| ends(front, first))
            })
        })
}

/// Whether what stands behind `://` has a user with something behind its `:`.
fn has_user(behind: &[u8]) -> bool {
    let end = behind.iter().position(|byte| {
        matches!(
            byte,
            b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'@' | b':' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'[' | b']'
        )
    });
    end.is_some_and(|end| behind[end] == b':')
}

/// Whether the tag behind a `<` ends in the name of a secret.
fn is_secret_tag(behind: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':');
    let name = &behind[..behind.iter().position(|byte| !is_name(byte)).unwrap_or(behind.len())];
    let ends_here = matches!(behind.get(name.len()), Some(b' ' | b'\t' | b'\r' | b'\n' | b'>'));
    ends_here && [&b"password"[..], b"secret", b"key", b"token"].iter().any(|last| ends(name, last))
}

/// What stands in front of a word at the end, in any case.
fn before<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let (front, end) = text.split_at_checked(text.len().checked_sub(word.len())?)?;
    end.eq_ignore_ascii_case(word).then_some(front)
}

/// What stands behind a word at the start, in any case.
fn after<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn ends(text: &[u8], word: &[u8]) -> bool {
    before(text, word).is_some()
}
