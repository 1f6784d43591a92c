//! The engine: rules that change while connectors go on asking.
//!
//! Loading never disturbs answering: a set is read, settled, checked and proven beside the one in force, and then takes
//! its place with one pointer. What does not load changes nothing.

mod changes;
mod counters;
mod generation;
mod options;
mod reload;
mod settle;
mod state;
mod status;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use arc_swap::ArcSwap;

use crate::diagnostic::{Report, Sources};
use crate::error::{Error, ErrorKind};
use crate::model::{Decision, Failure};
use crate::ruleset::{Rejected, RuleSet};

use counters::Counters;
use reload::{Files, Loader, prove};
use settle::{Patience, Seen, Settled, settle};
use state::State;

pub use changes::{Changes, Difference};
pub use generation::Generation;
pub use options::EngineOptions;
pub use reload::ReloadOutcome;
pub use status::{LastReload, Source as RulesSource, Status, WatchMode};
pub use watch::{WatchEvent, WatchOptions, Watcher};

/// Answers failures with the rules in force, and takes new rules into use while it does.
///
/// Shared by reference or [`Arc`] between any number of threads. Answering never waits for a load.
///
/// ```
/// use faultbook::{Engine, Failure};
///
/// let engine = Engine::builtin();
/// let failure = Failure { provider_codes: vec!["AADSTS7000222".into()], connector: Some("exchange".into()), ..Failure::default() };
/// assert_eq!(engine.classify(&failure).code.as_str(), "DSEX001");
/// ```
#[derive(Debug)]
pub struct Engine {
    current: ArcSwap<Generation>,
    counters: Counters,
    /// None for the built-in rules, which never change.
    directory: Option<PathBuf>,
    patience: Patience,
    state: Option<State>,
    /// Requests for a load so far.
    requests: AtomicU64,
    loader: Mutex<Loader>,
    news: Mutex<News>,
}

/// What is told about the engine; never held for longer than it takes to read or write it.
#[derive(Debug)]
struct News {
    source: RulesSource,
    watch: WatchMode,
    /// How the last load ended, and when.
    last_reload: Option<(ReloadOutcome, SystemTime)>,
    last_success: SystemTime,
    reloads: BTreeMap<&'static str, u64>,
    loading_since: Option<Instant>,
    not_kept: Option<String>,
    generations_alive: usize,
    /// Fingerprint of the files that were loaded or rejected last; none when they have to be tried again.
    tried: Option<String>,
}

impl Engine {
    /// An engine on the rule files of a directory.
    ///
    /// # Errors
    /// When the rules do not load; [`Error::report`] says what is wrong with them.
    pub fn open(directory: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        EngineOptions::new(directory).open()
    }

    /// An engine on the rules that are built in.
    #[must_use]
    pub fn builtin() -> Self {
        let patience = EngineOptions::new("").patience;
        Self::start(None, patience, None, (RuleSet::builtin(), Report::default()), RulesSource::BuiltIn)
    }

    fn with_options(options: EngineOptions) -> Result<Self, Error> {
        let state = options.state.as_deref().map(State::open).transpose()?;
        let mut not_kept = None;
        let last_good = state.as_ref().and_then(|state| match state.load() {
            Ok(sources) => {
                let loaded = prove(sources?, None);
                loaded.map_err(|rejected| not_kept = Some(format!("the last good set does not load: {rejected}"))).ok()
            }
            Err(error) => {
                not_kept = Some(error.to_string());
                None
            }
        });
        let mut files = Files { directory: &options.directory, start: Instant::now() };
        let Settled { seen: Seen { sources, fingerprint }, is_quiet } = settle(&mut files, options.first_patience());
        let proven = prove(sources.clone(), last_good.as_ref().map(|(set, _)| set));
        let tried = is_quiet.then_some(fingerprint);
        let engine = match (proven, last_good) {
            (Ok(loaded), last_good) => {
                let is_new = last_good.is_none_or(|(set, _)| set.digest() != loaded.0.digest());
                let engine =
                    Self::start(Some(options.directory), options.patience, state, loaded, RulesSource::Directory);
                engine.news().not_kept = not_kept;
                if is_new {
                    engine.keep(&sources, engine.current.load().set.digest());
                }
                engine
            }
            (Err(rejected), last_good) => {
                let (loaded, source) = match last_good {
                    Some(loaded) => (loaded, RulesSource::LastGood),
                    None if options.allow_fallback_only => {
                        ((RuleSet::fallback_only(), Report::default()), RulesSource::FallbackOnly)
                    }
                    None => return Err(not_opened(rejected, not_kept)),
                };
                let engine = Self::start(Some(options.directory), options.patience, state, loaded, source);
                engine.news().not_kept = not_kept;
                engine.tell(&ReloadOutcome::Rejected(Arc::new(rejected)));
                engine
            }
        };
        engine.news().tried = tried;
        Ok(engine)
    }

