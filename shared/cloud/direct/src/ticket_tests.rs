use super::*;
use proptest::prelude::*;

const NOW: Wall = Wall(1_800_000_000_000);

fn secrets() -> FarmSecrets {
    FarmSecrets::parse("one-secret-that-is-long-enough-to-be-one").unwrap()
}

fn holds() -> impl Strategy<Value = Hold> {
    (any::<u128>(), any::<u32>(), any::<u128>(), any::<u8>()).prop_map(|(session, fence, worker, slot)| Hold {
        session: SessionId(session),
        fence: Fence(fence),
        worker: WorkerId(worker),
        slot: SlotIndex(slot),
    })
}

fn tickets() -> impl Strategy<Value = Ticket> {
    let challenges = || any::<[u8; 32]>().prop_map(Challenge);
    prop_oneof![
        (holds(), challenges()).prop_map(|(hold, challenge)| Ticket::Line { hold, challenge }),
        (any::<u128>(), challenges()).prop_map(|(w, challenge)| Ticket::Questions { worker: WorkerId(w), challenge }),
        holds().prop_map(|hold| Ticket::for_caller(hold, NOW)),
    ]
}

/// The door that a ticket is for.
fn door(ticket: &Ticket) -> Door<'_> {
    match ticket {
        Ticket::Line { challenge, .. } => Door::Line(challenge),
        Ticket::Questions { challenge, .. } => Door::Questions(challenge),
        Ticket::Caller { hold, .. } => Door::Caller { session: hold.session, now: NOW },
    }
}

fn check(text: &str, ticket: &Ticket) -> Result<Ticket, TicketRefusal> {
    Ticket::check(text, &secrets(), |w| w == ticket.worker(), door(ticket))
}

proptest! {
    #[test]
    fn a_ticket_is_read_as_it_was_written(ticket in tickets()) {
        let text = ticket.sign(&secrets());
        prop_assert!(text.len() <= 143, "{}", text.len());
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        prop_assert_eq!(check(&text, &ticket), Ok(ticket));
    }

    #[test]
    fn any_flipped_bit_is_refused(ticket in tickets(), at in any::<proptest::sample::Index>()) {
        let mut bytes = from_text(&ticket.sign(&secrets())).unwrap();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let refused = check(&to_text(&bytes), &ticket).unwrap_err();
        let wanted = match bit / 8 {
            0 | 5 => TicketRefusal::Malformed,
            1..=4 => TicketRefusal::UnknownKey,
            _ => TicketRefusal::Forged,
        };
        // One purpose's length is no other's, so a flipped purpose is no ticket.
        prop_assert_eq!(refused, wanted);
    }

    #[test]
    fn any_other_character_is_refused(ticket in tickets(), at in any::<proptest::sample::Index>(), other in "[A-Za-z0-9_=+/. -]") {
        let text = ticket.sign(&secrets());
        let at = at.index(text.len());
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        prop_assume!(changed != text);
        prop_assert!(check(&changed, &ticket).is_err());
    }

    #[test]
    fn any_text_is_answered(text in ".*") {
        let challenge = Challenge([0; 32]);
        prop_assert!(Ticket::check(&text, &secrets(), |_| true, Door::Line(&challenge)).is_err());
    }

    #[test]
    fn a_ticket_serves_at_no_other_door(ticket in tickets(), other in tickets()) {
        let text = ticket.sign(&secrets());
        let refused = Ticket::check(&text, &secrets(), |w| w == ticket.worker(), door(&other)).unwrap_err();
        let same_kind = std::mem::discriminant(&ticket) == std::mem::discriminant(&other);
        let wanted = match ticket {
            _ if !same_kind => TicketRefusal::OtherPurpose,
            Ticket::Caller { .. } => TicketRefusal::OtherSession,
            _ => TicketRefusal::OtherConnection,
        };
        prop_assert_eq!(refused, wanted);
        let elsewhere = Ticket::check(&text, &secrets(), |w| w != ticket.worker(), door(&ticket));
        prop_assert_eq!(elsewhere, Err(TicketRefusal::OtherWorker));
    }

    #[test]
    fn a_callers_ticket_is_good_for_half_a_minute_and_the_tolerance(hold in holds(), off in -100_000i64..100_000) {
        let text = Ticket::for_caller(hold, NOW).sign(&secrets());
        let door = Door::Caller { session: hold.session, now: Wall(NOW.0 + off) };
        let found = Ticket::check(&text, &secrets(), |w| w == hold.worker, door).map(|_| ());
        let wanted = match off {
            35_001.. => Err(TicketRefusal::Old),
            ..-5_000 => Err(TicketRefusal::TooFarAhead),
            _ => Ok(()),
        };
        prop_assert_eq!(found, wanted);
    }
}

#[test]
fn ends_of_calendar_time_are_answered() {
    let hold = Hold { session: SessionId(1), fence: Fence(1), worker: WorkerId(1), slot: SlotIndex(0) };
    for (until, now, wanted) in [
        (i64::MAX, i64::MIN, TicketRefusal::TooFarAhead),
        (i64::MIN, i64::MAX, TicketRefusal::Old),
        (i64::MAX, 0, TicketRefusal::TooFarAhead),
    ] {
        let text = Ticket::Caller { hold, until: Wall(until) }.sign(&secrets());
        let door = Door::Caller { session: hold.session, now: Wall(now) };
        assert_eq!(Ticket::check(&text, &secrets(), |w| w == hold.worker, door), Err(wanted));
    }
}

#[test]
fn a_stranger_signs_in_vain() {
    let hold = Hold { session: SessionId(1), fence: Fence(1), worker: WorkerId(1), slot: SlotIndex(0) };
    let ticket = Ticket::for_caller(hold, NOW);
    let stranger = FarmSecrets::parse("another-farm-has-another-secret-than-this").unwrap();
    assert_eq!(check(&ticket.sign(&stranger), &ticket), Err(TicketRefusal::UnknownKey));
}
