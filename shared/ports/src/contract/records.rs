//! What every record store must do.

mod books;
mod conditions;
mod lists;
mod moves;
mod registers;

use crate::records::{Period, Records};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::Session;
use mouthpiece_domain::time::Wall;
use std::sync::Arc;

type Subject = Arc<dyn Records>;

/// All time that there is, at full hours.
const ALWAYS: Period = Period { from: Wall(0), to: Wall(1 << 50) };

/// Runs the suite.
pub async fn records<A: Records + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        conditions::a_session_comes_back_as_it_was_written, conditions::every_reason_is_kept,
        conditions::a_session_is_created_once, conditions::a_token_makes_one_session,
        conditions::tokens_of_different_callers_never_meet, conditions::assign_takes_only_what_is_requested,
        conditions::requeue_gives_up_the_placement, conditions::requeue_spares_the_placements_of_others,
        conditions::advance_goes_forward_only, conditions::an_end_is_final, conditions::an_end_may_come_from_anywhere,
        conditions::a_stale_write_does_not_stop_the_others, conditions::a_batch_is_carried_out_in_order,
        conditions::one_of_many_assigns, conditions::many_write_at_once,
        books::usage_is_cumulative, books::repeats_and_late_reports_book_nothing, books::usage_is_booked_by_hour,
        books::each_placement_books_for_itself, books::refused_writes_book_nothing,
        books::what_a_cancelled_session_delivered_last_is_booked, books::an_end_books_what_is_new,
        books::usage_tells_whose_and_where, books::machine_time_is_cumulative, books::machine_time_is_booked_by_hour,
        books::a_caller_is_told_what_was_delivered, books::periods_are_half_open,
        books::what_was_sent_is_cumulative, books::each_placement_sends_for_itself,
        books::every_grouping_adds_up_to_the_machines_bill,
        moves::a_running_session_moves_once, moves::what_was_handed_over_is_booked_once,
        lists::sessions_are_listed_newest_first, lists::filters_meet, lists::a_list_goes_on_where_it_stopped,
        lists::open_sessions_are_those_that_have_not_ended,
        registers::an_avatar_comes_back_as_it_was_added, registers::an_avatar_is_taken_for_a_session,
        registers::an_upload_is_known_by_its_content, registers::a_portrait_is_registered_once_a_caller,
        registers::avatars_are_listed_newest_first, registers::an_avatar_is_forgotten,
        registers::keys_come_back_as_they_were_added, registers::a_key_is_revoked_once, registers::prices_replace,
        registers::it_can_be_used,
    );
    super::writes::follow_the_model(&fresh).await;
    super::at_once::are_as_in_some_order(&fresh).await;
}

async fn write(records: &Subject, one: LedgerWrite) -> WriteOutcome {
    let mut outcomes = records.write(&[one]).await.unwrap();
    assert_eq!(outcomes.len(), 1, "rule broken: each write is answered");
    outcomes.remove(0)
}

/// The record as it stands.
async fn found(records: &Subject, id: u128) -> Session {
    records.session(SessionId(id)).await.unwrap().unwrap()
}

/// Creates sessions of these ids.
async fn create(records: &Subject, ids: impl IntoIterator<Item = u128>) {
    let create = |id| LedgerWrite::Create { session: Box::new(super::sample::session(id)), idempotency: None };
    let batch: Vec<_> = ids.into_iter().map(create).collect();
    let outcomes = records.write(&batch).await.unwrap();
    assert!(
        outcomes.iter().all(|o| *o == WriteOutcome::Applied),
        "rule broken: new sessions are created: {outcomes:?}"
    );
}
