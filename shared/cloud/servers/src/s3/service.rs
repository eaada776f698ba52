//! Objects as files, as S3 has them: the file server beneath is corrected where it differs from S3 in what a store builds on.

use super::S3Server;
use super::faults::{Fault, Faults};
use anyhow::{Result, anyhow};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, ETagCondition,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output,
    PutObjectInput, PutObjectOutput, StreamingBlob, UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use std::future::ready;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;

/// The one pair of keys.
pub(super) struct Keys;

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == S3Server::ACCESS_KEY {
            return Ok(SecretKey::from(S3Server::SECRET_KEY));
        }
        Err(s3_error!(InvalidAccessKeyId))
    }
}

/// Nobody is let in without a signature; faults befall those that are.
pub(super) struct Access(pub(super) Arc<Faults>);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied));
        }
        let operation = request.s3_op().name();
        self.0.count(operation, request.headers().clone());
        let conditional = request.headers().contains_key("if-none-match");
        let befalls = |fault| match fault {
            Fault::Refused(_) | Fault::Silent => true,
            Fault::Unconditional => conditional,
            Fault::AnswerLost | Fault::Cut(_) | Fault::NoETag => false,
        };
        match self.0.take(operation, befalls) {
            Some(Fault::Refused(code)) => {
                Err(S3Error::new(S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError)))
            }
            Some(Fault::Unconditional) => Err(s3_error!(NotImplemented)),
            Some(_) => std::future::pending().await,
            None => Ok(()),
        }
    }
}

/// The objects of a folder.
///
/// The file server beneath answers for folders as if they were objects, makes missing buckets, does not look at `If-Match` of
/// GET and at the headers that a link asks for, and changes a file and its `ETag` one after the other: here they change
/// together.
pub(super) struct Objects {
    files: FileSystem,
    root: PathBuf,
    faults: Arc<Faults>,
    changing: RwLock<()>,
}

impl Objects {
    pub(super) fn open(root: PathBuf, faults: Arc<Faults>) -> Result<Self> {
        let files = FileSystem::new(&root).map_err(|e| anyhow!("the S3 server's folder cannot be used: {e:?}"))?;
        Ok(Self { files, root, faults, changing: RwLock::default() })
    }

    async fn bucket(&self, bucket: &str) -> S3Result<()> {
        let there = tokio::fs::metadata(self.root.join(bucket)).await.is_ok_and(|found| found.is_dir());
        if there { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    async fn object(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.bucket(bucket).await?;
        let there = tokio::fs::metadata(self.root.join(bucket).join(key)).await.is_ok_and(|found| found.is_file());
        if there { Ok(()) } else { Err(s3_error!(NoSuchKey)) }
    }

    async fn upload(&self, id: &str) -> S3Result<()> {
        let there = tokio::fs::try_exists(self.root.join(format!(".upload-{id}.json"))).await.unwrap_or_default();
        if there { Ok(()) } else { Err(s3_error!(NoSuchUpload)) }
    }

    /// The answer, unless it is to be lost.
    fn answer<T>(&self, operation: &str, done: S3Response<T>) -> S3Result<S3Response<T>> {
        match self.faults.take(operation, |fault| fault == Fault::AnswerLost) {
            Some(_) => Err(s3_error!(InternalError)),
            None => Ok(done),
        }
    }
}

#[async_trait::async_trait]
impl S3 for Objects {
    async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        self.bucket(&request.input.bucket).await?;
        // All of it first, so that nobody waits for a slow sender.
        if let Some(body) = request.input.body.take() {
            let pieces: Vec<Bytes> = body.try_collect().await.map_err(|e| s3_error!(IncompleteBody, "{e}"))?;
            request.input.body = Some(StreamingBlob::from(Body::from(pieces.concat())));
        }
        let changing = self.changing.write().await;
        let done = self.files.put_object(request).await?;
        drop(changing);
        self.answer("PutObject", done)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        self.object(&request.input.bucket, &request.input.key).await?;
        let wanted = request.input.if_match.clone();
        let media_type = request.input.response_content_type.clone();
        let disposition = request.input.response_content_disposition.clone();
        let unchanging = self.changing.read().await;
        let mut found = self.files.get_object(request).await?;
        drop(unchanging);
        let object = &mut found.output;
        if let Some(ETagCondition::ETag(wanted)) = wanted
            && object.e_tag.as_ref() != Some(&wanted)
        {
            return Err(s3_error!(PreconditionFailed));
        }
        object.content_type = media_type.or(object.content_type.take());
        object.content_disposition = disposition.or(object.content_disposition.take());
        if self.faults.take("GetObject", |fault| fault == Fault::NoETag).is_some() {
            object.e_tag = None;
        }
        if let Some(Fault::Cut(after)) = self.faults.take("GetObject", |fault| matches!(fault, Fault::Cut(_))) {
            object.body = object.body.take().map(|body| cut(body, after));
        }
        Ok(found)
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        self.object(&request.input.bucket, &request.input.key).await?;
        let _unchanging = self.changing.read().await;
        let mut found = self.files.head_object(request).await?;
        if self.faults.take("HeadObject", |fault| fault == Fault::NoETag).is_some() {
            found.output.e_tag = None;
        }
        Ok(found)
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let _changing = self.changing.write().await;
        match self.object(&request.input.bucket, &request.input.key).await {
            Err(missing) if *missing.code() == S3ErrorCode::NoSuchKey => {
                Ok(S3Response::new(DeleteObjectOutput::default()))
            }
            there => {
                there?;
                self.files.delete_object(request).await
            }
        }
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.bucket(&request.input.bucket).await?;
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        self.upload(&request.input.upload_id).await?;
        let done = self.files.upload_part(request).await?;
        self.answer("UploadPart", done)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.upload(&request.input.upload_id).await?;
        let changing = self.changing.write().await;
        let done = self.files.complete_multipart_upload(request).await?;
        drop(changing);
        self.answer("CompleteMultipartUpload", done)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.upload(&request.input.upload_id).await?;
        self.files.abort_multipart_upload(request).await
    }
}

/// A body whose sender dies after so many bytes, once they are on their way.
fn cut(body: StreamingBlob, after: usize) -> StreamingBlob {
    let begun = body.scan(after, |left, piece| {
        let piece = piece.map_err(io::Error::other);
        let sent = (*left > 0).then(|| piece.map(|piece| piece.slice(..piece.len().min(*left))));
        *left -= sent.as_ref().and_then(|sent| sent.as_ref().ok()).map_or(0, Bytes::len);
        ready(sent)
    });
    StreamingBlob::wrap(begun.chain(stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::from(io::ErrorKind::BrokenPipe))
    })))
}
