mod continued;

use super::*;
use proptest::prelude::*;

const CALLER: CallerId = CallerId(7);
/// Of a message that nobody asks about.
const ANY: MessageRef = MessageRef { caller: CALLER, number: 0 };
const MS: Duration = Duration::from_millis(1);
/// How far ahead of the clock sound gets its place when a frame is begun, in these tests.
const AHEAD: u64 = 80 * 48;

/// A voice with a clock of its own.
struct WorkState {
    voice: Voice,
    /// Frames a second.
    fps: u64,
    frames: u64,
    start: Instant,
    /// Milliseconds since the start.
    now: u64,
    heard: Vec<f32>,
    played: Vec<f32>,
    events: Vec<LineOutput>,
}

impl WorkState {
    fn new() -> Self {
        Self::at_fps(25)
    }

    fn at_fps(fps: u64) -> Self {
        let mut voice = Voice::new(10_000 * MS, 1000 * MS / fps as u32);
        voice.release();
        let start = Instant::now();
        let mut stage =
            Self { voice, fps, frames: 0, start, now: 0, heard: Vec::new(), played: Vec::new(), events: Vec::new() };
        // As a session does: what is ahead of the clock has its place before anything is said.
        stage.voice.advance(AHEAD, start, &mut |sound| stage.heard.extend(sound));
        stage
    }

    fn at(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    /// A millisecond passes.
    fn tick(&mut self) {
        self.now += 1;
        let at = self.at();
        let frame = self.now * self.fps / 1000;
        if frame > self.frames {
            self.frames = frame;
            let to = frame * RATE / self.fps + AHEAD;
            self.voice.advance(to, at, &mut |sound| self.heard.extend(sound));
            assert_eq!(self.voice.committed, to);
        }
        if self.now.is_multiple_of(20) {
            let mut out = [0.0; PACKET];
            assert_eq!(self.voice.play(&mut out), Some(self.played.len() as u64));
            self.played.extend(out);
        }
        self.events.extend(self.voice.events());
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.tick();
        }
    }

    fn speak(&mut self, event: &str, ms: usize, value: f32) -> Result<(), NoRoom> {
        let at = self.at();
        self.voice.speak(Some(event.to_owned()), &vec![value; ms * 48], ANY, at)
    }

    fn end(&mut self, event: Option<&str>) {
        let at = self.at();
        assert!(self.voice.end_utterance(event.map(Into::into), &[], ANY, at));
    }

    fn told(&self) -> Vec<(&'static str, String, u64)> {
        let told = self.events.iter().filter_map(|event| match event {
            LineOutput::Started { event } => Some(("started", event.clone().unwrap_or_default(), 0)),
            LineOutput::Ended { event, played_ms } => Some(("ended", event.clone().unwrap_or_default(), *played_ms)),
            LineOutput::Interrupted { event, played_ms } => {
                Some(("interrupted", event.clone().unwrap_or_default(), *played_ms))
            }
            _ => None,
        });
        told.collect()
    }

    /// Where sound that is not silence begins and ends in what was played, milliseconds.
    fn sounding(&self) -> Option<(usize, usize)> {
        let first = self.played.iter().position(|s| *s != 0.0)?;
        let last = self.played.iter().rposition(|s| *s != 0.0)?;
        Some((first / 48, last / 48))
    }
}

#[test]
fn speech_leaves_after_the_delay_and_the_ear_heard_the_same() {
    let mut stage = WorkState::new();
    stage.run(101);
    stage.speak("a", 500, 0.5).unwrap();
    stage.end(None);
    stage.run(900);
    assert_eq!(stage.sounding(), Some((160, 659)), "at once after what had its place");
    assert_eq!(stage.heard[..stage.played.len()], stage.played[..]);
    let said = |word, ms| (word, "a".to_owned(), ms);
    assert_eq!(stage.told(), [said("started", 0), said("ended", 500)]);
}

#[test]
fn utterances_follow_each_other_and_each_is_told_once() {
    let mut stage = WorkState::new();
    for name in ["a", "b"] {
        stage.speak(name, 300, 0.1).unwrap();
        stage.end(None);
    }
    stage.speak("c", 100, 0.1).unwrap();
    stage.run(2000);
    let told: Vec<_> = stage.told().into_iter().map(|(word, name, _)| format!("{word} {name}")).collect();
    assert_eq!(told, ["started a", "ended a", "started b", "ended b", "started c"]);
    stage.run(5000);
    assert_eq!(stage.told().last(), Some(&("ended", "c".to_owned(), 100)), "nobody continued it");
    // The last one is open: it is laid so that later pieces come in time, a millisecond after the one before.
    assert_eq!(stage.sounding(), Some((80, 781)));
}

