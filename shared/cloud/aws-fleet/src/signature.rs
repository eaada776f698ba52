//! Signing a request for one service of one region.

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use mouthpiece_aws_access::Credentials;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::SystemTime;

/// The headers that make a POST of `body` to `url` a request of whoever has the credentials. Those in `headers` are signed, too.
/// `None` when that cannot be done with these credentials.
pub(crate) fn signed(
    (service, region): (&str, &str),
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
    credentials: Credentials,
    now: SystemTime,
) -> Option<HeaderMap> {
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let request =
        SignableRequest::new("POST", url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes())).ok()?;
    let (instructions, _) = sign(request, &params).ok()?.into_parts();
    let (added, _) = instructions.into_parts();
    let mut all = HeaderMap::new();
    for (name, value, secret) in headers
        .iter()
        .map(|(name, value)| (*name, *value, false))
        .chain(added.iter().map(|header| (header.name(), header.value(), header.sensitive())))
    {
        let mut value = HeaderValue::from_str(value).ok()?;
        // The library does not call the signature itself sensitive.
        value.set_sensitive(secret || name.eq_ignore_ascii_case("authorization"));
        all.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The example of AWS's documentation of Signature Version 4 for a form that is posted (the test suite's
    /// `post-x-www-form-urlencoded`).
    #[test]
    fn a_request_is_signed_as_aws_has_it() {
        let keys = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let credentials = || Credentials::from_keys(keys.0, keys.1, None);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = "https://example.amazonaws.com/";
        let headers = signed(("service", "us-east-1"), url, &headers, "Param1=value1", credentials(), now).unwrap();
        assert_eq!(
            headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        );
        assert!(!format!("{headers:?}").contains("ff11897932"), "the signature is not shown");
    }

    #[test]
    fn a_roles_token_goes_with_it() {
        let credentials = Credentials::from_keys("AKIDEXAMPLE", "hush", Some("the-token".to_owned()));
        let headers = signed(("ec2", "us-east-1"), "https://host/", &[], "", credentials, SystemTime::now()).unwrap();
        assert_eq!(headers["x-amz-security-token"], "the-token");
        assert!(headers["authorization"].to_str().unwrap().contains("x-amz-security-token"));
    }
}
