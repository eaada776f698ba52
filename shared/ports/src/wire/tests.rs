//! What is written is read; what is not understood is an error.

use super::*;
use mouthpiece_domain::colour::Colour;
use mouthpiece_domain::fleet::{
    Assignment, Capability, Heartbeat, Hold, MachineId, RunningSession, SessionReport, WorkerRefusal,
};
use mouthpiece_domain::frame::{Crop, FrameRate, FrameSize, Framing};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::lease::LeaseTerms;
use mouthpiece_domain::live::LiveTerms;
use mouthpiece_domain::manner::{Demeanour, Manner, MotionShare};
use mouthpiece_domain::session::{
    BlobKey, EndReason, Fence, FrameProgress, Phase, RenderPreset, SessionEnd, SessionKind, SessionOutput, SessionSpec,
    SlotIndex,
};
use mouthpiece_domain::time::Wall;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Whole milliseconds, as far as a `u64` counts them.
fn span() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_millis)
}

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..40).prop_map(|characters| characters.into_iter().collect())
}

fn hold() -> impl Strategy<Value = Hold> {
    (any::<u128>(), any::<u32>(), any::<u128>(), any::<u8>()).prop_map(|(session, fence, worker, slot)| Hold {
        session: SessionId(session),
        fence: Fence(fence),
        worker: WorkerId(worker),
        slot: SlotIndex(slot),
    })
}

fn key() -> impl Strategy<Value = BlobKey> {
    "[a-z0-9_-][a-z0-9._-]{0,20}(/[a-z0-9_-][a-z0-9._-]{0,20}){0,3}".prop_map(|text| BlobKey::new(text).unwrap())
}

fn live_terms() -> impl Strategy<Value = LiveTerms> {
    (span(), span(), span(), any::<[u32; 2]>()).prop_map(|(idle_timeout, absent_timeout, left_timeout, bitrate)| {
        LiveTerms { idle_timeout, absent_timeout, left_timeout, bitrate }
    })
}

prop_compose! {
    fn spec()(
        (portrait, content, face, speech) in (key(), text(), of(any::<u32>()), of(key())),
        size in FrameSize::BOUNDS.prop_map(|pixels| FrameSize::new(pixels).unwrap()),
        (fps, seed) in (select(FrameRate::ALL.to_vec()), any::<u64>()),
        preset in select(vec![RenderPreset::Fast, RenderPreset::Balanced]),
        (head, blinks) in any::<(bool, bool)>(),
        motion in (0_u8..=100).prop_map(MotionShare::from),
        demeanour in select(vec![Demeanour::Neutral, Demeanour::Friendly, Demeanour::Serious]),
        crop in select(vec![Crop::None, Crop::Bust, Crop::Head]),
        size_up_to in of(FrameSize::BOUNDS.prop_map(|pixels| FrameSize::new(pixels).unwrap())),
        background in of(any::<[u8; 3]>().prop_map(Colour)),
        live in of(live_terms()),
    ) -> SessionSpec {
        let (manner, framing) = (Manner { motion, demeanour }, Framing { crop, size_up_to });
        SessionSpec {
            portrait, content, face, speech, size, fps, preset, seed, head, blinks, manner, framing, background, live,
        }
    }
}

/// Terms whose steps grow, whatever the steps are.
fn lease() -> impl Strategy<Value = LeaseTerms> {
    any::<[u32; 4]>().prop_map(|steps| {
        let mut at = Duration::ZERO;
        let [renew, soft_stop, hard_stop, expiry] = steps.map(|step| {
            at += Duration::from_millis(u64::from(step) + 1);
            at
        });
        LeaseTerms::new(renew, soft_stop, hard_stop, expiry).unwrap()
    })
}

