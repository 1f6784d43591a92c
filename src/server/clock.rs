//! What a connection is waited for, and how long.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::config::Timeouts;

/// The clocks of one connection.
#[derive(Debug)]
pub(super) struct Clock {
    timeouts: Timeouts,
    hands: Mutex<Hands>,
}

#[derive(Debug)]
struct Hands {
    phase: Phase,
    since: Instant,
    /// Since when the answer waits for somebody to read it.
    stalled: Option<Instant>,
    /// Who reads the next request as soon as this one is answered.
    reader: Option<Waker>,
}

/// What a connection is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first byte on it.
    FirstByte,
    /// The rest of a request's head.
    Head,
    /// The body of a request, and the answer to it.
    Request,
    /// The next line of a stream.
    Stream,
    /// The next request.
    Idle,
    /// Somebody who reads the answer.
    Reader,
}

/// How often deadlines are looked at, where they may move to the front meanwhile.
const TICK: Duration = Duration::from_millis(500);

impl Clock {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let hands = Hands { phase: Phase::FirstByte, since: Instant::now(), stalled: None, reader: None };
        Self { timeouts, hands: Mutex::new(hands) }
    }

    /// Bytes of a head have come.
    pub(super) fn head(&self) {
        let mut hands = self.hands();
        if matches!(hands.phase, Phase::FirstByte | Phase::Idle) {
            hands.enter(Phase::Head);
        }
    }

    /// Whether a part of a head has come, and not all of it.
    pub(super) fn is_in_head(&self) -> bool {
        self.hands().phase == Phase::Head
    }

    /// A head is complete.
    pub(super) fn request(&self) {
        self.hands().enter(Phase::Request);
    }

    /// The request is a stream, or lines of the stream have come.
    pub(super) fn stream(&self) {
        self.hands().enter(Phase::Stream);
    }

    /// The request is answered.
    pub(super) fn idle(&self) {
        let mut hands = self.hands();
        hands.enter(Phase::Idle);
        if let Some(reader) = hands.reader.take() {
            reader.wake();
        }
    }

    /// Whether a request is being answered; who reads is told when it is not any more.
    pub(super) fn is_busy(&self, reader: &Waker) -> bool {
        let mut hands = self.hands();
        let is_busy = matches!(hands.phase, Phase::Request | Phase::Stream);
        if is_busy {
            hands.reader = Some(reader.clone());
        }
        is_busy
    }

    /// The answer was written or not, because nobody reads it.
    pub(super) fn wrote(&self, is_stalled: bool) {
        let mut hands = self.hands();
        if is_stalled {
            hands.stalled.get_or_insert_with(Instant::now);
        } else if hands.stalled.take().is_some() && hands.phase == Phase::Stream {
            hands.since = Instant::now();
        }
    }

    /// Waits until something was waited for too long; what that was.
    pub(super) async fn expired(&self) -> Phase {
        loop {
            let (deadline, phase) = self.deadline();
            let now = Instant::now();
            if deadline <= now {
                return phase;
            }
            tokio::time::sleep(TICK.min(deadline - now)).await;
        }
    }

    fn deadline(&self) -> (Instant, Phase) {
        let Timeouts { first_byte, head, request, stream_idle, write, idle, .. } = self.timeouts;
        let hands = self.hands();
        let wait = match hands.phase {
            Phase::FirstByte => first_byte,
            Phase::Head => head,
            Phase::Request => request,
            Phase::Stream => stream_idle,
            Phase::Idle | Phase::Reader => idle,
        };
        let deadline = (hands.since + wait, hands.phase);
        match hands.stalled {
            Some(since) if since + write < deadline.0 => (since + write, Phase::Reader),
            _ => deadline,
        }
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hands {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}
