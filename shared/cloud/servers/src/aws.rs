//! What stands in for Auto Scaling and EC2: one group of machines and a history of spot prices, signatures checked, faults at will.

mod form;
mod prices;
mod scaling;
mod signature;

use crate::local_http::{Answer, LocalHttp, credentials_text, told};
use anyhow::Result;
use bytes::Bytes;
use form::Form;
use hyper::http::request::Parts;
use prices::PriceBook;
pub use scaling::GroupView;
use scaling::Scaling;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// Something that goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsFault {
    /// Refused with a status and a code, before anything is done.
    Refused(u16, &'static str),
    /// Refused as too many requests, to come back after so many seconds.
    Busy(u32),
    /// Never answered.
    Silent,
    /// Done, and then answered as if the service had failed.
    AnswerLost,
}

/// Why a request is refused: status, code, message.
type Refusal = (u16, &'static str, String);

#[derive(Debug, Default)]
struct Desk {
    scaling: Scaling,
    prices: PriceBook,
    planned: HashMap<&'static str, Vec<AwsFault>>,
    asked: HashMap<String, u64>,
}

/// Auto Scaling and EC2 on one port, of the region `eu-central-1`, with one group.
#[derive(Debug)]
pub struct AwsServer {
    desk: Arc<Mutex<Desk>>,
    http: LocalHttp,
    folder: TempDir,
}

impl AwsServer {
    /// The access key that the server knows.
    pub const ACCESS_KEY: &str = "AKIAMOUTHPIECETEST00";
    /// The secret key that belongs to it.
    pub const SECRET_KEY: &str = "a-secret-of-this-test";
    /// The region that signatures must be for.
    pub const REGION: &str = "eu-central-1";

    /// Starts it with an empty group of this name that may have `least` to `most` machines.
    ///
    /// # Errors
    /// There is no port, or no folder.
    pub async fn start(group: &str, least: u32, most: u32) -> Result<Self> {
        let desk = Desk { scaling: Scaling::new(group, least, most), ..Desk::default() };
        let desk = Arc::new(Mutex::new(desk));
        let state = Arc::clone(&desk);
        let http = LocalHttp::start(Arc::new(move |head: Parts, body: Bytes| {
            let answer = locked(&state).answer(&head, &body);
            Box::pin(async move { answer })
        }))
        .await?;
        Ok(Self { desk, http, folder: tempfile::tempdir()? })
    }

    /// Where it listens, for both services.
    pub fn endpoint(&self) -> String {
        self.http.endpoint()
    }

    /// A file in the form of `~/.aws/credentials` with keys; the server's own are its constants.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn credentials_file(&self, access_key: &str, secret_key: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("credentials-{access_key}-{}", secret_key.len()));
        std::fs::write(&path, credentials_text(access_key, secret_key))?;
        Ok(path)
    }

    /// The group as it is.
    pub fn group(&self) -> GroupView {
        locked(&self.desk).scaling.view()
    }

    /// Adds a price of a capacity pool from a time on (milliseconds since 1970), as EC2 writes it.
    pub fn add_price(&self, instance_type: &str, zone: &str, from_ms: i64, price: &str) {
        locked(&self.desk).prices.add(instance_type, zone, from_ms, price);
    }

    /// So many prices stand on a page, whatever was asked for.
    pub fn set_page(&self, prices: usize) {
        locked(&self.desk).prices.page = prices;
    }

    /// The next requests for an action go wrong, one each.
    pub fn plan(&self, action: &'static str, faults: &[AwsFault]) {
        locked(&self.desk).planned.entry(action).or_default().extend(faults);
    }

    /// Rightly signed requests for an action so far, those that went wrong included.
    pub fn asked(&self, action: &str) -> u64 {
        locked(&self.desk).asked.get(action).copied().unwrap_or_default()
    }

    /// Listens no longer. What there is stays.
    pub async fn stop(&mut self) {
        self.http.stop().await;
    }

    /// Listens again.
    ///
    /// # Errors
    /// Somebody else has its port by now.
    pub async fn start_again(&mut self) -> Result<()> {
        self.http.start_again().await
    }
}

fn locked(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    fn answer(&mut self, head: &Parts, body: &Bytes) -> Option<Answer> {
        let form = Form::read(body);
        let action = form.get("Action").to_owned();
        let of_ec2 = form.get("Version") == "2016-11-15";
        let service = if of_ec2 { "ec2" } else { "autoscaling" };
        if let Err(refused) = signature::check(head, body, service) {
            return Some(refusal(of_ec2, refused));
        }
        *self.asked.entry(action.clone()).or_default() += 1;
        let fault =
            self.planned.get_mut(action.as_str()).filter(|faults| !faults.is_empty()).map(|faults| faults.remove(0));
        match fault {
            Some(AwsFault::Refused(status, code)) => {
                return Some(refusal(of_ec2, (status, code, "As planned by the test.".to_owned())));
            }
            Some(AwsFault::Busy(seconds)) => {
                let mut answer = refusal(of_ec2, (503, "RequestLimitExceeded", "Request limit exceeded.".to_owned()));
                answer.headers_mut().insert(hyper::header::RETRY_AFTER, seconds.into());
                return Some(answer);
            }
            Some(AwsFault::Silent) => return None,
            Some(AwsFault::AnswerLost) | None => {}
        }
        let done = match (action.as_str(), of_ec2) {
            ("DescribeSpotPriceHistory", true) => self.prices.history(&form),
            (action, false) => self.scaling.handle(action, &form),
            _ => Err((400, "InvalidAction", format!("The action {action} is not valid for this web service."))),
        };
        Some(match done {
            _ if fault.is_some() => refusal(of_ec2, (500, "InternalFailure", "Lost on the way.".to_owned())),
            Ok(inside) => told(200, "text/xml", format!("<{action}Response>{inside}</{action}Response>")),
            Err(refused) => refusal(of_ec2, refused),
        })
    }
}

fn refusal(of_ec2: bool, (status, code, message): Refusal) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let text = if of_ec2 {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"
        )
    } else {
        format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>")
    };
    told(status, "text/xml", text)
}
