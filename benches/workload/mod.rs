//! A made-up world of rules and failures: seeded, so that every run and every machine has the same one.
//!
//! Rules and failures share their words, unknown failures hold half of what a rule looks for, and common types are
//! everywhere: whatever makes matching hard in practice is here on purpose.

#![allow(
    dead_code,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    reason = "two programs use different parts of it, and nothing here is measured"
)]

mod random;
mod words;

use std::ops::Range;

use faultbook::matcher::{
    CodePattern, Condition, Literal, Pattern, PatternError, Quantifier, StatusPattern, TypePattern, Values,
};
use faultbook::{Code, Exception, Failure, Rule};

use random::Random;
use words::{COMMON_TYPES, CONNECTORS, NAMESPACES, NOUNS, VERBS, WITHOUT_LITERAL, capital, fill, phrase};

/// Rules, each with the facts of a failure that it is about.
pub struct Workload {
    pub rules: Vec<Rule>,
    samples: Vec<Sample>,
    seed: u64,
}

/// What a failure must have for a rule to apply.
#[derive(Debug, Clone, Default)]
struct Sample {
    connector: Option<&'static str>,
    type_name: Option<String>,
    status: Option<u16>,
    provider: Option<String>,
    text: Option<String>,
    /// A text that keeps the rule from applying.
    unless: Option<String>,
}

impl Workload {
    /// So many rules; of their patterns, so many in a hundred have no literal.
    pub fn new(count: usize, without_literal: usize) -> Result<Self, PatternError> {
        let seed = 42;
        let mut maker = Maker { random: Random::new(seed), phrases: 0, names: 0, without_literal };
        let tail = CONNECTORS.len().min(count / 4);
        // A rule set of any size has the same share of each kind.
        let mut kinds: Vec<usize> = (0..count - tail).map(|index| index * 100 / (count - tail)).collect();
        maker.random.shuffle(&mut kinds);
        let mut world = Self { rules: Vec::with_capacity(count), samples: Vec::with_capacity(count), seed };
        for kind in kinds {
            let (when, unless, sample) = maker.rule(kind)?;
            world.push(when, unless, sample);
        }
        for connector in &CONNECTORS[..tail] {
            let when = Condition::HttpStatus(any(vec![StatusPattern::parse("5xx")?, StatusPattern::exact(429)?]));
            let sample = Sample { connector: Some(connector), status: Some(503), ..Sample::default() };
            world.push(vec![when], Vec::new(), sample);
        }
        Ok(world)
    }

    fn push(&mut self, when: Vec<Condition>, unless: Vec<Condition>, sample: Sample) {
        let Some(code) = Code::parse("DSXX001") else { return };
        self.rules.push(Rule {
            id: format!("made/{}", self.rules.len()),
            code,
            connectors: sample.connector.iter().map(|&name| name.to_owned()).collect(),
            when,
            unless,
            captures: Vec::new(),
        });
        self.samples.push(sample);
    }