    fn start(
        directory: Option<PathBuf>,
        patience: Patience,
        state: Option<State>,
        loaded: (RuleSet, Report),
        source: RulesSource,
    ) -> Self {
        let counters = Counters::default();
        let first = Generation::new(1, loaded, SystemTime::now(), &counters);
        tracing::info!(ruleset = first.set.digest(), source = ?source, "faultbook.started");
        Self {
            current: ArcSwap::from_pointee(first),
            counters,
            directory,
            patience,
            state,
            requests: AtomicU64::new(0),
            loader: Mutex::new(Loader::default()),
            news: Mutex::new(News {
                source,
                watch: WatchMode::Off,
                last_reload: None,
                last_success: SystemTime::now(),
                reloads: BTreeMap::new(),
                loading_since: None,
                not_kept: None,
                generations_alive: 0,
                tried: None,
            }),
        }
    }

    /// Says what a failure is. Cannot fail, and never waits for a load. The decision belongs to the caller and carries
    /// the digest of the rules that made it.
    #[must_use]
    pub fn classify(&self, failure: &Failure<'_>) -> Decision<'static> {
        self.current.load().classify(failure).into_owned()
    }

    /// Reads one failure in our own JSON and says what it is, also where it cannot be read: see
    /// [`Generation::classify_record`].
    #[must_use]
    pub fn classify_record(&self, record: &[u8]) -> Decision<'static> {
        self.current.load().classify_record(record).into_owned()
    }

    /// The set in force, to answer several failures with, or to borrow decisions from.
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// The rules directory; none for the built-in rules.
    #[must_use]
    pub fn directory(&self) -> Option<&std::path::Path> {
        self.directory.as_deref()
    }

    /// Loads the rules again and says truthfully what came of it. One load is under way at a time; who asks meanwhile
    /// gets the outcome of one that began after asking.
    ///
    /// Takes at least the quiet time of [`EngineOptions::quiet`], unless the set has a lock.
    pub fn reload(&self) -> ReloadOutcome {
        let request = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        let mut loader = self.lock_loader();
        if loader.covers >= request
            && let Some(outcome) = self.last_outcome()
        {
            return outcome;
        }
        // Everybody who has asked until now gets the outcome of this load.
        let covers = self.requests.load(Ordering::SeqCst);
        self.news().loading_since = Some(Instant::now());
        let outcome = self.load(&mut loader);
        loader.covers = covers;
        self.tell(&outcome);
        self.news().generations_alive = loader.reap();
        outcome
    }

    fn load(&self, loader: &mut Loader) -> ReloadOutcome {
        let before = self.current();
        let unchanged =
            || ReloadOutcome::Unchanged { generation: before.number, ruleset: before.set.digest().to_owned() };
        let Some(directory) = &self.directory else { return unchanged() };
        let mut files = Files { directory, start: Instant::now() };
        let Settled { seen: Seen { sources, fingerprint }, is_quiet } = settle(&mut files, self.patience);
        self.news().tried = is_quiet.then_some(fingerprint);
        // The fallback alone was never issued to anybody as a set of rules.
        let is_real = self.news().source != RulesSource::FallbackOnly;
        let proven = match prove(sources.clone(), is_real.then_some(&before.set)) {
            Ok(proven) => proven,
            Err(rejected) => return ReloadOutcome::Rejected(Arc::new(rejected)),
        };
        let is_same = proven.0.digest() == before.set.digest();
        let (number, since) =
            if is_same { (before.number, before.since) } else { (before.number + 1, SystemTime::now()) };
        let next = Arc::new(Generation::new(number, proven, since, &self.counters));
        self.current.store(Arc::clone(&next));
        self.news().source = RulesSource::Directory;
        let outcome = if is_same {
            unchanged()
        } else {
            self.keep(&sources, next.set.digest());
            let changes = Arc::new(Changes::between(&before.set, &next.set));
            ReloadOutcome::Swapped { generation: number, ruleset: next.set.digest().to_owned(), changes }
        };
        loader.retired.push(before);
        outcome
    }

