//! Checks a request's signature (Signature Version 4), independently of the library that makes it.

use super::{AwsServer, Refusal};
use hmac::{Hmac, Mac as _};
use hyper::http::request::Parts;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// # Errors
/// What AWS answers to a request that is not signed, not by a known key, or wrongly.
pub(super) fn check(head: &Parts, body: &[u8], service: &str) -> Result<(), Refusal> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let refused = |code, why: &str| Err((403, code, why.to_owned()));
    let Some(signed) = header("authorization").strip_prefix("AWS4-HMAC-SHA256 ") else {
        return refused("MissingAuthenticationToken", "Request is missing Authentication Token");
    };
    let part = |name: &str| {
        signed.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
    };
    let scope: Vec<&str> = part("Credential").split('/').collect();
    let [key, day, region, of_service, "aws4_request"] = scope[..] else {
        return refused("IncompleteSignature", "Credential must have five parts");
    };
    if key != AwsServer::ACCESS_KEY {
        return refused("InvalidClientTokenId", "The security token included in the request is invalid.");
    }
    if region != AwsServer::REGION || of_service != service {
        let why = format!("Credential should be scoped to a valid region. Not {region} and {of_service}.");
        return refused("SignatureDoesNotMatch", &why);
    }
    let names = part("SignedHeaders");
    let mut canonical = format!("{}\n{}\n{}\n", head.method, head.uri.path(), head.uri.query().unwrap_or_default());
    for name in names.split(';') {
        let _ = writeln!(canonical, "{name}:{}", header(name).trim());
    }
    let _ = write!(canonical, "\n{names}\n{}", hex(&Sha256::digest(body)));
    let at = header("x-amz-date");
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{at}\n{day}/{region}/{service}/aws4_request\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let start = format!("AWS4{}", AwsServer::SECRET_KEY).into_bytes();
    let signing = [day, region, service, "aws4_request"].into_iter().fold(start, |key, part| mac(&key, part));
    let covers = |name: &str| names.split(';').any(|signed| signed == name);
    if ![covers("host"), covers("x-amz-date"), covers("content-type"), at.starts_with(day)].iter().all(|fine| *fine) {
        return refused("IncompleteSignature", "Headers that must be signed are not");
    }
    if hex(&mac(&signing, &to_sign)) != part("Signature") {
        return refused("SignatureDoesNotMatch", "The request signature we calculated does not match.");
    }
    Ok(())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        // HMAC takes keys of any length.
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
