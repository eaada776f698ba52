//! Real sessions: portraits and speech from the store, videos and avatars back to it.

use crate::farm::{Farm, hold};
use crate::media::{SAMPLE, key, metrics, prepare, render, upload, wav};
use bytes::Bytes;
use image::ImageFormat;
use mouthpiece_domain::colour::Colour;
use mouthpiece_domain::fleet::WorkerCommand;
use mouthpiece_domain::frame::FrameSize;
use mouthpiece_domain::session::{EndReason, Phase, SessionOutput, SessionSpec};
use mouthpiece_media::video::VideoReader;
use mouthpiece_worker::WorkerSettings;
use mouthpiece_worker::farm::start;
use std::path::Path;
use std::time::Duration;

async fn frames_of(farm: &Farm, output: &SessionOutput) -> (usize, [u32; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = farm.ports.blobs.local(output.blob.as_ref().unwrap(), folder.path()).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), output.bytes);
    let reader = VideoReader::open(&path).unwrap();
    let (w, h) = reader.size();
    (reader.read_clip(25.0, 1000).unwrap().frames.len(), [w, h])
}

/// Files below a folder, but for the locks of workers.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let below = |e: std::fs::DirEntry| match e.path() {
        path if path.is_dir() => files(&path),
        path => vec![path.display().to_string()],
    };
    entries.flat_map(below).filter(|f| !f.ends_with("/lock")).collect()
}

#[actix_rt::test]
async fn a_worker_measures_itself_at_the_start() {
    let farm = Farm::new().await;
    let settings = WorkerSettings { measure: true, slots: 3, ..farm.settings() };
    let worker = start(farm.ports.clone(), settings, metrics()).await.unwrap();
    let offer = worker.capability();
    assert_eq!((offer.engine.as_str(), offer.name.as_str()), ("puppet/2", "test"));
    assert!(offer.frames_per_second > 0);
    assert_eq!(u32::from(offer.slots), (offer.frames_per_second / 30).clamp(1, 3));
    let beat = farm.hears_beat("the first heartbeat", |_| true).await;
    assert_eq!(&beat.capability, offer);
    is_swept(&farm).await;
}

async fn is_swept(farm: &Farm) {
    let scratch = farm.settings().scratch;
    let swept = async {
        while !files(&scratch).is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(crate::farm::SOON, swept).await.expect("scratch files were left");
}

#[actix_rt::test]
async fn a_render_becomes_a_video_in_the_store() {
    let farm = Farm::new().await;
    let worker = farm.worker().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(1.5)).await;
    let hold = farm.assign(&render(hold(&worker, 1, 3, 0), &spec)).await;
    let (end, report) = farm.hears_end(hold).await;
    assert_eq!((end.reason, &end.detail), (EndReason::Completed, &None));
    let output = end.output.unwrap();
    assert_eq!(output.blob, Some(key(&format!("results/{}/3.mp4", hold.session))));
    assert_eq!((output.frames, output.length, output.size), (38, Duration::from_millis(1520), [128, 128]));
    assert_eq!(frames_of(&farm, &output).await, (38, [128, 128]));
    assert_eq!((report.progress.done, report.progress.total), (38, 38));
    assert_eq!(report.delivered, Duration::from_millis(1520));
    assert_eq!(report.hold, hold);
    farm.hears_beat("that the avatar is in memory", |b| b.resident == [spec.content.clone()]).await;
    is_swept(&farm).await;
    worker.drain_and_stop(Duration::ZERO).await.unwrap();
}

#[actix_rt::test]
async fn two_slots_draw_through_one_engine() {
    let farm = Farm::new().await;
    let worker = farm.worker().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(2.0)).await;
    let first = farm.assign(&render(hold(&worker, 1, 1, 0), &spec)).await;
    let second = farm.assign(&render(hold(&worker, 2, 1, 1), &spec)).await;
    let other = SessionSpec { seed: 8, ..spec.clone() };
    let mut results = Vec::new();
    for hold in [first, second] {
        let output = farm.hears_end(hold).await.0.output.unwrap();
        results.push(farm.ports.blobs.get(&output.blob.unwrap(), 1 << 24).await.unwrap());
    }
    farm.is_given_back(first).await; // its end is told a moment before
    let third = farm.assign(&render(hold(&worker, 3, 1, 0), &other)).await;
    let output = farm.hears_end(third).await.0.output.unwrap();
    results.push(farm.ports.blobs.get(&output.blob.unwrap(), 1 << 24).await.unwrap());
    assert!(results[0] == results[1], "the same session makes the same video, whoever draws beside it");
    assert!(results[0] != results[2], "another seed moves otherwise");
}