    /// Keeps a set as the last good one, where that is asked for. That it cannot be kept changes nothing else.
    fn keep(&self, sources: &Sources, ruleset: &str) {
        let Some(state) = &self.state else { return };
        let kept = state.save(sources, ruleset, SystemTime::now());
        if let Err(error) = &kept {
            tracing::warn!(%error, "faultbook.persist_failed");
        }
        self.news().not_kept = kept.err().map(|error| error.to_string());
    }

    fn tell(&self, outcome: &ReloadOutcome) {
        match outcome {
            ReloadOutcome::Swapped { generation, ruleset, .. } => {
                tracing::info!(generation, ruleset, "faultbook.reload.swapped");
            }
            ReloadOutcome::Unchanged { generation, ruleset } => {
                tracing::debug!(generation, ruleset, "faultbook.reload.unchanged");
            }
            ReloadOutcome::Rejected(rejected) => tracing::warn!(%rejected, "faultbook.reload.rejected"),
        }
        let mut news = self.news();
        let now = SystemTime::now();
        news.last_reload = Some((outcome.clone(), now));
        if !matches!(outcome, ReloadOutcome::Rejected(_)) {
            news.last_success = now;
        }
        *news.reloads.entry(outcome.as_str()).or_default() += 1;
        news.loading_since = None;
    }

    /// How the last load ended, with its report when the rules were rejected; none when nothing was loaded since a start
    /// without errors.
    #[must_use]
    pub fn last_outcome(&self) -> Option<ReloadOutcome> {
        self.news().last_reload.as_ref().map(|(outcome, _)| outcome.clone())
    }

    /// How the engine stands. Never waits for a load.
    #[must_use]
    pub fn status(&self) -> Status {
        let current = self.current();
        let (hits_by_code, hits_by_rule) = self.counters.hits();
        let news = self.news();
        Status {
            generation: current.number,
            ruleset: current.set.digest().to_owned(),
            since: humantime::format_rfc3339_seconds(current.since).to_string(),
            source: news.source,
            codes: current.set.codes().len(),
            rules: current.set.rules().len(),
            watch: news.watch,
            last_reload: news.last_reload.as_ref().map(|(outcome, at)| LastReload::new(*at, outcome)),
            last_success: humantime::format_rfc3339_seconds(news.last_success).to_string(),
            reloads_by_outcome: news.reloads.iter().map(|(outcome, count)| ((*outcome).to_owned(), *count)).collect(),
            loading_seconds: news.loading_since.map(|since| since.elapsed().as_secs()).filter(|seconds| *seconds > 0),
            not_kept: news.not_kept.clone(),
            generations_alive: news.generations_alive,
            hits_by_code,
            hits_by_rule,
            unknown_by_reason: self.counters.unknown(),
        }
    }

    /// Reads the files for the watch; that it hangs can be seen in the status.
    fn look(&self, directory: &std::path::Path) -> Seen {
        let begun = Instant::now();
        self.news().loading_since.get_or_insert(begun);
        let seen = reload::look(directory);
        // A load of somebody else may have begun meanwhile.
        self.news().loading_since.take_if(|since| *since == begun);
        seen
    }

    /// Whether the files are others than those that were loaded or rejected last.
    fn is_news(&self, seen: &Seen) -> bool {
        self.news().tried.as_ref() != Some(&seen.fingerprint)
    }

    /// Whether the last load found files that nobody was in the middle of writing.
    fn has_settled(&self) -> bool {
        self.news().tried.is_some()
    }

    /// Frees sets that are out of force and not held any more.
    fn reap(&self) {
        if let Ok(mut loader) = self.loader.try_lock() {
            self.news().generations_alive = loader.reap();
        }
    }

    fn set_watch(&self, mode: WatchMode) {
        self.news().watch = mode;
    }

    fn lock_loader(&self) -> MutexGuard<'_, Loader> {
        self.loader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is nothing to serve: what is wrong with the rules, and with the last good set where there should be one.
fn not_opened(rejected: Rejected, last_good: Option<String>) -> Error {
    match last_good {
        Some(why) => Error::new(ErrorKind::Rejected, format!("{rejected}; {why}")).with_report(rejected.into_report()),
        None => rejected.into(),
    }
}
