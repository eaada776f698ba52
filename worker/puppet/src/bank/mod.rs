//! The bank: the insides of a person's own mouth, cut from a video in which they speak.
//!
//! Video Rewrite (Bregler, Covell and Slaney, 1997) showed a person saying new things by putting together mouths that they
//! had made before; Ezzat, Geiger and Poggio (2002) and Thies and others (Face2Face, 2016) found for each wanted shape the
//! nearest that was seen. Here lips move by warping, so only what lies between them is taken: teeth, tongue and dark. When
//! the avatar is prepared, the mouths of all frames are brought to the home frame, and of each kind the sharpest is kept
//! ([`choose`]). For each frame that is drawn the nearest is found, slow to change ([`follow`]), bent by what little its lips
//! stood otherwise, and brought into the frame's light ([`light`]). What was never seen is painted as without a bank.

mod choose;
mod contour;
mod entry;
mod follow;
mod format;
mod light;
mod measure;

pub(super) use contour::{Contour, SAMPLES};
pub(super) use follow::Follower;
pub(super) use format::{BankOrigin, FORMAT, is_whole};
pub(super) use light::SkinLight;

use super::clip::Affine;
use super::frame::FaceFrame;
use choose::{Candidate, choose};
use entry::BankEntry;
use follow::Shown;
use light::LightMatch;
use mouthpiece_frame::ReferenceFrame;

/// Most mouths of a bank.
const MOST: usize = 240;
/// The mouths of a bank take at most so many bytes in memory: large ones are fewer.
const MOST_BYTES: usize = 16 << 20;
/// Fewer mouths than this are a yawn or a smile, and no speech.
const FEWEST: usize = 8;
/// And among them one must be at least so far open, in D.
const OPENS: f32 = 0.06;

/// A frame of a video as the bank sees it.
pub(super) struct BankFrame<'a> {
    pub(super) reference: &'a ReferenceFrame,
    /// From the home frame to it.
    pub(super) pose: Affine,
    pub(super) light: SkinLight,
}

/// The mouths of one person.
#[derive(Debug, Default)]
pub(super) struct Bank {
    entries: Vec<BankEntry>,
}

impl Bank {
    /// The mouths that `frames` show, in the face frame `home`; empty where nobody speaks in them.
    pub(super) fn build(frames: &[BankFrame<'_>], seen: &[Option<Mouthful>]) -> Self {
        let candidates: Vec<Candidate> = seen.iter().flatten().map(|m| m.0).collect();
        let mut chosen = choose(&candidates, MOST);
        let widest = chosen.iter().map(|&i| candidates[i].contour.opening()).fold(0.0, f32::max);
        if chosen.len() < FEWEST || widest < OPENS {
            return Self::default();
        }
        let cut = |i: &usize| BankEntry::cut(&candidates[*i], &frames[candidates[*i].frame]);
        let mut entries: Vec<BankEntry> = chosen.iter().map(cut).collect();
        let bytes: usize = entries.iter().map(BankEntry::bytes).sum();
        if bytes > MOST_BYTES {
            chosen = choose(&candidates, (entries.len() * MOST_BYTES / bytes).max(1));
            entries = chosen.iter().map(cut).collect();
        }
        Self { entries }
    }

    /// How many mouths there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(BankEntry::bytes).sum()
    }

    /// What is shown where the lips stand as `wanted`. `turn`: the head's, to a side and down, degrees; `light`: that of
    /// the frame.
    pub(super) fn inside(
        &self,
        follower: &mut Follower,
        wanted: Contour,
        turn: [f32; 2],
        light: SkinLight,
    ) -> Option<BankInside<'_>> {
        let Shown { now, before, share } = follower.follow(&self.entries, &wanted, turn)?;
        let layer = |at: u16| {
            let entry = &self.entries[usize::from(at)];
            (entry, entry.light.to(light))
        };
        Some(BankInside { now: layer(now), before: before.map(|(at, left)| (layer(at), left)), share, wanted })
    }
}

/// What a frame's mouth shows, before it is chosen or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mouthful(Candidate);

impl Mouthful {
    /// Frame number `number` as it was filmed; `back` leads from it to the home frame.
    pub(super) fn of(number: usize, frame: &BankFrame<'_>, back: &Affine, home: FaceFrame) -> Option<Self> {
        let ReferenceFrame { face, picture, .. } = frame.reference;
        measure::measure(number, face, picture, frame.light, back, home).map(Self)
    }
}

/// The inside of one drawn frame's mouth.
#[derive(Debug, Clone, Copy)]
pub(super) struct BankInside<'a> {
    now: (&'a BankEntry, LightMatch),
    before: Option<((&'a BankEntry, LightMatch), f32)>,
    /// How far it replaces what is painted, 0..=1.
    pub(super) share: f32,
    wanted: Contour,
}

impl BankInside<'_> {
    /// `[Y, U, V]` at a place of the face frame; `to_px` leads from it to the home frame's pixels.
    #[inline]
    pub(super) fn at(&self, place: [f32; 2], home: FaceFrame) -> [f32; 3] {
        let of = |(entry, light): (&BankEntry, LightMatch)| light.apply(entry.at(place, &self.wanted, home));
        let now = of(self.now);
        match self.before {
            None => now,
            Some((before, left)) => {
                let before = of(before);
                std::array::from_fn(|i| now[i] + (before[i] - now[i]) * left)
            }
        }
    }
}