fn command() -> impl Strategy<Value = WorkerCommand> {
    let assign = (hold(), select(SessionKind::ALL.to_vec()), spec(), lease()).prop_map(|(hold, kind, spec, lease)| {
        WorkerCommand::Assign(Box::new(Assignment { hold, kind, spec: Arc::new(spec), lease }))
    });
    let assign = (assign, any::<bool>()).prop_map(|(command, prepares)| match command {
        WorkerCommand::Assign(assignment) if prepares => WorkerCommand::Prepare(assignment),
        other => other,
    });
    let end = prop_oneof![
        hold().prop_map(WorkerCommand::LetGo),
        hold().prop_map(WorkerCommand::Stop),
        hold().prop_map(WorkerCommand::HandOver),
    ];
    prop_oneof![assign, end, Just(WorkerCommand::Drain)]
}

fn progress() -> impl Strategy<Value = FrameProgress> {
    any::<(u64, u64)>().prop_map(|(done, total)| FrameProgress { done, total })
}

fn phase() -> impl Strategy<Value = Phase> {
    select(Phase::ALL.to_vec())
}

prop_compose! {
    fn output()(
        (blob, removed) in (of(key()), of(any::<i64>().prop_map(Wall))),
        (bytes, frames, length) in (any::<u64>(), any::<u64>(), span()),
        (size, framing) in (any::<[u32; 2]>(), text()),
        warnings in vec(text(), 0..3),
    ) -> SessionOutput {
        SessionOutput { blob, removed, bytes, frames, length, size, framing, warnings }
    }
}

fn end() -> impl Strategy<Value = SessionEnd> {
    (select(EndReason::ALL.to_vec()), of(text()), of(output())).prop_map(|(reason, detail, output)| SessionEnd {
        reason,
        detail,
        output: output.map(Box::new),
    })
}

prop_compose! {
    fn running()(
        hold in hold(), phase in phase(), progress in progress(), delivered in span(),
        prepared in any::<bool>(),
    ) -> RunningSession {
        RunningSession { session: hold.session, fence: hold.fence, slot: hold.slot, phase, progress, delivered, prepared }
    }
}

prop_compose! {
    fn heartbeat()(
        worker in any::<u128>().prop_map(WorkerId),
        (name, engine, instance_type, machine) in (text(), text(), text(), of(text().prop_map(MachineId))),
        (slots, frames_per_second, draining) in any::<(u8, u32, bool)>(),
        impaired in of(text()),
        (uptime, busy) in (span(), span()),
        resident in vec(text(), 0..5),
        running in vec(running(), 0..4),
        ended in vec(report(), 0..3),
        address in of(text()),
    ) -> Heartbeat {
        let capability = Capability { name, engine, instance_type, machine, slots, frames_per_second, impaired };
        Heartbeat { worker, capability, draining, uptime, busy, resident, running, ended, address }
    }
}

prop_compose! {
    fn report()(
        hold in hold(), phase in phase(), progress in progress(), delivered in span(), sent_bytes in any::<u64>(),
        end in of(end()),
    ) -> SessionReport {
        SessionReport { hold, phase, progress, delivered, sent_bytes, end }
    }
}

fn refusal() -> impl Strategy<Value = WorkerRefusal> {
    use WorkerRefusal::{Draining, LeaseLost, Leaving, NotPrepared, SlotTaken};
    select(vec![SlotTaken, Draining, LeaseLost, Leaving, NotPrepared])
}

fn event() -> impl Strategy<Value = WorkerEvent> {
    prop_oneof![
        heartbeat().prop_map(|beat| WorkerEvent::Heartbeat(Box::new(beat))),
        report().prop_map(|report| WorkerEvent::Report(Box::new(report))),
        (hold(), refusal()).prop_map(|(hold, why)| WorkerEvent::Refused { hold, why }),
        (hold(), span(), any::<u64>()).prop_map(|(hold, delivered, sent_bytes)| WorkerEvent::HandedOver {
            hold,
            delivered,
            sent_bytes
        }),
        (any::<u128>(), vec(report(), 0..3))
            .prop_map(|(worker, ended)| WorkerEvent::Goodbye { worker: WorkerId(worker), ended }),
    ]
}

