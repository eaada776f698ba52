//! The hub under virtual time: clients that are connections of their own, and a network in between that is as bad as wanted.
//! `socket` and `cost` do the same over the real loopback.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod bitrate;
mod client;
mod cost;
mod lifecycle;
mod loopback;
mod loss;
mod media;
mod microphone;
mod network;
mod noise;
mod offers;
mod picture;
mod restart;
mod socket;
mod world;
