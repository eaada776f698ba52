//! What a caller said and its session is not done with. Should the session's worker be lost, it is said anew where the session
//! goes on, from where it was when the caller heard last. Pure; bounded: what is too much is forgotten, oldest first.

use mouthpiece_domain::live::{BegunUtterance, LineInput};
use std::collections::VecDeque;
use std::mem::size_of;

/// Bytes that are kept of one socket: more than two minutes of speech at 24 kHz.
const KEPT: usize = 8 * 1024 * 1024;

/// A message.
#[derive(Debug)]
enum LoggedMessage {
    /// As it was said.
    Kept(LineInput),
    /// It was answered already: its place is kept for the numbers of those that follow.
    Answered,
}

/// What is to be said anew, before all that is still kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SaidAnew {
    /// The number of the first message.
    pub next: u64,
    /// The caller said that somebody speaks to the face.
    pub listening: bool,
    /// What was being said.
    pub begun: Option<BegunUtterance>,
    /// Speech that was neither played nor kept, milliseconds: it is lost.
    pub lost_ms: u64,
}

/// The messages of one caller, numbered from 1.
#[derive(Debug, Default)]
pub struct PushedLog {
    /// Those that are neither done with nor forgotten.
    messages: VecDeque<LoggedMessage>,
    /// The number of the first of these is one more.
    before: u64,
    /// How many of these were sent.
    sent: usize,
    bytes: usize,
    /// What was forgotten before it was done with: number, milliseconds of speech.
    forgotten: VecDeque<(u64, u64)>,
    listening: bool,
    begun: Option<BegunUtterance>,
    of_next_ms: u64,
}

impl PushedLog {
    /// A caller says something.
    pub fn push(&mut self, said: LineInput) {
        match said {
            LineInput::StartListening { .. } => self.listening = true,
            LineInput::StopListening { .. } => self.listening = false,
            _ => {}
        }
        self.bytes += bytes(&said);
        self.messages.push_back(LoggedMessage::Kept(said));
        while self.bytes > KEPT && self.sent > 0 {
            let speech = self.drop_first().map_or(0, |said| duration_ms(&said));
            self.forgotten.push_back((self.before, speech));
        }
    }

    /// Messages that were not sent yet.
    pub fn unsent(&self) -> usize {
        self.messages.len() - self.sent
    }

    /// What those take; looks at each of them.
    pub fn unsent_bytes(&self) -> usize {
        let unsent = self.messages.range(self.sent..);
        unsent.map(|said| if let LoggedMessage::Kept(said) = said { bytes(said) } else { 0 }).sum()
    }

    /// The next message to be sent, which is then sent.
    pub fn send(&mut self) -> Option<LineInput> {
        let next = match self.messages.get(self.sent)? {
            LoggedMessage::Kept(said) => said.clone(),
            // Whoever took it before passes over it; elsewhere it asks for nothing.
            LoggedMessage::Answered => LineInput::KeepAlive { event: None },
        };
        self.sent += 1;
        Some(next)
    }

    /// A message was refused: it is the caller's to say it again.
    pub fn refused(&mut self, number: u64) {
        let at = number.checked_sub(self.before + 1).and_then(|at| usize::try_from(at).ok());
        if let Some(message) = at.and_then(|at| self.messages.get_mut(at))
            && let LoggedMessage::Kept(said) = std::mem::replace(message, LoggedMessage::Answered)
        {
            self.bytes -= bytes(&said);
        }
    }

    /// All messages up to `through` are done with.
    pub fn settled(&mut self, through: u64, begun: Option<BegunUtterance>, of_next_ms: u64) {
        // Nobody is done with what was not sent.
        while self.before < through && self.sent > 0 {
            self.drop_first();
        }
        while self.forgotten.pop_front_if(|(number, _)| *number <= through).is_some() {}
        self.begun = begun;
        self.of_next_ms = of_next_ms;
    }

    /// A line leads to where the session was before: everything is said anew, and what had arrived there is passed over.
    pub fn again(&mut self) -> SaidAnew {
        self.sent = 0;
        SaidAnew { next: self.before + 1, listening: self.listening, begun: self.begun.clone(), lost_ms: 0 }
    }

    /// A line leads to where the session was not before: of the first message only what was not played is said.
    pub fn elsewhere(&mut self) -> SaidAnew {
        if self.forgotten.is_empty()
            && let Some(LoggedMessage::Kept(said)) = self.messages.front_mut()
        {
            let before = bytes(said);
            cut(said, self.of_next_ms);
            self.bytes -= before - bytes(said);
        }
        self.of_next_ms = 0;
        let lost_ms = self.forgotten.drain(..).map(|(_, ms)| ms).sum();
        SaidAnew { lost_ms, ..self.again() }
    }

    /// There is nobody to say it to: how much speech of it was not played, milliseconds.
    pub fn given_up(&mut self) -> u64 {
        let anew = self.elsewhere();
        let waiting =
            self.messages.iter().map(|said| if let LoggedMessage::Kept(said) = said { duration_ms(said) } else { 0 });
        anew.lost_ms + waiting.sum::<u64>()
    }