#[actix_rt::test]
async fn an_avatar_is_prepared_once_and_used_by_every_worker() {
    let farm = Farm::new().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(0.5)).await;
    let first = farm.worker().await;
    let made = farm.assign(&prepare(hold(&first, 1, 1, 0), &spec)).await;
    let prepared = farm.hears_end(made).await.0.output.unwrap();
    assert_eq!((prepared.frames, prepared.length, prepared.size), (1, Duration::ZERO, [128, 128]));
    let preview = farm.ports.blobs.get(prepared.blob.as_ref().unwrap(), 1 << 20).await.unwrap();
    assert_eq!(preview.len() as u64, prepared.bytes);
    let picture = image::load_from_memory_with_format(&preview, ImageFormat::Png).unwrap();
    assert_eq!((picture.width(), picture.height()), (128, 128));

    // Without the portrait nobody can prepare it again.
    assert!(farm.ports.blobs.delete(&spec.portrait).await.unwrap());
    let second = farm.worker().await;
    let shown = farm.assign(&prepare(hold(&second, 2, 1, 0), &spec)).await;
    assert_eq!(farm.hears_end(shown).await.0.output.unwrap(), prepared);
    let film = farm.assign(&render(hold(&second, 3, 1, 1), &spec)).await;
    assert_eq!(farm.hears_end(film).await.0.reason, EndReason::Completed);
    let on = |colour| SessionSpec { background: Some(Colour(colour)), ..spec.clone() };
    let on_white = farm.assign(&render(hold(&first, 4, 1, 1), &on([255; 3]))).await;
    assert_eq!(farm.hears_end(on_white).await.0.reason, EndReason::Completed);
    // What would make other frames is another avatar.
    let third = farm.worker().await;
    for (slot, other) in
        [SessionSpec { size: FrameSize::new(256).unwrap(), ..spec.clone() }, on([0; 3])].iter().enumerate()
    {
        let hold = farm.assign(&render(hold(&third, 5 + slot as u128, 1, slot as u8), other)).await;
        let (end, _) = farm.hears_end(hold).await;
        assert_eq!(end.reason, EndReason::Failed);
        assert_eq!(end.detail.unwrap(), "the portrait is not in the store any more");
    }
}

#[actix_rt::test]
async fn a_damaged_avatar_is_prepared_anew() {
    let farm = Farm::new().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(0.5)).await;
    let first = farm.worker().await;
    let made = farm.assign(&prepare(hold(&first, 1, 1, 0), &spec)).await;
    let prepared = farm.hears_end(made).await.0.output.unwrap();
    let data = key(&prepared.blob.unwrap().as_str().replace(".png", ".ref"));
    let good = farm.ports.blobs.get(&data, 1 << 24).await.unwrap();
    let mut bad = good.to_vec();
    bad[good.len() / 2] ^= 1;
    farm.ports.blobs.delete(&data).await.unwrap();
    farm.ports.blobs.put(&data, Bytes::from(bad)).await.unwrap();

    let second = farm.worker().await;
    let again = farm.assign(&prepare(hold(&second, 2, 1, 0), &spec)).await;
    assert_eq!(farm.hears_end(again).await.0.reason, EndReason::Completed);
    assert_eq!(farm.ports.blobs.get(&data, 1 << 24).await.unwrap(), good);
}

#[actix_rt::test]
async fn bad_input_is_told_in_words_without_paths() {
    let farm = Farm::new().await;
    let worker = farm.worker().await;
    let mut blank = Vec::new();
    let grey = image::RgbImage::from_pixel(200, 200, image::Rgb([120, 130, 140]));
    grey.write_to(&mut std::io::Cursor::new(&mut blank), ImageFormat::Png).unwrap();
    let cases: [(&[u8], Bytes, &str); 3] = [
        (&blank, wav(0.5), "the portrait: no face was found"),
        (b"not a picture", wav(0.5), "the portrait holds text: give a picture"),
        (SAMPLE, Bytes::from_static(b"not a recording"), "the speech holds text: give a recording"),
    ];
    for (n, (portrait, speech, words)) in cases.into_iter().enumerate() {
        let _ = farm.ports.blobs.delete(&key("uploads/speech")).await;
        let spec = upload(&*farm.ports.blobs, portrait, speech).await;
        let hold = farm.assign(&render(hold(&worker, n as u128, 1, 0), &spec)).await;
        let (end, _) = farm.hears_end(hold).await;
        let detail = end.detail.unwrap();
        assert_eq!(end.reason, EndReason::BadInput, "{detail}");
        assert!(detail.starts_with(words) && !detail.contains('/'), "{detail}");
    }
    is_swept(&farm).await;
}

#[actix_rt::test]
async fn a_render_that_is_stopped_leaves_nothing() {
    let farm = Farm::new().await;
    let worker = farm.worker().await;
    let spec = upload(&*farm.ports.blobs, SAMPLE, wav(300.0)).await;
    let hold = farm.assign(&render(hold(&worker, 1, 1, 0), &spec)).await;
    farm.hears_phase(hold, Phase::Running).await;
    farm.hears_beat("that it runs", |b| !b.running.is_empty()).await;
    farm.forget();
    farm.tell(worker.id(), WorkerCommand::Stop(hold)).await;
    farm.hears_beat("that the slot is free", |b| b.running.is_empty()).await;
    is_swept(&farm).await;
    let result = key(&format!("results/{}/1.mp4", hold.session));
    assert_eq!(farm.ports.blobs.size(&result).await.unwrap(), None);
}
