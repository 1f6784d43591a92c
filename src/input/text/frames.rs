//! Stack frames of many runtimes, and the lines that only divide them.
//!
//! A frame names methods, files and line numbers, and none of them may ever be read as a word of a failure.

use super::pattern::pattern;

/// Words for `at`, in the languages that runtimes are translated to; `in` and `en` also begin sentences.
const AT: &str = r"(?:at|bei|à|в|на|в|在|於|于|場所|위치:|en|em|in|w|v|ved|vid|i|hos|op|bij|konum|şurada:|σε|στο|a\ következő\ helyen:|kohteessa|място|на|ב-)";

pattern!(
    DOTNET,
    &format!(
        r"(?x)^ _? {AT} \s+ (?: (?:async|new|static|virtual|void|bool|string|int|Task)\s+ )*
        [\p{{L}}_<] [\w<>`+$|,~@/\[\]&?!:-]* \. [\w.<>`+$|,~@/\[\]&?!:-]* (?: \s\[[^\]]*\]\s? )? \s? \( [^()]* (?: \( [^()]* \) [^()]* )* \)"
    )
);
pattern!(
    AT_OPEN,
    r"(?x)^ at \s+ (?: (?:async|new|Object\.)\s* )? (?: [A-Za-z_<$][\w<>$]* (?: [.+/$|:`] [\w<>$@|`\[\],]* )+ \s* (?: \(|$|\[as\ ) | <anonymous> | [A-Za-z_$][\w$]*\ \( .* :\d+\) )"
);
pattern!(AT_FILE, r"(?x)^ at \s+ (?: \S+ :\d+:\d+ | file:/ | async\ \S+ | \(? (?:/|[A-Za-z]:\\) | line \s \d+ ) ");
pattern!(
    OTHER,
    r#"(?x)^ (?:
        \.{3}\ \d+\ (?:more|common\ frames\ omitted)
      | File\ ".*",\ line\ \d+
      | \#\d+\ +(?: /|\{main\}|\[internal|[A-Za-z]:|0x|phar:|<|[\w.]+\ (?:in|\(|at)|at\ )
      | thrown\ in\ .+\ on\ line\ \d+
      | goroutine\ \d+\ \[
      | created\ by\ \S+
      | \[signal\ \S+\ 
      | exit\ status\ \d+$
      | (?:/|[A-Za-z]:[/\\]|\.\.?/) \S.* \.(?:go|rs|rb|py|js|ts|java|c|cpp|cs|php|ex): \d+ (?: :in\ [^:]* | \ \+0x[0-9a-f]+ | :\d+ )? $
      | from\ \S+\.rb:\d+:in
      | [A-Za-z_$][\w.$<>/*()\[\]-]* @ (?:https?|file|app|webpack|chrome|moz)\S*:\d+
      | (?:https?|file|webpack)://\S+:\d+:\d+$
      | [\w.$<>]+\ \S+\.(?:js|ts|mjs|jsx|tsx):\d+:\d+$
      | :\d+\ -\ [A-Za-z_][\w.+<>`]*\(
      | (?:/|[A-Za-z]:\\) \S.* \(\d+,\d+\):\ at\ 
      | Repeat\ \d+\ times:
      | At\ (?:line:\d+|[A-Za-z]:\\\S.*:\d+|/\S+:\d+)\ char:\d+
      | \+\ ~+ $
      | \^+~*$ | ~+\^+~*$
    )"#
);
pattern!(MONO, r"^[A-Za-z_<][\w.<>`+\[\],|/]* ?\(.*\[0x[0-9a-fA-F]{2,8}\] in ?[<:/A-Za-z]");
pattern!(
    DEMYSTIFIED,
    r"(?x)^ (?:async\ )? (?:static\ )? [A-Za-z_][\w<>\[\],.?]*\ (?:[A-Za-z_][\w<>`]*[.+])+ [\w<>.|`\[\],]+ \([^()]*(?:\([^()]*\)[^()]*)*\) (?:\+[\w<>()\ =>{}.]+)? (?:\ (?:at\ line|in\ ).*)? $"
);
pattern!(
    GO,
    r"(?x)^ (?:[\w.-]+(?:/[\w.!~-]+)*) \. (?:\(\*?\w+\)\.)? \w[\w.]* \( (?: \.\.\. | 0x[0-9a-f?]+ | \{0x | $ | [0-9,\ ]*\)$ )"
);
pattern!(OFFSET, r"(?x)^ [A-Za-z_<][\w.<>`+\[\],|]* \. [\w<>`|\[\],.]+ \( .* \) \s? \+ \d+ $");
pattern!(
    DIVIDER,
    r"(?xi)^ (?:
        -{2,3}\s? (?: end\ of\ (?:stack|inner) | ende\ der\ (?:intern|stapel|stack) | fin\ de(?:l|\ la)\ | fine\ (?:traccia|dell) | konec\ | koniec\ | slut\ på | slutt\ på | einde\ van | fim\ d | 内部 | 引发异常 | 前の場所 | 直前に例外 | 上一位置 | 从以前 | конец | stack\ trace | a\ belső | a\ verem | --- )
      | \s*-{3}\s.+\s-{3}$
      | (?: server\ )? stack\ ?trace \s* :? \s* \**:? $
      | result\ stack\s?trace: .* $
      | exception\ rethrown\ at\ \[\d+\]: \s* $
      | traceback\ \(most\ recent\ call\ last\): .*
      | \**\ ?exception\ text\ ?\** $
      | (?: [*_\#=+~-] \s? ){3,} $
      | \**\ ?stack\ ?trace:?\**:? (?:\ \(TaskId:\d+\))? $
      | \#+\s* (?:stack\ ?trace|reason|exception|details) [\s\#:]* $
      | `{3} \w* $
    )"
);
pattern!(
    END_INNER,
    r"(?xi) ^\s*-{3}\s+ (?:
        end\ of\ inner\ exception(?:detail)?\ stack\ trace
      | ende\ der\ internen\ ausnahmestapel(?:überwachung|verfolgung)
      | fin\ de\ la\ trace\ de\ la\ pile\ d.exception\ interne
      | fin\ del\ seguimiento\ de\ la\ pila\ de\ excepci\S*n(?:es)?\ interna
      | fine\ della\ traccia\ dello\ stack\ dell.eccezione\ interna
      | fim\ do\ rastreamento\ de\ pilha\ de\ exceç\S*\ intern
      | конец\ трассировки\ внутреннего\ стека
      | 内部异常堆栈跟踪的结尾
      | 內部例外狀況堆疊追蹤的結尾
      | 内部例外スタック\ ?トレースの終わり
      | 내부\ 예외\ 스택\ 추적의\ 끝
      | koniec\ śladu\ stosu\ wyjątk\S+\ wewnętrzn\S+
      | konec\ trasování\ zásobníku\ vnitřní\ výjimky
      | einde\ van\ .{0,20}interne\ (?:exception|uitzondering)
      | iç\ özel\ durum\ yığını\ izlemesinin\ sonu
      | a\ belső\ kivétel\ verem\S*\ .{0,20}vége
      | slut\ på\ .{0,20}inre\ undantag
    ) "
);
pattern!(
    INLINE,
    r"(?x) \s (?:at|bei|à|в|在) \s+ (?:async\s+)? [A-Za-z_<] [\w<>`+$|\[\],/~-]* (?:[.:+/] [\w<>`|$\[\],~]+ )+ \s? (?: \[[^\]\n]*\]\s? )? \("
);
pattern!(AT_END, r"(?:^|\s)at$");

/// What a line is to a stack trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A frame.
    Frame,
    /// The end of a wrapped exception's frames.
    EndInner,
    /// A heading or rule that says nothing.
    Divider,
    /// Nothing of the kind.
    Said,
}

/// Says what a line, without its log prefix, is to a stack trace.
pub(super) fn kind(said: &str) -> Kind {
    if is_frame(said) {
        return Kind::Frame;
    }
    let first = said.chars().next().unwrap_or(' ');
    if first == '-' && END_INNER.is_match(said) {
        return Kind::EndInner;
    }
    let divides = matches!(first, '-' | '*' | '#' | '=' | '+' | '~' | '_' | '`')
        || matches!(first, 's' | 'S' | 'E' | 'e' | 'T' | 't' | 'R' | 'r');
    if divides && DIVIDER.is_match(said) { Kind::Divider } else { Kind::Said }
}

/// Whether a line is a frame.
pub(super) fn is_frame(said: &str) -> bool {
    if said.len() < 3 {
        return false;
    }
    if said.starts_with("at ") && (AT_OPEN.is_match(said) || AT_FILE.is_match(said)) {
        return true;
    }
    let bytes = said.as_bytes();
    if said.contains('(') && DOTNET.is_match(said) {
        return true;
    }
    let other = matches!(
        bytes[0],
        b'.' | b'F'
            | b'#'
            | b't'
            | b'g'
            | b'c'
            | b'['
            | b'e'
            | b'/'
            | b'f'
            | b':'
            | b'R'
            | b'A'
            | b'+'
            | b'^'
            | b'~'
            | b'\\'
    ) || said.contains(['@', ':']);
    if other && OTHER.is_match(said) {
        return true;
    }
    (said.contains("[0x") && MONO.is_match(said))
        || (said.ends_with(|c: char| c.is_ascii_digit()) && OFFSET.is_match(said))
        || (said.contains('(') && GO.is_match(said))
}

/// Whether a line is a frame as written by prettifiers, `async Task A.B(string c) at line 3`: only believed behind a header.
pub(super) fn is_prettified(said: &str) -> bool {
    said.contains('(') && DEMYSTIFIED.is_match(said)
}

/// Where the first frame begins that stands on the same line as words.
pub(super) fn inline(text: &str) -> Option<usize> {
    if !text.contains('(') {
        return AT_END.find(text).map(|found| found.start());
    }
    INLINE.find(text).or_else(|| AT_END.find(text)).map(|found| found.start())
}

/// Whether a frame goes on in the next line, because a console cut it.
pub(super) fn is_open(frame: &str) -> bool {
    let opened = frame.bytes().filter(|b| *b == b'(').count();
    let closed = frame.bytes().filter(|b| *b == b')').count();
    opened > closed
        || (opened == 0
            && (frame.starts_with("at ") || frame.ends_with(" at") || frame == "at")
            && !frame.contains(':'))
}