#[test]
fn an_interruption_is_silence_at_once_and_one_event_an_utterance() {
    let mut stage = WorkState::new();
    stage.speak("a", 3000, 0.5).unwrap();
    stage.end(None);
    stage.speak("b", 1000, 0.5).unwrap();
    stage.run(1000);
    stage.voice.interrupt();
    stage.run(1000);
    stage.voice.interrupt();
    stage.run(500);
    let (_, last) = stage.sounding().unwrap();
    assert!((1000..=1005).contains(&last), "silent {last} ms after the start");
    let told = stage.told();
    assert_eq!(told[1..], [("interrupted", "a".to_owned(), 925), ("interrupted", "b".to_owned(), 0)]);
    stage.speak("c", 100, 0.5).unwrap();
    stage.end(None);
    stage.run(1000);
    assert_eq!(stage.told().last(), Some(&("ended", "c".to_owned(), 100)));
}

#[test]
fn the_shortest_utterance_begins_and_ends() {
    for count in [1, 2, 8, 47, 960] {
        let mut stage = WorkState::new();
        let at = stage.at();
        stage.voice.speak(None, &vec![0.5; count], ANY, at).unwrap();
        stage.end(Some("a"));
        stage.run(300);
        let played_ms = (count as u64 * 1000 + RATE / 2) / RATE;
        assert_eq!(stage.told(), [("started", "a".to_owned(), 0), ("ended", "a".to_owned(), played_ms)]);
        assert_eq!(stage.played.iter().filter(|s| **s == 0.5).count(), count, "all of it leaves");
    }
    // As a converter gives it: nothing at first, the rest at the end; or never, where nobody ends it.
    for ended in [true, false] {
        let mut stage = WorkState::new();
        let at = stage.at();
        stage.voice.speak(Some("b".into()), &[], ANY, at).unwrap();
        if ended {
            assert!(stage.voice.end_utterance(None, &[0.5], ANY, at));
        }
        stage.run(6000);
        assert_eq!(stage.told(), [("started", "b".to_owned(), 0), ("ended", "b".to_owned(), 0)]);
    }
}

#[test]
fn an_end_with_nothing_to_end_is_told_in_its_turn() {
    let mut stage = WorkState::new();
    stage.end(Some("nothing"));
    stage.tick();
    assert_eq!(stage.told(), [("ended", "nothing".to_owned(), 0)], "at once");
    stage.speak("a", 300, 0.5).unwrap();
    stage.end(None);
    stage.end(Some("again"));
    stage.run(1000);
    let said = |word, name: &str, ms| (word, name.to_owned(), ms);
    assert_eq!(stage.told()[1..], [said("started", "a", 0), said("ended", "a", 300), said("ended", "again", 0)]);
    // There is an end to what may wait.
    stage.speak("b", 5000, 0.5).unwrap();
    let at = stage.at();
    let taken = (0..1000).filter(|_| stage.voice.end_utterance(None, &[], ANY, at)).count();
    assert_eq!(taken, UTTERANCES);
}

#[test]
fn an_interruption_says_whether_there_was_anything_to_cut_off() {
    let mut stage = WorkState::new();
    assert!(!stage.voice.interrupt());
    stage.speak("a", 300, 0.5).unwrap();
    assert!(stage.voice.interrupt());
    assert!(!stage.voice.interrupt());
}

#[test]
fn the_microphones_places_are_known_until_they_are_cut_off() {
    let mut stage = WorkState::new();
    for _ in 0..20 {
        let at = stage.at();
        stage.voice.hear(&[0.25; PACKET], at);
        stage.run(20);
    }
    let places = |stage: &WorkState| (0..stage.voice.committed).filter(|at| stage.voice.is_microphone(*at)).count();
    let heard = stage.heard.iter().filter(|s| **s != 0.0).count();
    assert!(heard > 10_000);
    assert_eq!(places(&stage), heard);
    stage.voice.interrupt();
    assert_eq!(places(&stage), 0);
    stage.speak("a", 300, 0.5).unwrap();
    stage.run(1000);
    assert_eq!(places(&stage), 0, "what is pushed is none");
}

#[test]
fn more_than_the_buffer_holds_is_refused_and_nothing_of_it_taken() {
    let mut stage = WorkState::new();
    assert_eq!(stage.speak("a", 10_000, 0.1), Ok(()));
    assert_eq!(stage.speak("a", 500, 0.1), Err(NoRoom { retry_after: 500 * MS }));
    stage.run(600);
    assert_eq!(stage.speak("a", 500, 0.1), Ok(()));
    let buffers: Vec<_> = stage.events.iter().filter(|e| matches!(e, LineOutput::Buffer { .. })).collect();
    assert!((1..=4).contains(&buffers.len()), "{buffers:?}");
}

