//! Links: addresses that are signed in advance, good for one object and a while.

use super::settings::Encryption;
use super::store::Store;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::ServerSideEncryption;
use mouthpiece_aws_access::explain;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_ports::blobs::{BlobError, LinkHeaders};
use std::time::Duration;

/// Signatures hold no longer.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

impl Store {
    /// A signed address. It ends earlier where the credentials that signed it do, as those of a machine's role.
    pub(crate) async fn presigned(
        &self,
        key: &BlobKey,
        lifetime: Duration,
        headers: &LinkHeaders,
    ) -> Result<String, BlobError> {
        let lifetime = lifetime.clamp(Duration::from_secs(1), WEEK);
        let failed = |reason: String| BlobError::Unavailable(format!("no link can be signed: {reason}"));
        let config = PresigningConfig::expires_in(lifetime).map_err(|e| failed(e.to_string()))?;
        let get = self.links.get_object().bucket(&self.bucket).key(self.prefix.object(key));
        let get = get
            .response_content_type(&headers.media_type)
            .set_response_content_disposition(headers.disposition.clone());
        let signed = get.presigned(config).await.map_err(|e| failed(explain(&e)))?;
        Ok(signed.uri().to_owned())
    }
}

impl Encryption {
    pub(crate) fn kind(&self) -> Option<ServerSideEncryption> {
        match self {
            Self::Bucket => None,
            Self::Service => Some(ServerSideEncryption::Aes256),
            Self::Kms { .. } => Some(ServerSideEncryption::AwsKms),
        }
    }

    pub(crate) fn key(&self) -> Option<String> {
        if let Self::Kms { key } = self { key.clone() } else { None }
    }

    /// One data key for many objects: fewer calls to the key management service.
    pub(crate) fn bucket_key(&self) -> Option<bool> {
        matches!(self, Self::Kms { .. }).then_some(true)
    }
}
