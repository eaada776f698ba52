//! A generator that has a thread of its own: ONNX Runtime keeps CUDA graphs for the thread that captured them, and others that draw
//! would capture theirs, while whatever else is done on the device at that moment fails.

use crate::graph::GraphError;
use crate::loading::DrawMouths;
use crate::networks::{LATENTS, PICTURE, SOUND};
use mouthpiece_engine::EngineStage;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Frames to draw, and what was drawn: memory that goes to and fro.
#[derive(Default)]
struct DrawingJob {
    count: usize,
    latents: Vec<f32>,
    sound: Vec<f32>,
    pictures: Vec<u8>,
}

enum Order {
    Draw(DrawingJob),
    Stages,
}

enum Answer {
    Drawn(DrawingJob, Result<(), GraphError>),
    Stages(Vec<EngineStage>),
}

/// Draws on a thread that loaded the networks, and that drops them.
pub struct GeneratorThread {
    /// None once it is to end.
    orders: Option<SyncSender<Order>>,
    answers: Receiver<Answer>,
    job: DrawingJob,
    launched: Option<String>,
    thread: Option<JoinHandle<()>>,
}

impl GeneratorThread {
    /// Starts a thread that loads what it is to draw with.
    ///
    /// # Errors
    /// What `load` says, or [`GraphError::Answer`] when there is no thread to be had.
    pub fn start<D: DrawMouths + 'static>(
        load: impl FnOnce() -> Result<D, GraphError> + Send + 'static,
    ) -> Result<Self, GraphError> {
        let (orders, of_thread) = sync_channel(1);
        let (to_owner, answers) = sync_channel(1);
        let (tell, loaded) = sync_channel(1);
        let life = move || {
            let mut generator = match load() {
                Ok(generator) => generator,
                Err(error) => {
                    let _ = tell.send(Err(error));
                    return;
                }
            };
            // Nobody who listens any more is nobody who orders.
            let _ = tell.send(Ok(generator.launched()));
            while let Ok(order) = of_thread.recv() {
                if to_owner.send(carry_out(&mut generator, order)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("generator".to_owned()).spawn(life);
        let thread =
            thread.map_err(|_| GraphError::Answer { graph: "unet", what: "the system has no thread for it" })?;
        let launched = loaded.recv().map_err(|_| gone())??;
        let job = DrawingJob::default();
        Ok(Self { orders: Some(orders), answers, job, launched, thread: Some(thread) })
    }

    fn ask(&self, order: Order) -> Result<Answer, GraphError> {
        self.orders.as_ref().ok_or_else(gone)?.send(order).map_err(|_| gone())?;
        self.answers.recv().map_err(|_| gone())
    }
}

impl DrawMouths for GeneratorThread {
    fn draw(&mut self, frames: &[(&[f32], &[f32])], picture: &mut dyn FnMut(usize, &[u8])) -> Result<(), GraphError> {
        let mut job = std::mem::take(&mut self.job);
        job.count = frames.len();
        job.latents.clear();
        job.sound.clear();
        for (face, heard) in frames {
            job.latents.extend_from_slice(face);
            job.sound.extend_from_slice(heard);
        }
        let Answer::Drawn(job, drawn) = self.ask(Order::Draw(job))? else { return Err(gone()) };
        self.job = job;
        drawn?;
        for (nth, bytes) in self.job.pictures.chunks_exact(PICTURE).enumerate() {
            picture(nth, bytes);
        }
        Ok(())
    }

    fn take_stages(&mut self) -> Vec<EngineStage> {
        match self.ask(Order::Stages) {
            Ok(Answer::Stages(stages)) => stages,
            _ => Vec::new(),
        }
    }

    fn launched(&self) -> Option<String> {
        self.launched.clone()
    }
}

impl Drop for GeneratorThread {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Should it have panicked, whoever asked was told that it is gone.
            let _ = thread.join();
        }
    }
}

