//! What the functions answer, without a pointer in sight.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use faultbook::render::{self, ReportDocument};
use faultbook::{Changes, Engine, EngineOptions, Error, ErrorKind, ReloadOutcome, WatchOptions, Watcher};
use serde::{Deserialize, Serialize};

/// An engine, and the watch of its rules where it was asked for.
pub(crate) struct Handle {
    engine: Arc<Engine>,
    _watcher: Option<Watcher>,
    #[cfg(feature = "testing")]
    is_faulty: std::sync::atomic::AtomicBool,
}

/// How an engine is opened.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    state: Option<PathBuf>,
    watch: bool,
    allow_fallback_only: bool,
}

/// Why there is no engine.
#[derive(Debug, Serialize)]
pub(crate) struct NotOpened {
    kind: &'static str,
    error: String,
    report: Option<ReportDocument>,
}

impl NotOpened {
    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self { kind: "invalid-options", error: why.into(), report: None }
    }

    pub(crate) fn internal() -> Self {
        let error = "internal error while the rules were loaded; please report the rules".to_owned();
        Self { kind: "internal", error, report: None }
    }

    pub(crate) fn json(&self) -> String {
        json(self)
    }
}

impl From<Error> for NotOpened {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Rejected => "rejected",
            ErrorKind::InvalidOptions => "invalid-options",
            _ => "io",
        };
        Self { kind, error: error.to_string(), report: error.report().map(render::document) }
    }
}

/// How a load ended.
#[derive(Debug, Serialize)]
struct Reloaded<'o> {
    outcome: &'static str,
    generation: u64,
    ruleset: &'o str,
    changes: Option<&'o Changes>,
    error: Option<String>,
    report: Option<ReportDocument>,
}

pub(crate) fn open(rules: Option<PathBuf>, options: Option<&str>) -> Result<Handle, NotOpened> {
    let options: Option<Options> = options
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| NotOpened::invalid(format!("the options: {error}")))?;
    let options = options.unwrap_or_default();
    let Some(rules) = rules else {
        if options.state.is_some() || options.watch || options.allow_fallback_only {
            return Err(NotOpened::invalid(
                "the built-in rules never change; give a rules directory with these options",
            ));
        }
        return Ok(Handle::new(Arc::new(Engine::builtin()), None));
    };
    let mut how = EngineOptions::new(rules).allow_fallback_only(options.allow_fallback_only);
    if let Some(state) = options.state {
        how = how.state(state);
    }
    let engine = Arc::new(on_a_wide_stack(|| how.clone().open())?);
    let watcher = options.watch.then(|| Watcher::spawn(Arc::clone(&engine), WatchOptions::default(), |_| {}));
    Ok(Handle::new(engine, watcher.transpose()?))
}

impl Handle {
    fn new(engine: Arc<Engine>, watcher: Option<Watcher>) -> Self {
        Self {
            engine,
            _watcher: watcher,
            #[cfg(feature = "testing")]
            is_faulty: false.into(),
        }
    }

    /// The decision on one record, as a line of JSON.
    pub(crate) fn classify(&self, record: &[u8]) -> Vec<u8> {
        self.fault();
        line(&self.engine.current().classify_record(record))
    }

    pub(crate) fn unreadable(&self, why: &str) -> Vec<u8> {
        line(&self.engine.current().unreadable(why))
    }

    pub(crate) fn reload(&self) -> String {
        self.fault();
        let outcome = on_a_wide_stack(|| self.engine.reload());
        let word = outcome.as_str();
        match &outcome {
            ReloadOutcome::Swapped { generation, ruleset, changes } => json(&Reloaded {
                outcome: word,
                generation: *generation,
                ruleset,
                changes: Some(changes),
                error: None,
                report: None,
            }),
            ReloadOutcome::Unchanged { generation, ruleset } => json(&Reloaded {
                outcome: word,
                generation: *generation,
                ruleset,
                changes: None,
                error: None,
                report: None,
            }),
            ReloadOutcome::Rejected(rejected) => {
                let current = self.engine.current();
                json(&Reloaded {
                    outcome: word,
                    generation: current.number(),
                    ruleset: current.rules().digest(),
                    changes: None,
                    error: Some(rejected.to_string()),
                    report: Some(render::document(rejected.report())),
                })
            }
        }
    }

    pub(crate) fn status(&self) -> String {
        self.fault();
        json(&self.engine.status())
    }

    pub(crate) fn report(&self) -> String {
        self.fault();
        match self.engine.last_outcome() {
            Some(ReloadOutcome::Rejected(rejected)) => json(&render::document(rejected.report())),
            _ => json(&render::document(self.engine.current().report())),
        }
    }

    #[cfg(not(feature = "testing"))]
    #[expect(clippy::unused_self, reason = "with the feature `testing` there is something to do")]
    fn fault(&self) {}

    /// The fault that was asked for.
    #[cfg(feature = "testing")]
    fn fault(&self) {
        let is_faulty = self.is_faulty.swap(false, std::sync::atomic::Ordering::SeqCst);
        assert!(!is_faulty, "a fault on purpose");
    }

    /// Asks for a fault in the next call.
    #[cfg(feature = "testing")]
    pub(crate) fn ask_for_a_fault(&self) {
        self.is_faulty.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// The decision where there is no engine to make one. The words are those of an engine; only the digest is empty, since
/// no rules were asked. `why` holds nothing that JSON escapes.
pub(crate) fn without_engine(why: &str) -> String {
    format!(
        r#"{{"id":null,"code":"DSUNK001","title":"Unexpected exception","status":"Failed","retry":"undiagnosed","action":"contact-support","message":"[DSUNK001] {why}","rule":"fallback","captures":{{}},"evidence":[],"unknown_reason":"unreadable","log":{{"error_code":"DSUNK001","stack_trace":true}},"ruleset":"","error":"{why}"}}"#
    )
}

/// Rules are compiled as they are loaded, and deep patterns want more than the stack that a thread of somebody else may
/// have left. Where no thread can be had, this one has to do.
fn on_a_wide_stack<T: Send>(work: impl Fn() -> T + Send + Sync) -> T {
    thread::scope(|scope| match thread::Builder::new().stack_size(8 * 1024 * 1024).spawn_scoped(scope, &work) {
        // A fault over there is a fault here.
        Ok(thread) => thread.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)),
        Err(_) => work(),
    })
}

fn line(decision: &faultbook::Decision<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    // A decision holds texts and numbers only: writing it to memory cannot fail.
    let _ = render::json_line(decision, &mut line);
    line
}

fn json(value: &impl Serialize) -> String {
    // Texts, numbers and structs: writing them to memory cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{line, without_engine};
    use faultbook::Engine;

    #[test]
    fn the_decision_without_an_engine_has_the_words_of_one() {
        let engine = Engine::builtin();
        let current = engine.current();
        let mut decision = current.unreadable("the engine is NULL");
        decision.ruleset = "".into();
        assert_eq!(String::from_utf8_lossy(&line(&decision)), without_engine("the engine is NULL"));
    }
}
