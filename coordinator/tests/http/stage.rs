//! A live session on a stage: what its worker is asked and told, and what it answers.

use crate::rig::{Answer, BOUND, Rig, eventually};
use crate::script::WORKER;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::live::{Declined, LiveAnswer, LiveAsk, LiveQuestion, NotDone, RestartedIce, SdpAnswer};
use mouthpiece_domain::session::{Fence, Phase, SlotIndex};
use mouthpiece_ports::lines::{IncomingLine, IncomingLines, Lines};
use mouthpiece_ports::questions::QuestionBus;
use reqwest::Method;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub const SDP: &str = "application/sdp";
pub const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
pub const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// A worker's side: notes every question and answers as it was told to.
pub struct Stage {
    pub asked: Arc<Mutex<Vec<LiveAsk>>>,
    calls: Box<dyn IncomingLines>,
    task: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers as a worker does to which everything is possible.
pub fn obliging(ask: &LiveAsk) -> Option<LiveAnswer> {
    Some(match &ask.what {
        LiveQuestion::Offer(_) => {
            LiveAnswer::Answer(SdpAnswer { sdp: "v=0\r\nan answer\r\n".into(), tag: "ice:1".into() })
        }
        LiveQuestion::Restart(_) => {
            LiveAnswer::Restarted(RestartedIce { fragment: "a=ice-ufrag:x\r\n".into(), tag: "ice:2".into() })
        }
        LiveQuestion::Status => LiveAnswer::Status(Box::default()),
        _ => LiveAnswer::Done,
    })
}

/// A refusal.
pub fn declining(why: NotDone) -> impl Fn(&LiveAsk) -> Option<LiveAnswer> + Send + 'static {
    move |_| Some(LiveAnswer::Declined(Declined { why, detail: format!("the worker says {why:?}, in a sentence") }))
}

impl Stage {
    pub async fn set(rig: &Rig, answer: impl Fn(&LiveAsk) -> Option<LiveAnswer> + Send + 'static) -> Self {
        Self::on(rig, WORKER, answer).await
    }

    /// The stage of another worker than the usual one.
    pub async fn on(
        rig: &Rig,
        worker: WorkerId,
        answer: impl Fn(&LiveAsk) -> Option<LiveAnswer> + Send + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut questions = rig.bus.questions(worker).await.unwrap();
        let calls = rig.lines.calls(worker).await.unwrap();
        let notes = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Some(question) = questions.next().await {
                let told = answer(&question.ask);
                notes.lock().unwrap().push(question.ask);
                if let Some(told) = told {
                    question.reply.give(told).await;
                }
            }
        });
        Self { asked, calls, task }
    }

    /// The next line that is opened.
    pub async fn called(&mut self) -> IncomingLine {
        timeout(BOUND, self.calls.next()).await.expect("nobody called").unwrap()
    }

    /// What was asked, waited for until there are so many.
    pub async fn questions(&self, count: usize) -> Vec<LiveQuestion> {
        eventually("questions", || {
            let asked = self.asked.lock().unwrap();
            (asked.len() >= count).then(|| asked.iter().map(|a| a.what.clone()).collect())
        })
        .await
    }
}

impl Rig {
    /// A live session that is accepted; its body, with the paths that its addresses lead to.
    pub async fn live(&self, more: &str) -> Value {
        let form = crate::rig::Form::default().file("image", crate::rig::PNG);
        let avatar = Answer::of(self.form("/v1/avatars", &form)).await.json()["id"].as_str().unwrap().to_owned();
        let body = format!(r#"{{"kind":"live","avatar_id":"{avatar}"{more}}}"#);
        let answer = self.post_json("/v1/sessions", &body).await.is(201);
        let mut body = answer.json();
        for name in ["whep_url", "audio_url"] {
            body["live"][name] = answer.leads(body["live"][name].as_str().unwrap()).into();
        }
        body
    }

    /// A live session that runs on the usual worker.
    pub async fn running(&self) -> (SessionId, Value) {
        let body = self.live("").await;
        let id = body["id"].as_str().unwrap().parse().unwrap();
        self.farm.run(id, 1, 0);
        (id, body)
    }

    /// Moves a session: it runs elsewhere now, under a higher fence.
    pub fn moved(&self, id: SessionId, worker: WorkerId) -> Hold {
        self.farm.change(id, |s| {
            s.fence = s.fence.next();
            s.phase = Phase::Running;
            s.place = Some((worker, SlotIndex(1)));
        });
        let fence = self.memory.kept().sessions[&id].fence;
        Hold { session: id, fence, worker, slot: SlotIndex(1) }
    }

    /// Takes a session from its worker: it waits again.
    pub fn requeued(&self, id: SessionId) {
        self.farm.change(id, |s| {
            s.fence = s.fence.next();
            s.phase = Phase::Requested;
            s.place = None;
        });
    }

    pub async fn offer(&self, id: SessionId, sdp: &str) -> Answer {
        let request = self.ask(Method::POST, &format!("/v1/sessions/{id}/whep"));
        Answer::of(request.header("content-type", SDP).body(sdp.to_owned())).await
    }
}

/// Where a session of [`Rig::running`] runs.
pub fn hold(id: SessionId) -> Hold {
    Hold { session: id, fence: Fence::FIRST, worker: WORKER, slot: SlotIndex(0) }
}