fn carry_out(generator: &mut impl DrawMouths, order: Order) -> Answer {
    let mut job = match order {
        Order::Stages => return Answer::Stages(generator.take_stages()),
        Order::Draw(job) => job,
    };
    job.pictures.resize(job.count * PICTURE, 0);
    let DrawingJob { latents, sound, pictures, .. } = &mut job;
    let frames: Vec<_> = latents.chunks_exact(LATENTS).zip(sound.chunks_exact(SOUND)).collect();
    let mut keep = |nth: usize, bytes: &[u8]| pictures[nth * PICTURE..(nth + 1) * PICTURE].copy_from_slice(bytes);
    let drawn = generator.draw(&frames, &mut keep);
    Answer::Drawn(job, drawn)
}

/// The thread panicked: the device is in an unknown state, and the networks must be loaded again.
fn gone() -> GraphError {
    GraphError::Run { graph: "unet", source: ort::Error::new("the thread that draws is gone") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws what it was given: a picture is filled with its first latent. Panics at a sound of -1.
    struct Echo;

    impl DrawMouths for Echo {
        fn draw(&mut self, frames: &[(&[f32], &[f32])], show: &mut dyn FnMut(usize, &[u8])) -> Result<(), GraphError> {
            for (nth, (face, heard)) in frames.iter().enumerate() {
                assert!(heard[0] >= 0.0, "what a network never says");
                if heard[0] > 1.0 {
                    return Err(GraphError::Answer { graph: "unet", what: "too loud" });
                }
                show(nth, &vec![face[0] as u8; PICTURE]);
            }
            Ok(())
        }

        fn take_stages(&mut self) -> Vec<EngineStage> {
            vec![EngineStage::new("echo")]
        }

        fn launched(&self) -> Option<String> {
            Some("by shouting".to_owned())
        }
    }

    fn draw(thread: &mut GeneratorThread, frames: &[(f32, f32)]) -> Result<Vec<u8>, GraphError> {
        let values: Vec<_> = frames.iter().map(|(face, heard)| (vec![*face; LATENTS], vec![*heard; SOUND])).collect();
        let given: Vec<_> = values.iter().map(|(face, heard)| (face.as_slice(), heard.as_slice())).collect();
        let mut drawn = Vec::new();
        thread.draw(&given, &mut |_, bytes| drawn.push(bytes[PICTURE - 1]))?;
        Ok(drawn)
    }

    #[test]
    fn frames_go_there_and_pictures_come_back() {
        let mut thread = GeneratorThread::start(|| Ok(Echo)).unwrap();
        assert_eq!(thread.launched().as_deref(), Some("by shouting"));
        for frames in [&[(1.0, 0.0), (2.0, 0.0), (3.0, 0.0)][..], &[(7.0, 0.0)], &[]] {
            let wanted: Vec<u8> = frames.iter().map(|(face, _)| *face as u8).collect();
            assert_eq!(draw(&mut thread, frames).unwrap(), wanted);
        }
        assert_eq!(thread.take_stages()[0].name, "echo");
        assert!(matches!(draw(&mut thread, &[(1.0, 2.0)]), Err(GraphError::Answer { what: "too loud", .. })));
        assert_eq!(draw(&mut thread, &[(9.0, 0.0)]).unwrap(), [9], "and goes on");
    }

    #[test]
    fn what_cannot_be_loaded_is_told_and_what_panics_is_a_failure_of_the_device() {
        let missing = || Err::<Echo, _>(GraphError::Answer { graph: "unet", what: "not there" });
        assert!(matches!(GeneratorThread::start(missing), Err(GraphError::Answer { what: "not there", .. })));
        let mut thread = GeneratorThread::start(|| Ok(Echo)).unwrap();
        for _ in 0..2 {
            assert!(draw(&mut thread, &[(1.0, -1.0)]).unwrap_err().is_of_device());
        }
    }
}