/// The strategies above make every variant: a new one does not compile until it has a strategy.
#[test]
fn every_variant_has_a_strategy() {
    let _ = |command: WorkerCommand| match command {
        WorkerCommand::Assign(_)
        | WorkerCommand::Prepare(_)
        | WorkerCommand::LetGo(_)
        | WorkerCommand::Stop(_)
        | WorkerCommand::HandOver(_)
        | WorkerCommand::Drain => (),
    };
    let _ = |event: WorkerEvent| match event {
        WorkerEvent::Heartbeat(_)
        | WorkerEvent::Report(_)
        | WorkerEvent::Refused { .. }
        | WorkerEvent::HandedOver { .. }
        | WorkerEvent::Goodbye { .. } => (),
    };
    let _ = |why: WorkerRefusal| match why {
        WorkerRefusal::SlotTaken
        | WorkerRefusal::Draining
        | WorkerRefusal::LeaseLost
        | WorkerRefusal::Leaving
        | WorkerRefusal::NotPrepared => (),
    };
}

fn comes_back<M: WireMessage + PartialEq + Debug>(message: &M) -> Result<(), TestCaseError> {
    prop_assert_eq!(&decode::<M>(&encode(message).unwrap()).unwrap(), message);
    Ok(())
}

#[test]
fn the_form_is_what_it_was() {
    let said = WorkerEvent::Goodbye { worker: WorkerId(7), ended: Vec::new() };
    let bytes = encode(&said).unwrap();
    let wanted = format!(r#"{{"v":1,"body":{{"goodbye":{{"worker":"{}"}}}}}}"#, WorkerId(7));
    assert_eq!(String::from_utf8_lossy(&bytes), wanted);
    assert_eq!(String::from_utf8_lossy(&encode(&WorkerCommand::Drain).unwrap()), r#"{"v":1,"body":"drain"}"#);
    let newer = format!(r#"{{"v":1,"sent":"now","body":{{"goodbye":{{"worker":"{}","why":1}}}}}}"#, WorkerId(7));
    assert_eq!(decode::<WorkerEvent>(newer.as_bytes()).unwrap(), said, "fields that are not known are ignored");
}

#[test]
fn a_newer_version_is_named() {
    let error = decode::<WorkerCommand>(br#"{"v":2,"body":"something_new"}"#).unwrap_err().to_string();
    assert_eq!(error, "message version 2: this program reads up to 1, update it");
    assert!(matches!(decode::<WorkerCommand>(br#"{"v":1,"body":"something_new"}"#), Err(WireError::Malformed(_))));
}

#[test]
fn what_is_too_large_is_neither_written_nor_read() {
    let long = "x".repeat(MAX_BYTES);
    let beat = |resident| {
        let capability = Capability {
            name: String::new(),
            engine: String::new(),
            instance_type: String::new(),
            slots: 1,
            frames_per_second: 1,
            impaired: None,
            machine: None,
        };
        let (uptime, busy) = (Duration::ZERO, Duration::ZERO);
        let worker = WorkerId(1);
        WorkerEvent::Heartbeat(Box::new(Heartbeat {
            worker,
            capability,
            draining: false,
            uptime,
            busy,
            resident,
            running: Vec::new(),
            ended: Vec::new(),
            address: None,
        }))
    };
    assert!(encode(&beat(Vec::new())).is_ok());
    assert!(matches!(encode(&beat(vec![long])), Err(WireError::TooLarge(bytes)) if bytes > MAX_BYTES));
    assert!(matches!(decode::<WorkerCommand>(&vec![b' '; MAX_BYTES + 1]), Err(WireError::TooLarge(_))));
}

proptest! {
    #[test]
    fn every_command_comes_back(command in command()) {
        comes_back(&command)?;
    }

    #[test]
    fn every_event_comes_back(event in event()) {
        comes_back(&event)?;
    }

    #[test]
    fn noise_is_an_error_and_no_panic(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(decode::<WorkerCommand>(&bytes).is_err());
        prop_assert!(decode::<WorkerEvent>(&bytes).is_err());
    }

    /// A message that was cut off or damaged is an error, or another message: never a panic.
    #[test]
    fn a_damaged_message_is_no_panic(event in event(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&event).unwrap();
        let at = at.index(bytes.len());
        prop_assert!(decode::<WorkerEvent>(&bytes[..at]).is_err());
        bytes[at] = byte;
        let _ = decode::<WorkerEvent>(&bytes);
    }
}