#[test]
fn nothing_is_said_until_somebody_is_there() {
    let mut stage = WorkState::new();
    stage.voice.held = true;
    stage.speak("a", 200, 0.5).unwrap();
    stage.run(7000);
    assert_eq!(stage.sounding(), None);
    assert!(!stage.voice.is_speaking());
    stage.voice.release();
    stage.run(1000);
    assert_eq!(stage.sounding(), Some((7081, 7281)));
}

#[test]
fn sound_that_comes_too_late_makes_a_pause_and_then_goes_on() {
    let mut stage = WorkState::new();
    for n in 0..50 {
        stage.speak("a", 20, 0.5).unwrap();
        if n == 49 {
            stage.end(None);
        }
        stage.run(if n == 25 { 70 } else { 20 });
    }
    stage.run(500);
    assert_eq!(stage.voice.underruns(), 1);
    assert_eq!(stage.told().last(), Some(&("ended", "a".to_owned(), 1000)), "all of it was said");
    assert_eq!(stage.heard[..stage.played.len()].len(), stage.played.len());
}

#[test]
fn the_microphone_is_heard_while_nobody_speaks() {
    let mut stage = WorkState::new();
    for n in 0..100 {
        let at = stage.at();
        stage.voice.hear(&[0.25; PACKET], at);
        if n == 50 {
            stage.speak("a", 200, 0.75).unwrap();
            stage.end(None);
        }
        stage.run(20);
    }
    let loudest = stage.played.iter().copied().fold(0.0, f32::max);
    assert_eq!(loudest, 0.75, "never mixed");
    assert_eq!(stage.told().last(), Some(&("ended", "a".to_owned(), 200)));
}

#[test]
fn what_leaves_can_be_further_on_than_the_clock() {
    let mut voice = Voice::new(1_000 * MS, 40 * MS);
    voice.release();
    let now = Instant::now();
    let mut heard = 0;
    voice.speak(None, &(0..3000).map(|n| n as f32).collect::<Vec<_>>(), ANY, now).unwrap();
    voice.end_utterance(None, &[], ANY, now);
    voice.advance(312, now, &mut |sound| heard += sound.len());
    voice.begin_at(312);
    assert_eq!(voice.next(), 312);
    voice.advance(voice.packet_end(), now, &mut |sound| heard += sound.len());
    let mut out = [0.0; PACKET];
    assert_eq!(voice.play(&mut out), Some(312));
    assert_eq!((out[0], out[959], heard), (312.0, 1271.0, 1272), "the ear missed nothing");
}

#[test]
fn what_arrived_when_is_known_where_it_leaves() {
    let mut stage = WorkState::new();
    stage.run(100);
    let came = stage.at();
    stage.speak("a", 60, 0.5).unwrap();
    stage.end(None);
    stage.run(40);
    // It came at 100 ms and was placed at 160.
    assert_eq!(stage.voice.arrived(48 * 165), Some(came + 5 * MS));
    assert_eq!(stage.voice.arrived(48 * 50), None);
}

/// The delay of pieces of so many milliseconds that come one after the other, the first one `after` the start.
fn delay(fps: u64, piece: u64, after: u64) -> usize {
    let mut stage = WorkState::at_fps(fps);
    stage.run(after);
    for _ in 0..2000 / piece {
        stage.speak("a", piece as usize, 0.5).unwrap();
        stage.run(piece);
    }
    assert_eq!(stage.voice.underruns(), 0, "{fps} a second, {piece} ms, {after} ms after the start");
    stage.sounding().unwrap().0 - after as usize
}

#[test]
fn live_sound_is_laid_as_close_as_its_pieces_allow() {
    // A frame begins 80 ms before the end of what it hears, and 20 ms come at a time: what came `early` is 60 ms away and
    // that, but 20 more where the piece is too fresh to be relied on; and 1 ms is to spare.
    for early in 0..40 {
        let expected = 61 + early % 20 + if early % 20 < 4 { 20 } else { 0 };
        assert_eq!(delay(25, 20, 200 - early as u64), expected, "{early} ms before a frame is begun");
    }
}

