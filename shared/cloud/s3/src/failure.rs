//! What the service's errors mean, and what to do about them.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use mouthpiece_aws_access::explain;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::BlobError;
use std::error::Error;

/// A request that did not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is no such object.
    Missing,
    /// A condition does not hold: the object is there already, or is another one by now.
    Condition,
    /// Somebody else writes the object at the same time.
    Conflict,
    /// The range begins behind the end.
    Range,
    /// There is no such upload in parts: it was completed or aborted.
    NoUpload,
    /// The service does not know what it was asked for.
    Unknown(String),
    /// No room.
    Full(String),
    /// Anything else, with what to do.
    Other(String),
    /// The service refused and did not say why, as it does where an answer has no body.
    Mute(String),
}

impl Failure {
    /// What an SDK error means. `bucket` is named in the text; the library's own words and addresses are not.
    pub(crate) fn of<E>(bucket: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let raw = answer.raw();
                let region = raw.headers().get("x-amz-bucket-region");
                Self::answered(bucket, raw.status().as_u16(), answer.err().code(), region)
                    .with_request(raw.headers().get("x-amz-request-id"))
            }
            SdkError::TimeoutError(_) => Self::late(bucket),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::late(bucket),
            SdkError::ResponseError(_) => {
                Self::Other(format!("bucket '{bucket}': the answer is not S3's: is the endpoint right?"))
            }
            error => Self::Other(format!("bucket '{bucket}' cannot be reached: {}", explain(error))),
        }
    }

    /// No answer in time.
    pub(crate) fn late(bucket: &str) -> Self {
        Self::Other(format!(
            "bucket '{bucket}' does not answer in time: look at the service, and at firewalls on the way"
        ))
    }

    fn answered(bucket: &str, status: u16, code: Option<&str>, region: Option<&str>) -> Self {
        let other = |text: &str| Self::Other(format!("bucket '{bucket}': {text}"));
        match code.unwrap_or_default() {
            "NoSuchKey" => Self::Missing,
            "PreconditionFailed" => Self::Condition,
            "ConditionalRequestConflict" | "OperationAborted" => Self::Conflict,
            "InvalidRange" => Self::Range,
            "NoSuchUpload" => Self::NoUpload,
            "NotImplemented" => Self::Unknown(format!("bucket '{bucket}': the service cannot do this")),
            "NoSuchBucket" => other("there is no such bucket: create it, or correct its name"),
            "InvalidAccessKeyId" | "NotSignedUp" => {
                other("the access key is not known there: correct AWS_ACCESS_KEY_ID or the file")
            }
            "SignatureDoesNotMatch" => other("the secret key does not fit the access key: correct both"),
            "ExpiredToken" | "InvalidToken" | "TokenRefreshRequired" => {
                other("the credentials have expired: renew them, or give the machine a role")
            }
            "RequestTimeTooSkewed" | "RequestExpired" => {
                other("this machine's clock is wrong by more than 15 minutes: set it (NTP)")
            }
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => other(
                "the credentials may not do this: allow s3:GetObject, PutObject, DeleteObject, AbortMultipartUpload and ListBucket",
            ),
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => match region
            {
                Some(region) => other(&format!("it lies in another region: set the region to {region}")),
                None => other("it lies in another region or at another endpoint: correct the region"),
            },
            code if code.starts_with("KMS.") || code.contains("KMS") => {
                other(&format!("the encryption key cannot be used ({code}): correct it, or the role's rights to it"))
            }
            "QuotaExceeded" | "XMinioStorageFull" | "InsufficientCapacity" | "XMinioAdminBucketQuotaExceeded" => {
                Self::Full(format!("bucket '{bucket}' takes no more: free some space or raise its quota"))
            }
            "SlowDown" | "ServiceUnavailable" | "RequestLimitExceeded" | "Throttling" => {
                other("the service is busy: it is asked again later")
            }
            "" | "NotFound" | "Forbidden" | "BadRequest" | "MovedPermanently" => Self::by_status(bucket, status),
            code => match status {
                404 => Self::Mute(format!("bucket '{bucket}': the service says {code}")),
                412 => Self::Condition,
                416 => Self::Range,
                501 => Self::Unknown(format!("bucket '{bucket}': the service cannot do this ({code})")),
                507 => Self::Full(format!("bucket '{bucket}' takes no more: free some space")),
                500.. => other(&format!("the service has a fault of its own ({code}): it is asked again later")),
                _ => other(&format!("the service refuses ({code})")),
            },
        }
    }

    /// An answer without a code.
    fn by_status(bucket: &str, status: u16) -> Self {
        match status {
            409 => Self::Conflict,
            412 => Self::Condition,
            416 => Self::Range,
            501 => Self::Unknown(format!("bucket '{bucket}': the service cannot do this")),
            507 => Self::Full(format!("bucket '{bucket}' takes no more: free some space")),
            500.. => Self::Other(format!("bucket '{bucket}': the service has a fault of its own ({status})")),
            _ => Self::Mute(format!("bucket '{bucket}': the service refuses ({status})")),
        }
    }

    /// Adds the number under which the service remembers the request.
    fn with_request(self, id: Option<&str>) -> Self {
        match (self, id) {
            (Self::Other(text), Some(id)) => Self::Other(format!("{text} (request {id})")),
            (this, _) => this,
        }
    }

    /// As the port has it.
    pub(crate) fn blob(self, key: &BlobKey) -> BlobError {
        match self {
            Self::Missing => BlobError::Missing(key.clone()),
            Self::Full(text) => BlobError::Full(text),
            Self::Unknown(text) | Self::Other(text) | Self::Mute(text) => BlobError::Unavailable(text),
            Self::Condition => BlobError::Unavailable(format!("'{key}' was replaced in this moment: begin again")),
            Self::Conflict => BlobError::Unavailable(format!("'{key}' is being written by somebody else")),
            Self::Range => BlobError::Unavailable(format!("'{key}' has no such part")),
            Self::NoUpload => {
                BlobError::Unavailable(format!("the upload of '{key}' was given up by somebody: begin again"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(status: u16, code: &str) -> String {
        let key = BlobKey::new("a/b").unwrap();
        Failure::answered("farm", status, Some(code), Some("eu-central-1")).blob(&key).to_string()
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for (status, code, remedy) in [
            (404, "NoSuchBucket", "create it"),
            (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
            (403, "SignatureDoesNotMatch", "secret key does not fit"),
            (403, "AccessDenied", "allow s3:GetObject"),
            (403, "RequestTimeTooSkewed", "clock"),
            (400, "ExpiredToken", "renew"),
            (301, "PermanentRedirect", "eu-central-1"),
            (400, "KMS.DisabledException", "encryption key"),
            (507, "XMinioStorageFull", "free some space"),
            (503, "SlowDown", "busy"),
        ] {
            let said = text(status, code);
            assert!(said.contains(remedy) && said.contains("'farm'"), "{code}: {said}");
        }
    }

    #[test]
    fn what_is_no_fault_is_told_apart() {
        let of = |status, code| Failure::answered("farm", status, code, None);
        assert_eq!(of(404, Some("NoSuchKey")), Failure::Missing);
        assert_eq!(of(412, Some("PreconditionFailed")), Failure::Condition);
        assert_eq!(of(412, None), Failure::Condition);
        assert_eq!(of(409, Some("ConditionalRequestConflict")), Failure::Conflict);
        assert_eq!(of(416, Some("InvalidRange")), Failure::Range);
        assert!(matches!(of(501, Some("NotImplemented")), Failure::Unknown(_)));
        assert!(matches!(of(404, Some("NotFound")), Failure::Mute(_)), "a bucket may be missing as well as an object");
        assert_eq!(of(404, Some("NoSuchUpload")), Failure::NoUpload);
    }
}