    fn drop_first(&mut self) -> Option<LineInput> {
        let first = self.messages.pop_front()?;
        self.before += 1;
        self.sent = self.sent.saturating_sub(1);
        let LoggedMessage::Kept(said) = first else { return None };
        self.bytes -= bytes(&said);
        Some(said)
    }
}

/// What a message takes.
fn bytes(said: &LineInput) -> usize {
    size_of::<LineInput>() + if let LineInput::Speak { samples, .. } = said { 2 * samples.len() } else { 0 }
}

fn duration_ms(said: &LineInput) -> u64 {
    let LineInput::Speak { rate, samples, .. } = said else { return 0 };
    samples.len() as u64 * 1000 / u64::from(*rate).max(1)
}

/// Cuts the first milliseconds off.
fn cut(said: &mut LineInput, ms: u64) {
    if let LineInput::Speak { rate, samples, .. } = said {
        let played = usize::try_from(ms * u64::from(*rate) / 1000).unwrap_or(usize::MAX).min(samples.len());
        samples.drain(..played);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(ms: usize) -> LineInput {
        LineInput::Speak { event: Some("a".to_owned()), rate: 16_000, samples: vec![1; 16 * ms] }
    }

    fn all(log: &mut PushedLog) -> Vec<u64> {
        std::iter::from_fn(|| log.send()).map(|said| duration_ms(&said)).collect()
    }

    fn begun(played_ms: u64) -> Option<BegunUtterance> {
        Some(BegunUtterance { event: Some("a".to_owned()), played_ms })
    }

    #[test]
    fn elsewhere_only_the_rest_is_said() {
        let mut log = PushedLog::default();
        for ms in [100, 200, 300] {
            log.push(speech(ms));
        }
        log.push(LineInput::SpeakEnd { event: None });
        assert_eq!(log.unsent(), 4);
        assert_eq!(all(&mut log), [100, 200, 300, 0]);
        log.settled(1, begun(150), 50);
        assert_eq!(log.elsewhere(), SaidAnew { next: 2, begun: begun(150), ..SaidAnew::default() });
        assert_eq!(all(&mut log), [150, 300, 0]);
        // Lost again, before anything was heard from there: nothing is cut off twice.
        assert_eq!(log.elsewhere(), SaidAnew { next: 2, begun: begun(150), ..SaidAnew::default() });
        assert_eq!(all(&mut log), [150, 300, 0]);
        log.settled(4, None, 0);
        assert_eq!(log.elsewhere(), SaidAnew { next: 5, ..SaidAnew::default() });
        assert!(all(&mut log).is_empty());
        assert_eq!(log.bytes, 0);
    }

    #[test]
    fn where_it_was_before_everything_is_said_and_what_was_refused_keeps_its_number() {
        let mut log = PushedLog::default();
        for ms in [100, 200, 300] {
            log.push(speech(ms));
        }
        assert_eq!(all(&mut log), [100, 200, 300]);
        log.refused(2);
        log.refused(9);
        log.settled(0, begun(50), 50);
        assert_eq!(log.again(), SaidAnew { next: 1, begun: begun(50), ..SaidAnew::default() });
        assert_eq!(all(&mut log), [100, 0, 300]);
        log.push(LineInput::StartListening { event: None });
        assert!(log.elsewhere().listening);
        log.push(LineInput::StopListening { event: None });
        assert!(!log.elsewhere().listening);
    }

    #[test]
    fn what_is_too_much_is_forgotten_and_told_to_be_lost() {
        let mut log = PushedLog::default();
        let minute = || speech(60_000);
        for _ in 0..3 {
            log.push(minute());
            log.send();
        }
        // Five minutes are more than is kept: the first is forgotten, unless it is done with by then.
        for _ in 0..2 {
            log.push(minute());
            log.send();
        }
        assert!(log.bytes <= KEPT);
        log.settled(0, begun(30_000), 30_000);
        let anew = log.elsewhere();
        assert_eq!((anew.next, anew.lost_ms), (2, 60_000));
        log.settled(1, None, 0);
        assert_eq!(log.elsewhere().lost_ms, 0, "told once");
        assert_eq!(all(&mut log), [60_000; 4]);
    }

    #[test]
    fn what_nobody_will_say_is_counted() {
        let mut log = PushedLog::default();
        for ms in [100, 200, 300] {
            log.push(speech(ms));
        }
        log.push(LineInput::SpeakEnd { event: None });
        log.send();
        log.send();
        log.settled(1, begun(150), 50);
        assert_eq!(log.given_up(), 450, "what was not sent counts, too");
        let mut log = PushedLog::default();
        for _ in 0..5 {
            log.push(speech(60_000));
            log.send();
        }
        assert_eq!(log.given_up(), 300_000, "so does what was forgotten");
    }

    #[test]
    fn what_was_not_sent_is_neither_forgotten_nor_done_with() {
        let mut log = PushedLog::default();
        for _ in 0..10 {
            log.push(speech(60_000));
        }
        log.settled(3, None, 0);
        assert_eq!(log.unsent(), 10);
        assert_eq!(all(&mut log).len(), 10);
    }
}
