//! What every bus must do with questions to workers.

use super::sample::{answers, asks, hold, ms};
use super::{BOUND, at_once, comes};
use crate::bus::{Bus, BusError};
use crate::questions::{AskedQuestion, QuestionBus, QuestionInbox};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::live::{LiveAnswer, LiveAsk, LiveQuestion, RestartedIce};
use std::sync::Arc;
use tokio::task::JoinHandle;

type Subject = Arc<dyn QuestionBus>;

const WORKER: WorkerId = WorkerId(1);

/// Runs the suite.
pub async fn questions<A: QuestionBus + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        a_question_is_answered, answers_find_their_askers, questions_are_each_workers_own,
        without_a_taker_nothing_is_asked, a_dropped_question_has_no_answer, patience_ends, a_late_answer_is_no_fault,
        a_second_taker_takes_over, waiting_may_be_cancelled,
    );
}

/// Runs what is asked of an adapter that carries both commands and questions: a queue that is removed takes neither.
pub async fn bus_with_questions<A: Bus + QuestionBus + 'static>(fresh: impl AsyncFn() -> Arc<A>) {
    commands_are_no_questions(fresh().await).await;
    a_removed_queue_takes_no_questions(fresh().await).await;
}

/// A question that can be told from others by its number.
fn ask(n: u128) -> LiveAsk {
    LiveAsk { hold: hold(n, 1, 1, 0), what: LiveQuestion::Status }
}

fn number(asked: &AskedQuestion) -> u128 {
    asked.ask.hold.session.0
}

/// Asks in the background.
fn asking(bus: &Subject, worker: WorkerId, ask: LiveAsk) -> JoinHandle<Result<LiveAnswer, BusError>> {
    let bus = Arc::clone(bus);
    tokio::spawn(async move { bus.ask(worker, &ask, BOUND).await })
}

async fn next(questions: &mut Box<dyn QuestionInbox>, why: &str) -> AskedQuestion {
    match comes(why, questions.next()).await {
        Some(asked) => asked,
        None => panic!("rule broken: {why} (there will be no more)"),
    }
}

async fn told(asking: JoinHandle<Result<LiveAnswer, BusError>>, why: &str) -> Result<LiveAnswer, BusError> {
    comes(why, asking).await.unwrap()
}

async fn a_question_is_answered(bus: Subject) {
    let mut questions = bus.questions(WORKER).await.unwrap();
    for ask in asks(1) {
        for answer in answers() {
            let asking = asking(&bus, WORKER, ask.clone());
            let asked = next(&mut questions, "a question reaches its worker").await;
            rule!(asked.ask, ask, "every kind of question is carried as it was asked");
            asked.reply.give(answer.clone()).await;
            rule!(
                told(asking, "an answer arrives").await,
                Ok(answer),
                "every kind of answer is carried as it was given"
            );
        }
    }
}

async fn answers_find_their_askers(bus: Subject) {
    let mut questions = bus.questions(WORKER).await.unwrap();
    let askers: Vec<_> = (0..50).map(|n| asking(&bus, WORKER, ask(n))).collect();
    let mut asked = Vec::new();
    for _ in 0..50 {
        asked.push(next(&mut questions, "many may ask at once").await);
    }
    // In another order than they came in.
    for asked in asked.into_iter().rev() {
        let tag = number(&asked).to_string();
        asked.reply.give(LiveAnswer::Restarted(RestartedIce { fragment: String::new(), tag })).await;
    }
    for (n, asker) in askers.into_iter().enumerate() {
        let wanted = LiveAnswer::Restarted(RestartedIce { fragment: String::new(), tag: n.to_string() });
        rule!(told(asker, "an answer arrives").await, Ok(wanted), "an answer goes to who asked");
    }
}

async fn questions_are_each_workers_own(bus: Subject) {
    let mut one = bus.questions(WORKER).await.unwrap();
    let mut two = bus.questions(WorkerId(2)).await.unwrap();
    let asking = asking(&bus, WorkerId(2), ask(7));
    rule!(number(&next(&mut two, "a question reaches its worker").await), 7, "a question goes to its worker");
    rule!(at_once(one.next()).await.is_none(), true, "a question goes to no other worker");
    asking.abort();
}

async fn without_a_taker_nothing_is_asked(bus: Subject) {
    let nobody = Err(BusError::Unroutable(WORKER));
    rule!(bus.ask(WORKER, &ask(1), BOUND).await, nobody, "who never took questions cannot be asked");
    drop(bus.questions(WORKER).await.unwrap());
    rule!(bus.ask(WORKER, &ask(3), BOUND).await, nobody, "a worker whose taker is gone cannot be asked");
    let mut questions = bus.questions(WORKER).await.unwrap();
    let asking = asking(&bus, WORKER, ask(4));
    rule!(
        number(&next(&mut questions, "a new taker is asked").await),
        4,
        "nothing that was refused is delivered later"
    );
    asking.abort();
}