    /// Failures as they come in: 70 % about a rule, 30 % about none.
    pub fn mixture(&self, count: usize) -> Vec<Failure<'static>> {
        let mut random = Random::new(self.seed + 1);
        (0..count)
            .map(|_| {
                let length = if random.percent(2) {
                    random.within(16 * 1024, 64 * 1024)
                } else {
                    random.length(300.0, 0.9).clamp(20, 4_096)
                };
                if random.percent(70) {
                    let sample = &self.samples[random.below(self.samples.len())];
                    self.about(sample, length, random.within(1, 4), &mut random)
                } else {
                    self.unknown(length, random.within(1, 4), &mut random)
                }
            })
            .collect()
    }

    /// Failures that no rule is about, each with one message of exactly so many bytes; some rule may still apply.
    pub fn misses(&self, bytes: usize) -> impl Iterator<Item = Failure<'static>> {
        let mut random = Random::new(self.seed + 2);
        std::iter::repeat_with(move || {
            let mut text = String::new();
            if random.percent(50) {
                text.push_str(self.near_miss(&mut random).get(..bytes / 2).unwrap_or_default());
            }
            let missing = bytes.saturating_sub(text.len());
            fill(&mut text, missing, &mut random);
            text.truncate(bytes);
            pad(&mut text, bytes);
            one_exception(random.pick(&COMMON_TYPES), Some(random.pick(&CONNECTORS)), text)
        })
    }

    /// Failures about one of the rules in a range, each with one message of exactly so many bytes; an earlier rule may
    /// apply first.
    pub fn hits(&self, range: Range<usize>, bytes: usize) -> impl Iterator<Item = Failure<'static>> {
        let mut random = Random::new(self.seed + 3);
        std::iter::repeat_with(move || {
            let sample = &self.samples[range.start + random.below(range.len())];
            let needed = sample.text.as_deref().unwrap_or_default();
            let mut text = String::new();
            fill(&mut text, (bytes / 2).saturating_sub(needed.len()), &mut random);
            text.push('\n');
            text.push_str(needed);
            text.push('\n');
            let missing = bytes.saturating_sub(text.len());
            fill(&mut text, missing, &mut random);
            text.truncate(bytes.max(needed.len()));
            pad(&mut text, bytes);
            let connector = sample.connector.unwrap_or_else(|| random.pick(&CONNECTORS));
            let name = sample.type_name.as_deref().unwrap_or(COMMON_TYPES[0]);
            let mut failure = one_exception(name, Some(connector), text);
            failure.http_status = sample.status;
            failure.provider_codes.extend(sample.provider.clone().map(Into::into));
            failure
        })
    }

    fn about(&self, sample: &Sample, length: usize, chain: usize, random: &mut Random) -> Failure<'static> {
        let mut failure = self.unknown(length, chain, random);
        failure.connector = Some(sample.connector.unwrap_or_else(|| random.pick(&CONNECTORS)).into());
        failure.http_status = sample.status.or(failure.http_status.filter(|_| random.percent(30)));
        if let Some(code) = &sample.provider {
            failure.provider_codes.push(code.clone().into());
        }
        let at = random.below(failure.exceptions.len());
        if let Some(name) = &sample.type_name {
            failure.exceptions[at].type_name = Some(decorated(name, random).into());
        }
        let mut said = sample.text.clone();
        if let Some(unless) = sample.unless.as_ref().filter(|_| random.percent(10)) {
            said = Some(format!("{} {unless}", said.unwrap_or_default()));
        }
        if let Some(said) = said {
            let text = match random.below(4) {
                0 => failure.message.get_or_insert_default(),
                _ => failure.exceptions[at].message.get_or_insert_default(),
            }
            .to_mut();
            // In front, behind, or in a line of its own in the middle.
            match random.below(3) {
                0 => text.insert_str(0, &format!("{said}\n")),
                1 => text.push_str(&format!("\n{said}")),
                _ => {
                    let middle = text.find(". ").map_or(0, |at| at + 2);
                    text.insert_str(middle, &format!("\n{said}\n"));
                }
            }
        }
        failure
    }

    fn unknown(&self, length: usize, chain: usize, random: &mut Random) -> Failure<'static> {
        let mut failure = Failure::default();
        if random.percent(95) {
            failure.connector = Some(random.pick(&CONNECTORS).into());
        }
        if random.percent(30) {
            failure.http_status = Some(random.pick(&[400, 401, 403, 404, 409, 412, 422]));
        }
        if random.percent(10) {
            failure.provider_codes.push(format!("Error{}", capital(random.pick(&VERBS))).into());
        }
        let long = random.below(chain);
        for place in 0..chain {
            let mut text = String::new();
            if place == long {
                if random.percent(50) {
                    text.push_str(self.near_miss(random));
                }
                if random.percent(5) {
                    text.push_str(" Das Postfach für Zoë wurde gelöscht – naïve Prüfung.");
                }
                if random.percent(10) {
                    text.push(' ');
                    text.push_str(random.pick(&WITHOUT_LITERAL).1);
                }
                fill(&mut text, length, random);
            } else if random.percent(70) {
                fill(&mut text, 40, random);
            }
            let name = if random.percent(80) {
                random.pick(&COMMON_TYPES).to_owned()
            } else {
                format!("{}.{}Exception", random.pick(&NAMESPACES), capital(random.pick(&NOUNS)))
            };
            failure.exceptions.push(Exception {
                type_name: Some(decorated(&name, random).into()),
                message: (!text.is_empty()).then(|| text.into()),
                ..Exception::default()
            });
        }
        failure
    }

    /// The first half of what some rule looks for.
    fn near_miss(&self, random: &mut Random) -> &str {
        let text = self.samples[random.below(self.samples.len())].text.as_deref().unwrap_or_default();
        text.get(..text.len() / 2).unwrap_or_default()
    }
}

