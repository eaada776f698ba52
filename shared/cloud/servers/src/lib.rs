//! Private servers for tests: real Postgres, Redis and RabbitMQ from Debian's packages, and in this process an S3 server, one that
//! stands in for Auto Scaling and EC2, and a machine's metadata; each in a folder of its own, on free ports, gone when it is dropped. Nothing here touches servers that run on the machine already.

mod aws;
mod command;
mod local_http;
mod metadata;
mod moto;
mod postgres;
mod process;
mod proxy;
mod rabbitmq;
mod redis;
mod s3;

pub use aws::{AwsFault, AwsServer, GroupView};
pub use metadata::MetadataServer;
pub use moto::MotoServer;
pub use postgres::PostgresServer;
pub use process::{ServerProcess, free_port};
pub use proxy::{Harm, HarmfulProxy};
pub use rabbitmq::RabbitServer;
pub use redis::RedisServer;
pub use s3::{Fault, Faults, S3Server};
