//! Numbers for operators, as OpenMetrics text. Labels come from closed sets: codes, reasons, routes, statuses.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::engine::{Engine, RulesSource};

use super::App;
use super::routes::route_of;

/// The media type of the numbers.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds that bound the buckets of a decision's latency.
const BUCKETS: [f64; 10] = [0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.001, 0.01, 0.1];

/// What is counted by the service itself; the rest is the engine's.
#[derive(Debug)]
pub(super) struct Metrics {
    engine: Arc<Engine>,
    requests: Family<RequestLabels, Counter>,
    refused: Family<StatusLabels, Counter>,
    unanswered: Counter,
    latency: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: u16,
}

impl Metrics {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            requests: Family::default(),
            refused: Family::default(),
            unanswered: Counter::default(),
            latency: Histogram::new(BUCKETS),
        }
    }

    /// A request has ended, with the status of its answer when it had one.
    pub(super) fn request(&self, path: &str, status: Option<u16>) {
        match status {
            Some(status) => self.requests.get_or_create(&RequestLabels { route: route_of(path), status }).inc(),
            None => self.unanswered.inc(),
        };
    }

    /// A request was refused before anybody read it.
    pub(super) fn refused(&self, status: u16) {
        self.refused.get_or_create(&StatusLabels { status }).inc();
    }

    /// A failure was answered.
    pub(super) fn decided(&self, took: Duration) {
        self.latency.observe(took.as_secs_f64());
    }

    /// All numbers as text.
    pub(super) fn text(&self, app: &App) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("faultbook");
        registry.register("http_requests", "Requests that were answered, by route and status", self.requests.clone());
        registry.register(
            "http_refused_requests",
            "Requests that were refused before they were read, by status",
            self.refused.clone(),
        );
        registry.register(
            "http_unanswered_requests",
            "Requests whose connection ended before their answer began",
            self.unanswered.clone(),
        );
        registry.register(
            "classify_duration_seconds",
            "Time to answer one failure, reading and writing it included",
            self.latency.clone(),
        );
        registry.register_collector(Box::new(Snapshot::take(self, app)));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

/// Numbers of one moment: a name, what it says, and its values by label.
#[derive(Debug)]
struct Snapshot(Vec<Series>);

#[derive(Debug)]
struct Series {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
    label: Option<&'static str>,
    values: Vec<(String, u64)>,
}

impl Snapshot {
    fn take(metrics: &Metrics, app: &App) -> Self {
        let status = metrics.engine.status();
        let one = |value: u64| vec![(String::new(), value)];
        let size = |value: usize| one(value as u64);
        let gauge = |name, help, values| Series { name, help, is_counter: false, label: None, values };
        let counter = |name, help, values| Series { name, help, is_counter: true, label: None, values };
        let labelled = |series: Series, label| Series { label: Some(label), ..series };
        let fallback = metrics.engine.current().rules().fallback().code.as_str().to_owned();
        let unknown: u64 = status.unknown_by_reason.values().sum();
        let mut by_code = status.hits_by_code.clone();
        *by_code.entry(fallback).or_default() += unknown;
        let mut series = vec![
            labelled(
                counter("decisions", "Failures that were answered, by code", by_code.into_iter().collect()),
                "code",
            ),
            labelled(
                counter(
                    "unknown",
                    "Failures that no rule knows, by reason",
                    status.unknown_by_reason.into_iter().collect(),
                ),
                "reason",
            ),
            labelled(
                counter("reloads", "Loads of the rules, by outcome", status.reloads_by_outcome.into_iter().collect()),
                "outcome",
            ),
            gauge(
                "last_reload_successful",
                "Whether the rules loaded when they were last loaded",
                one(u64::from(status.last_reload.as_ref().is_none_or(|last| last.outcome != "rejected"))),
            ),
            gauge(
                "last_reload_success_timestamp_seconds",
                "When the rules were last loaded without errors",
                one(seconds(&status.last_success)),
            ),
            gauge("generation", "Number of the rule set in force", one(status.generation)),
            labelled(gauge("ruleset_info", "The rule set in force", vec![(status.ruleset, 1)]), "ruleset"),
            gauge("rules", "Rules in force", size(status.rules)),
            gauge(
                "fallback_only",
                "Whether no rules are in force at all",
                one(u64::from(status.source == RulesSource::FallbackOnly)),
            ),
            gauge("http_connections", "Connections under way", size(app.connections.count())),
            counter(
                "http_refused_connections",
                "Connections that were refused because there were too many",
                size(app.connections.refused()),
            ),
            counter(
                "access_log_dropped",
                "Lines of the access log that could not be written in time",
                one(app.log.dropped()),
            ),
        ];
        if let Some(spool) = app.keeper.status() {
            series.push(counter("spool_kept", "Unknown failures that were kept", one(spool.kept)));
            series.push(counter(
                "spool_refused",
                "Unknown failures that could not be kept in time",
                one(spool.refused),
            ));
        }
        Self(series)
    }
}

/// Seconds since 1970 of a time as the status says it.
fn seconds(time: &str) -> u64 {
    let since = humantime::parse_rfc3339(time).ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Series { name, help, is_counter, label, values } in &self.0 {
            let kind =
                if *is_counter { ConstCounter::new(0_u64).metric_type() } else { ConstGauge::new(0_i64).metric_type() };
            let encode = |place: MetricEncoder<'_>, value: u64| {
                if *is_counter {
                    ConstCounter::new(value).encode(place)
                } else {
                    ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(place)
                }
            };
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            let Some(label) = label else {
                values.first().map_or(Ok(()), |(_, value)| encode(metric, *value))?;
                continue;
            };
            for (of_label, value) in values {
                encode(metric.encode_family(&[(*label, of_label.as_str())])?, *value)?;
            }
        }
        Ok(())
    }
}