/// Makes rules one by one.
struct Maker {
    random: Random,
    phrases: usize,
    names: usize,
    without_literal: usize,
}

impl Maker {
    /// The conditions of a rule of a kind, 0 to 99, and what a failure needs for it.
    fn rule(&mut self, kind: usize) -> Result<(Vec<Condition>, Vec<Condition>, Sample), PatternError> {
        let mut sample = Sample::default();
        let mut when = Vec::new();
        match kind {
            0..25 => when.push(self.type_condition(true, &mut sample)?),
            25..34 => when.push(self.provider(&mut sample)?),
            34..43 => {
                when.push(self.status(&mut sample)?);
                when.push(self.provider(&mut sample)?);
            }
            43..65 => {
                let own = self.random.percent(40);
                when.push(self.type_condition(own, &mut sample)?);
                when.push(self.message(&mut sample)?);
            }
            65..77 => {
                when.push(self.status(&mut sample)?);
                when.push(self.message(&mut sample)?);
            }
            _ => when.push(self.message(&mut sample)?),
        }
        if self.random.percent(75) {
            sample.connector = Some(self.random.pick(&CONNECTORS));
        }
        let mut unless = Vec::new();
        if self.random.percent(6) {
            let text = self.phrase();
            unless.push(Condition::Contains(any(vec![Literal::parse(&text)?])));
            sample.unless = Some(text);
        }
        Ok((when, unless, sample))
    }

    fn phrase(&mut self) -> String {
        self.phrases += 1;
        phrase(self.phrases)
    }

    fn type_condition(&mut self, own: bool, sample: &mut Sample) -> Result<Condition, PatternError> {
        let mut patterns = Vec::new();
        for place in 0..if self.random.percent(20) { self.random.within(2, 3) } else { 1 } {
            let (pattern, name) = self.type_pattern(own);
            patterns.push(TypePattern::parse(&pattern)?);
            if place == 0 {
                sample.type_name = Some(name);
            }
        }
        Ok(Condition::Exception(any(patterns)))
    }

    /// A pattern and a name that it fits.
    fn type_pattern(&mut self, own: bool) -> (String, String) {
        let (space, short) = if own {
            self.names += 1;
            let number = self.names.wrapping_mul(221_447) % 400_000;
            let short = format!(
                "{}{}{}Exception",
                capital(NOUNS[number % 100]),
                capital(VERBS[number / 100 % 40]),
                capital(NOUNS[number / 4_000])
            );
            (self.random.pick(&NAMESPACES).to_owned(), short)
        } else {
            let common = self.random.pick(&COMMON_TYPES);
            let (space, short) = common.rsplit_once('.').unwrap_or(("System", common));
            (space.to_owned(), short.to_owned())
        };
        let full = format!("{space}.{short}");
        let pattern = match self.random.below(100) {
            0..45 => full.clone(),
            45..65 => short,
            65..85 => format!("**.{short}"),
            85..90 => format!("*{short}"),
            90..95 => format!("{{Adatum,{space}}}.{short}"),
            _ => format!("{}.**.{short}", space.split('.').next().unwrap_or(&space)),
        };
        (pattern, full)
    }