async fn a_dropped_question_has_no_answer(bus: Subject) {
    let mut questions = bus.questions(WORKER).await.unwrap();
    let first = asking(&bus, WORKER, ask(1));
    drop(next(&mut questions, "a question reaches its worker").await);
    let unanswered = Err(BusError::Unanswered(WORKER));
    rule!(told(first, "who asked in vain is told").await, unanswered, "a question that is dropped has no answer");
    rule!(at_once(questions.next()).await.is_none(), true, "a question is never delivered again");
    // Dropped with its taker, whether it was in hand or not.
    let (second, third) = (asking(&bus, WORKER, ask(2)), asking(&bus, WORKER, ask(3)));
    let held = next(&mut questions, "a question reaches its worker").await;
    drop(questions);
    drop(held);
    for asker in [second, third] {
        let found = told(asker, "who asked a taker that is gone is told").await;
        let wanted = found == unanswered || found == Err(BusError::Unroutable(WORKER));
        rule!(wanted, true, "a taker that goes leaves questions unanswered: {found:?}");
    }
}

async fn patience_ends(bus: Subject) {
    let mut questions = bus.questions(WORKER).await.unwrap();
    let found = comes("asking takes no longer than patience lasts", bus.ask(WORKER, &ask(1), ms(20))).await;
    rule!(found, Err(BusError::Unanswered(WORKER)), "a question that is not answered in time is unanswered");
    // The one that was given up need not come; the next one comes all the same.
    let asking = asking(&bus, WORKER, ask(2));
    let mut asked = next(&mut questions, "a worker goes on after a question was given up").await;
    if number(&asked) == 1 {
        asked = next(&mut questions, "a worker goes on after a question was given up").await;
    }
    rule!(number(&asked), 2, "a worker goes on after a question was given up");
    asked.reply.give(LiveAnswer::Done).await;
    rule!(
        told(asking, "an answer arrives").await,
        Ok(LiveAnswer::Done),
        "a worker goes on after a question was given up"
    );
}

async fn a_late_answer_is_no_fault(bus: Subject) {
    let mut questions = bus.questions(WORKER).await.unwrap();
    let gone = asking(&bus, WORKER, ask(1));
    let asked = next(&mut questions, "a question reaches its worker").await;
    gone.abort();
    let _ = gone.await;
    asked.reply.give(LiveAnswer::Done).await;
    let asking = asking(&bus, WORKER, ask(2));
    next(&mut questions, "a late answer disturbs nothing").await.reply.give(LiveAnswer::Done).await;
    rule!(told(asking, "an answer arrives").await, Ok(LiveAnswer::Done), "a late answer goes to nobody else");
}

async fn a_second_taker_takes_over(bus: Subject) {
    let first = bus.questions(WORKER).await.unwrap();
    let mut second = bus.questions(WORKER).await.unwrap();
    let early = asking(&bus, WORKER, ask(1));
    let asked = next(&mut second, "a second taker takes over").await;
    rule!(number(&asked), 1, "a second taker takes over");
    asked.reply.give(LiveAnswer::Done).await;
    rule!(told(early, "an answer arrives").await, Ok(LiveAnswer::Done), "a second taker takes over");
    // The first one's end is not the second one's.
    drop(first);
    let late = asking(&bus, WORKER, ask(2));
    next(&mut second, "a taker stays when the one before it goes").await.reply.give(LiveAnswer::Done).await;
    rule!(told(late, "an answer arrives").await, Ok(LiveAnswer::Done), "a taker stays when the one before it goes");
}

async fn waiting_may_be_cancelled(bus: Subject) {
    const QUESTIONS: u128 = 100;
    let mut questions = bus.questions(WORKER).await.unwrap();
    rule!(at_once(questions.next()).await.is_none(), true, "a taker waits while nothing is asked");
    let askers: Vec<_> = (0..QUESTIONS).map(|n| asking(&bus, WORKER, ask(n))).collect();
    let mut answered = 0;
    comes("no question is lost by giving up waiting", async {
        while answered < QUESTIONS {
            match at_once(questions.next()).await {
                Some(asked) => {
                    asked.unwrap().reply.give(LiveAnswer::Done).await;
                    answered += 1;
                }
                None => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    for asker in askers {
        rule!(told(asker, "an answer arrives").await, Ok(LiveAnswer::Done), "giving up waiting loses no question");
    }
}

async fn commands_are_no_questions<A: Bus + QuestionBus + 'static>(bus: Arc<A>) {
    let _commands = bus.commands(WORKER, 1).await.unwrap();
    let nobody = Err(BusError::Unroutable(WORKER));
    rule!(bus.ask(WORKER, &ask(1), BOUND).await, nobody, "a worker that takes commands only cannot be asked");
}

async fn a_removed_queue_takes_no_questions<A: Bus + QuestionBus + 'static>(bus: Arc<A>) {
    let _commands = bus.commands(WORKER, 1).await.unwrap();
    let mut questions = bus.questions(WORKER).await.unwrap();
    bus.remove(WORKER).await.unwrap();
    let over = comes("the taker of a removed queue is told", questions.next()).await;
    rule!(over.is_none(), true, "the taker of a removed queue is told");
    let nobody = Err(BusError::Unroutable(WORKER));
    rule!(bus.ask(WORKER, &ask(1), BOUND).await, nobody, "a removed queue takes no questions");
    let mut questions = bus.questions(WORKER).await.unwrap();
    let asking = asking(&(bus as Subject), WORKER, ask(2));
    next(&mut questions, "questions may be taken again").await.reply.give(LiveAnswer::Done).await;
    rule!(
        told(asking, "an answer arrives").await,
        Ok(LiveAnswer::Done),
        "questions may be taken again after a removal"
    );
}
