//! `faultbook serve`: the engine over HTTP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::Builder;

use clap::Args;

use crate::engine::ReloadOutcome;
use crate::error::{Error, ErrorKind};
use crate::server::config::{AccessLog, Config};
use crate::server::{self, Server, Stop};

use super::engine::EngineArguments;
use super::input;
use super::output::{self, Failed, no_thread, remark};
use super::{signals, spool};

const EXAMPLES: &str = "Examples:
  faultbook --rules rules serve
  faultbook --rules rules serve --socket /run/faultbook/faultbook.sock
  faultbook serve --config faultbook-server.toml
  faultbook serve --config faultbook-server.toml --check
  curl -H 'Content-Type: application/json' -d '{\"provider_codes\":[\"AADSTS7000222\"],
    \"connector\":\"exchange\"}' http://127.0.0.1:8321/v1/classify

Changed rules are taken into use as soon as they are proven, also when SIGHUP comes; rules that do
not load change nothing. SIGTERM and Ctrl-C answer what is under way first; a second one does not.
Exit code 0 after that, 2 when the service could not start.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A file with all of this and the limits and timeouts; arguments win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on; 127.0.0.1:8321 unless a socket is given
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Unix socket to listen on; only the user of the service may use it
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Another host name that requests may be meant for; repeatable
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,
    /// File with the token that every request has to carry; else `FAULTBOOK_TOKEN` when it is set
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// File with the token that turns `POST /v1/reload` on; else `FAULTBOOK_RELOAD_TOKEN`
    #[arg(long, value_name = "FILE")]
    reload_token_file: Option<PathBuf>,
    /// Answer anybody who reaches an address other than loopback
    #[arg(long)]
    insecure_no_auth: bool,
    /// Where a line of JSON for each request goes
    #[arg(long, value_enum)]
    access_log: Option<AccessLog>,
    /// Threads that answer, up to 256; 0 for one on each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=256))]
    threads: Option<u16>,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    spool: spool::Arguments,
    /// Check the configuration and the rules, print what would be in force, and end
    #[arg(long)]
    check: bool,
    /// Print what can be asked as an OpenAPI 3.1 document, and end
    #[arg(long, exclusive = true)]
    openapi: bool,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    if arguments.openapi {
        output::print_json(&server::openapi())?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = arguments.config(rules)?;
    let engine_arguments = EngineArguments {
        state: config.state.clone(),
        allow_fallback_only: config.allow_fallback_only,
        watch: config.rules.is_some(),
    };
    let engine = Arc::new(engine_arguments.open(config.rules.as_deref())?);
    if arguments.check {
        Server::check(&config)?;
        output::print_exactly(&config.to_toml())?;
        return Ok(ExitCode::SUCCESS);
    }
    let is_required = config.spool_required;
    let keeper = Arc::new(arguments.spool.with(config.spool.as_deref(), is_required).open()?);
    std::panic::set_hook(Box::new(|panic| {
        // Not what the panic says: it may quote the failure.
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        remark(&format!("internal error{place}; please report the request"));
    }));
    let effective = config.to_toml();
    let server = Server::bind(config, Arc::clone(&engine), Arc::clone(&keeper), remark)?;
    stop_on_signal(server.stop())?;
    let _watching = engine_arguments.keep_fresh(&engine, true)?;
    if engine.directory().is_none() {
        // Else the signal would end the service.
        let told = |_: &ReloadOutcome| remark("rules: the built-in rules never change");
        signals::reload_on_hangup(&engine, told)?;
    }
    let status = engine.status();
    remark(&effective);
    remark(&format!("{} codes, {} rules, {}", status.codes, status.rules, status.ruleset));
    for address in server.addresses() {
        remark(&format!("listening on {address}"));
    }
    let dropped = server.run();
    spool::conclude(&keeper, is_required)?;
    match dropped {
        0 => remark("stopped"),
        1 => remark("stopped; a connection did not end in time and was dropped"),
        _ => remark(&format!("stopped; {dropped} connections did not end in time and were dropped")),
    }
    Ok(ExitCode::SUCCESS)
}

impl Arguments {
    /// What the file says, with the arguments over it.
    fn config(&self, rules: Option<&Path>) -> Result<Config, Failed> {
        let mut config = match &self.config {
            Some(file) => Config::read(&input::text(file)?, file)?,
            None => Config::default(),
        };
        let set = |place: &mut Option<PathBuf>, given: Option<&PathBuf>| {
            if let Some(given) = given {
                *place = Some(given.clone());
            }
        };
        set(&mut config.socket, self.socket.as_ref());
        set(&mut config.token_file, self.token_file.as_ref());
        set(&mut config.reload_token_file, self.reload_token_file.as_ref());
        set(&mut config.state, self.engine.state.as_ref());
        set(&mut config.spool, self.spool.directory.as_ref());
        set(&mut config.rules, rules.map(Path::to_owned).as_ref());
        config.listen = self.listen.or(config.listen);
        config.access_log = self.access_log.unwrap_or(config.access_log);
        config.threads = self.threads.unwrap_or(config.threads);
        config.allowed_hosts.extend(self.allowed_hosts.iter().cloned());
        config.insecure_no_auth |= self.insecure_no_auth;
        config.allow_fallback_only |= self.engine.allow_fallback_only;
        config.spool_required |= self.spool.is_required;
        Ok(config.complete()?)
    }
}

/// Ends the service in order on the first SIGINT or SIGTERM, at once on the second; a third one waits for nothing at all.
fn stop_on_signal(stop: Stop) -> Result<(), Failed> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Error::new(ErrorKind::Io, "cannot wait for signals").with_source(error))?;
    let wait = move || {
        for (before, signal) in signals.forever().enumerate() {
            if before > 1 {
                std::process::exit(128 + signal);
            }
            stop.stop();
        }
    };
    Builder::new().spawn(wait).map_err(no_thread)?;
    Ok(())
}