    fn status(&mut self, sample: &mut Sample) -> Result<Condition, PatternError> {
        let status = self.random.pick(&[400, 401, 403, 404, 409, 412, 422, 500, 502, 503]);
        sample.status = Some(status);
        let pattern = match self.random.below(10) {
            0 => StatusPattern::parse(&format!("{}xx", status / 100))?,
            1 => StatusPattern::parse(&format!("{status}-{}", status + 5))?,
            _ => StatusPattern::exact(i64::from(status))?,
        };
        Ok(Condition::HttpStatus(any(vec![pattern])))
    }

    fn provider(&mut self, sample: &mut Sample) -> Result<Condition, PatternError> {
        let code = if self.random.percent(50) {
            self.number_code()
        } else {
            self.names += 1;
            let number = self.names.wrapping_mul(221_447) % 400_000;
            format!(
                "Error{}{}{}",
                capital(NOUNS[number % 100]),
                capital(VERBS[number / 100 % 40]),
                capital(NOUNS[number / 4_000])
            )
        };
        let pattern = if self.random.percent(5) { format!("*{code}") } else { code.clone() };
        sample.provider = Some(code);
        Ok(Condition::ProviderCode(any(vec![CodePattern::parse(&pattern)?])))
    }

    fn number_code(&mut self) -> String {
        self.names += 1;
        let family = self.random.pick(&["AADSTS", "ORA-", "SBX", "GRPH"]);
        format!("{family}{}", 1_000_000 + self.names * 37)
    }

    fn message(&mut self, sample: &mut Sample) -> Result<Condition, PatternError> {
        if self.random.percent(self.without_literal) {
            let (pattern, text) = self.random.pick(&WITHOUT_LITERAL);
            sample.text = Some(text.to_owned());
            return Ok(Condition::Message(any(vec![Pattern::parse_condition(pattern)?])));
        }
        let (first, second) = (self.phrase(), self.phrase());
        let (pattern, text) = match self.random.below(100) {
            0..25 => {
                // A few ask for two literals at once.
                let (items, text) = if self.random.percent(8) {
                    (vec![Literal::parse(&first)?, Literal::parse(&second)?], format!("{second}, {first}"))
                } else {
                    (vec![Literal::parse(&first)?], capital(&first))
                };
                sample.text = Some(text);
                return Ok(Condition::Contains(Values { quantifier: Quantifier::All, items }));
            }
            25..45 => {
                let code = self.number_code();
                (format!(r"\b{code}\b"), format!("{code}: {second}"))
            }
            45..60 => (format!("{first}.*{second}"), format!("{first} and {second}")),
            60..70 => (
                format!(r"{first} after (?P<secs>[0-9]+) seconds on (?P<host>\S+)"),
                format!("{first} after {} seconds on srv7.example", self.random.within(1, 99)),
            ),
            70..80 => (format!("(?:{first}|{second})"), second),
            80..90 => (format!("(?i){first}"), first.to_ascii_uppercase()),
            90..93 => (format!("(?m)^{first}"), first),
            93..96 => (format!(r"{first} [a-z]+ [0-9]{{1,5}}\b"), format!("{first} slot 17")),
            _ => (format!(r"(?:the |a )?{first}\b"), format!("the {first}.")),
        };
        sample.text = Some(text);
        Ok(Condition::Message(any(vec![Pattern::parse_condition(&pattern)?])))
    }
}

fn any<T>(items: Vec<T>) -> Values<T> {
    Values { quantifier: Quantifier::Any, items }
}

fn one_exception(name: &str, connector: Option<&str>, message: String) -> Failure<'static> {
    Failure {
        connector: connector.map(|name| name.to_owned().into()),
        exceptions: vec![Exception {
            type_name: Some(name.to_owned().into()),
            message: Some(message.into()),
            ..Exception::default()
        }],
        ..Failure::default()
    }
}

/// Fills a text up to a length without an end that is cut off.
fn pad(text: &mut String, bytes: usize) {
    let missing = bytes.saturating_sub(text.len());
    text.extend(std::iter::repeat_n('.', missing));
}

/// A few types come with generic arguments, as runtimes print them.
fn decorated(name: &str, random: &mut Random) -> String {
    if random.percent(3) { format!("{name}`1[[Contoso.Detail, Contoso]]") } else { name.to_owned() }
}