#[test]
fn pieces_of_any_length_never_run_dry_when_they_are_punctual() {
    for fps in [24, 25, 30, 50, 60] {
        for piece in [10, 20, 30, 40, 60, 100, 200] {
            let delays = (0..41).map(|after| delay(fps, piece, 200 + after));
            let (least, most) = (delays.clone().min().unwrap(), delays.max().unwrap());
            let frame = 1000 / fps as usize + 1;
            assert!(least >= 80 - frame && most <= 80 + 4 + 2 + frame, "{fps} {piece}: {least} to {most} ms");
        }
    }
}

/// Somebody sends 20 ms whenever their clock says so; it arrives with some jitter. What waits at the end, milliseconds, and
/// underruns after the first 10 s.
fn drift(ppm: i64, jitter: u64, seconds: u64, by_microphone: bool) -> (u64, u64) {
    let mut stage = WorkState::new();
    let mut random = 12345_u64;
    let mut due: VecDeque<u64> = VecDeque::new();
    let mut sent = 0_u64;
    let mut waits = Vec::new();
    while stage.now < seconds * 1000 {
        let theirs = stage.now as i64 * (1_000_000 + ppm) / 1_000_000;
        while (sent as i64) * 20 <= theirs {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let late = if jitter == 0 { 0 } else { (random >> 33) % jitter };
            due.push_back((stage.now + late).max(due.back().copied().unwrap_or(0)));
            sent += 1;
        }
        while due.front().is_some_and(|at| *at <= stage.now) {
            due.pop_front();
            let at = stage.at();
            if by_microphone {
                stage.voice.hear(&[0.25; PACKET], at);
            } else {
                stage.speak("a", 20, 0.25).unwrap();
            }
        }
        stage.tick();
        stage.heard.clear();
        stage.voice.events.clear();
        if stage.now == 10_000 {
            stage.voice.underruns();
        }
        if stage.now + 2000 > seconds * 1000 {
            waits.push(if by_microphone { stage.voice.microphone.waiting() } else { stage.voice.waiting() } / 48);
        }
    }
    (waits.into_iter().max().unwrap_or(0), stage.voice.underruns())
}

#[test]
fn a_clock_that_is_fast_or_slow_neither_fills_the_buffer_nor_empties_it() {
    for ppm in [-200, 0, 200] {
        for by_microphone in [false, true] {
            let (waits, underruns) = drift(ppm, 0, 300, by_microphone);
            assert!(waits <= 45, "{ppm} ppm: {waits} ms wait after five minutes");
            assert!(underruns <= 3, "{ppm} ppm: {underruns} underruns");
        }
    }
}

#[test]
fn jitter_is_taken_up_by_as_much_waiting_as_it_needs() {
    for ppm in [-200, 200] {
        let (waits, underruns) = drift(ppm, 40, 300, false);
        assert!(waits <= 110, "{ppm} ppm: {waits} ms wait");
        assert!(underruns <= 10, "{ppm} ppm: {underruns} underruns in almost five minutes");
    }
}

#[test]
fn what_is_too_short_to_begin_with_is_said_when_nobody_goes_on() {
    for fps in [25, 30, 60] {
        let mut stage = WorkState::at_fps(fps);
        stage.speak("a", 1, 0.1).unwrap();
        stage.run(6000);
        stage.speak("b", 100, 0.1).unwrap();
        stage.end(None);
        stage.run(1000);
        let said = |word, event: &str, ms| (word, event.to_owned(), ms);
        assert_eq!(
            stage.told(),
            [said("started", "a", 0), said("ended", "a", 1), said("started", "b", 0), said("ended", "b", 100)]
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_said_when_every_utterance_ends_once(
        steps in prop::collection::vec((0_u8..6, 1_u64..300), 1..60)
    ) {
        let mut stage = WorkState::new();
        let (mut opened, mut open) = (0, false);
        for (what, ms) in steps {
            match what {
                0 | 1 => {
                    if stage.speak("x", ms as usize, 0.1).is_ok() && !open {
                        opened += 1;
                        open = true;
                    }
                }
                2 => {
                    stage.end(None);
                    open = false;
                }
                3 => {
                    stage.voice.interrupt();
                    open = false;
                }
                4 => {
                    let at = stage.at();
                    stage.voice.hear(&vec![0.1; ms as usize * 48], at);
                }
                _ => stage.run(ms),
            }
        }
        stage.run(11_000 + 5_000);
        let told = stage.told();
        let over = told.iter().filter(|(word, ..)| *word != "started").count();
        // One that was forgotten for 5 s while it waited was ended, and what followed began another.
        prop_assert!(over >= opened && told.len() >= over);
        prop_assert!(stage.voice.utterances.is_empty());
        prop_assert!(stage.played.iter().all(|s| s.abs() <= 0.11));
    }
}
