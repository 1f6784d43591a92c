//! The engine that a command answers with: opened by its options, kept fresh while the command runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::engine::{Engine, EngineOptions, ReloadOutcome, RulesSource, WatchEvent, WatchOptions, Watcher};
use crate::render;

use super::output::{self, Failed, remark};
use super::signals;

#[derive(Debug, Args)]
pub(super) struct EngineArguments {
    /// Take changed rules into use while the command runs
    #[arg(long)]
    pub(super) watch: bool,
    /// Keep the last good rules there, and start with them when the rules do not load
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// Start with nothing but DSUNK001 when there are no rules that load
    #[arg(long)]
    pub(super) allow_fallback_only: bool,
}

impl EngineArguments {
    /// Opens the engine; the report of rules that do not load is shown.
    pub(super) fn open(&self, rules: Option<&Path>) -> Result<Engine, Failed> {
        let Some(directory) = rules else {
            if self.watch || self.state.is_some() || self.allow_fallback_only {
                let message = "the built-in rules never change; give a rules directory with `--rules DIR`";
                return Err(Failed::Usage(message.to_owned()));
            }
            return Ok(Engine::builtin());
        };
        let mut options = EngineOptions::new(directory)
            .allow_fallback_only(self.allow_fallback_only)
            .wait_at_start(self.watch || self.state.is_some());
        if let Some(state) = &self.state {
            options = options.state(state);
        }
        let engine = options.open().map_err(|error| match error.report() {
            Some(report) => {
                output::report(report);
                Failed::Rejected(error.to_string())
            }
            None => error.into(),
        })?;
        if let Some(ReloadOutcome::Rejected(rejected)) = engine.last_outcome() {
            output::report(rejected.report());
        }
        match engine.status().source {
            RulesSource::LastGood => remark("the rules do not load; starting with the last good ones"),
            RulesSource::FallbackOnly => remark("the rules do not load; every answer is DSUNK001"),
            RulesSource::BuiltIn | RulesSource::Directory => {}
        }
        if let Some(why) = engine.status().not_kept {
            remark(&why);
        }
        Ok(engine)
    }

    /// Takes new rules into use from now on: when SIGHUP comes, and where it is asked for when they change.
    pub(super) fn keep_fresh(&self, engine: &Arc<Engine>, is_endless: bool) -> Result<Option<Watcher>, Failed> {
        if engine.directory().is_none() {
            return Ok(None);
        }
        let of_signal = Arc::clone(engine);
        signals::reload_on_hangup(engine, move |outcome| say(&of_signal, outcome))?;
        if !self.watch && !is_endless {
            return Ok(None);
        }
        let of_watch = Arc::clone(engine);
        let told = move |event: &WatchEvent| match event {
            WatchEvent::Reloaded(ReloadOutcome::Unchanged { .. }) | WatchEvent::Listening => {}
            WatchEvent::Reloaded(outcome) => say(&of_watch, outcome),
            WatchEvent::ScanOnly(why) => remark(&format!("rules: read every second, no file events: {why}")),
        };
        Ok(Some(Watcher::spawn(Arc::clone(engine), WatchOptions::default(), told)?))
    }
}

/// Says how a load ended, and when the set could not be kept.
fn say(engine: &Engine, outcome: &ReloadOutcome) {
    remark(&format!("rules: {}", render::reload_line(outcome)));
    if let (ReloadOutcome::Swapped { .. }, Some(why)) = (outcome, engine.status().not_kept) {
        remark(&why);
    }
}
