//! What went wrong with a request, and what to do about it.

use crate::answer::ServiceRefusal;
use mouthpiece_ports::fleet::FleetError;

/// The service's own words are quoted up to here.
const MOST_WORDS: usize = 200;

/// A request that did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AwsFailure {
    /// No answer, or none of AWS's. Why, for people.
    Away(String),
    /// The service cannot just now; its code.
    Busy(String),
    /// The service will not.
    Refused(ServiceRefusal),
}

/// Codes of services that are busy, and of groups that are about something else.
const BUSY: [&str; 14] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "ServiceUnavailable",
    "Unavailable",
    "InternalFailure",
    "InternalError",
    "ScalingActivityInProgress",
    "ResourceContention",
];

impl AwsFailure {
    /// An answer that is not 200.
    pub(crate) fn answered(status: u16, refusal: Option<ServiceRefusal>) -> Self {
        match refusal {
            Some(refusal) if BUSY.contains(&refusal.code.as_str()) || status >= 500 || status == 429 => {
                Self::Busy(refusal.code)
            }
            Some(refusal) => Self::Refused(refusal),
            None if status >= 500 || status == 429 => Self::Busy(status.to_string()),
            None => Self::Away(format!("the answer ({status}) is not AWS's: is the endpoint right?")),
        }
    }

    /// Whether asking again at once may help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// Whether the service refused with this code and words that hold one of `words`, whatever their case.
    pub(crate) fn says(&self, code: &str, words: &[&str]) -> bool {
        let Self::Refused(refusal) = self else { return false };
        let message = refusal.message.to_lowercase();
        refusal.code == code && words.iter().any(|word| message.contains(word))
    }

    /// In words that say what to do. `action` is what was asked for, with its service: `autoscaling:SetDesiredCapacity`.
    pub(crate) fn told(&self, action: &str, region: &str) -> FleetError {
        let ServiceRefusal { code, message } = match self {
            Self::Away(why) => return FleetError::Unavailable(format!("AWS in {region}: {why}")),
            Self::Busy(code) => {
                return FleetError::Unavailable(format!("AWS is busy ({code}): it is asked again later"));
            }
            Self::Refused(refusal) => refusal,
        };
        FleetError::Refused(match code.as_str() {
            "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "AuthFailure"
            | "InvalidAccessKeyId"
            | "MissingAuthenticationToken"
            | "NotSignedUp" => format!(
                "the access key is not known in {region}: correct AWS_ACCESS_KEY_ID or the credentials file, or aws.region"
            ),
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
                let message = message.to_lowercase();
                if message.contains("valid region") {
                    format!("the endpoint is another region's than {region}: correct aws.region or the endpoint")
                } else if message.contains("expired") || message.contains("not yet current") {
                    "this machine's clock is wrong by more than 5 minutes: set it (NTP)".to_owned()
                } else {
                    "the secret key does not fit the access key: correct both".to_owned()
                }
            }
            "RequestExpired" => "this machine's clock is wrong by more than 5 minutes: set it (NTP)".to_owned(),
            "ExpiredToken" | "ExpiredTokenException" | "InvalidToken" => {
                "the credentials have expired: renew them, or give the machine a role".to_owned()
            }
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
                format!("the credentials may not do this: allow {action} (docs/aws.md has the whole policy)")
            }
            "OptInRequired" => format!("the account has not opted in to {region}: do so, or correct aws.region"),
            code => format!("{action}: {code}: {}", quoted(message)),
        })
    }
}

/// A service's words in one line.
fn quoted(message: &str) -> String {
    let one_line: Vec<&str> = message.split_whitespace().collect();
    one_line.join(" ").chars().take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, message: &str) -> AwsFailure {
        AwsFailure::answered(400, Some(ServiceRefusal { code: code.to_owned(), message: message.to_owned() }))
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for (code, message, remedy) in [
            ("InvalidClientTokenId", "", "AWS_ACCESS_KEY_ID"),
            ("SignatureDoesNotMatch", "The request signature we calculated", "secret key does not fit"),
            ("SignatureDoesNotMatch", "Credential should be scoped to a valid region.", "aws.region"),
            ("SignatureDoesNotMatch", "Signature expired: 2026 is now earlier than", "clock"),
            ("ExpiredToken", "", "renew"),
            ("AccessDenied", "User: arn:aws:x is not authorized", "allow autoscaling:SetDesiredCapacity"),
            ("UnauthorizedOperation", "", "docs/aws.md"),
            ("OptInRequired", "", "opted in"),
            ("ValidationError", "Something\n odd", "ValidationError: Something odd"),
        ] {
            let told = refused(code, message).told("autoscaling:SetDesiredCapacity", "eu-central-1");
            assert!(matches!(&told, FleetError::Refused(text) if text.contains(remedy)), "{code}: {told}");
            assert!(!told.to_string().contains("arn:"), "{told}");
        }
    }

    #[test]
    fn what_passes_is_told_apart() {
        for code in ["Throttling", "RequestLimitExceeded", "ScalingActivityInProgress"] {
            assert!(refused(code, "").is_passing(), "{code}");
        }
        assert!(AwsFailure::answered(503, None).is_passing());
        assert!(!AwsFailure::answered(404, None).is_passing());
        assert!(!refused("ValidationError", "").is_passing());
        let said = refused("ValidationError", "Instance Id not found - No managed instance found");
        assert!(said.says("ValidationError", &["not found"]) && !said.says("ValidationError", &["min size"]));
    }
}
