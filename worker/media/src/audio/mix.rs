//! Which of a recording's channels is listened to.
//!
//! Speech is heard in one channel, the mean of the two that are played. A voice that is the other way up in one of them
//! (a cable with crossed wires, an effect that widens) is not in the mean at all, loud as it is to people: then the louder
//! channel is listened to alone. That is decided once for a whole recording, so that nothing changes in its midst.

/// Samples at 16 kHz over which channels are compared: 20 ms.
const FRAME: u32 = 320;

/// Channels cancel one another where their mean has less than this share of the power that unrelated ones would leave.
const CANCELS: f64 = 0.1;

/// The mean is given up when more than this share of a recording's power is where channels cancel one another.
const LOST: f64 = 0.1;

/// How two channels become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mix {
    /// Their mean.
    #[default]
    Both,
    /// The first alone.
    Left,
    /// The second alone.
    Right,
}

impl Mix {
    /// Appends what is heard of two interleaved channels.
    pub(super) fn append(self, sound: &[f32], out: &mut Vec<f32>) {
        let pairs = sound.as_chunks::<2>().0.iter();
        match self {
            Self::Both => out.extend(pairs.map(|[left, right]| 0.5 * (left + right))),
            Self::Left => out.extend(pairs.map(|[left, _]| *left)),
            Self::Right => out.extend(pairs.map(|[_, right]| *right)),
        }
    }
}

/// The powers of two channels, with and against one another, over a whole recording.
#[derive(Debug, Clone, Default)]
pub(super) struct Balance {
    left: f64,
    right: f64,
    /// Of both, where they cancel one another.
    lost: f64,
    frame: Frame,
}

/// Sums over the samples of a frame.
#[derive(Debug, Clone, Copy, Default)]
struct Frame {
    count: u32,
    sums: [f64; 2],
    squares: [f64; 2],
    products: f64,
}

impl Balance {
    /// Takes the next samples of two interleaved channels at 16 kHz.
    pub fn push(&mut self, sound: &[f32]) {
        for &[left, right] in sound.as_chunks::<2>().0 {
            let (l, r, frame) = (f64::from(left), f64::from(right), &mut self.frame);
            frame.count += 1;
            frame.sums = [frame.sums[0] + l, frame.sums[1] + r];
            frame.squares = [frame.squares[0] + l * l, frame.squares[1] + r * r];
            frame.products += l * r;
            if frame.count == FRAME {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let Frame { count, sums: [l, r], squares: [ll, rr], products } = std::mem::take(&mut self.frame);
        let count = f64::from(count.max(1));
        // A channel's constant is no sound.
        let (left, right) = ((ll - l * l / count).max(0.0), (rr - r * r / count).max(0.0));
        let together = left + right + 2.0 * (products - l * r / count);
        self.left += left;
        self.right += right;
        if together < CANCELS * (left + right) {
            self.lost += left + right;
        }
    }

    /// How the recording that was pushed is best listened to.
    pub fn best(&self) -> Mix {
        let mut all = self.clone();
        all.close();
        match all {
            _ if all.lost <= LOST * (all.left + all.right) => Mix::Both,
            _ if all.left >= all.right => Mix::Left,
            _ => Mix::Right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a voice (0) and of noise that is its own in each channel.
    fn balance(of: impl Fn(f32, f32, f32, usize) -> [f32; 2]) -> Mix {
        let mut state = 1_u32;
        let mut noise = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        let sound: Vec<f32> =
            (0..16_100).flat_map(|i| of((i as f32 * 0.07).sin() * 0.3, noise(), noise(), i)).collect();
        let mut whole = Balance::default();
        whole.push(&sound);
        let mut pieces = Balance::default();
        sound.chunks(246).for_each(|piece| pieces.push(piece));
        assert_eq!(whole.best(), pieces.best());
        whole.best()
    }

    #[test]
    fn the_mean_is_kept_unless_channels_cancel_one_another() {
        assert_eq!(balance(|voice, _, _, _| [voice, voice]), Mix::Both);
        assert_eq!(balance(|_, a, b, _| [0.2 * a, 0.2 * b]), Mix::Both, "two microphones");
        assert_eq!(balance(|voice, _, _, _| [voice, 0.0]), Mix::Both, "one side only");
        assert_eq!(balance(|voice, _, _, _| [voice, -0.2 * voice]), Mix::Both);
        assert_eq!(balance(|_, _, _, _| [0.0, 0.0]), Mix::Both);
        assert_eq!(balance(|voice, _, _, _| [voice + 0.5, voice - 0.5]), Mix::Both, "constants");
    }

    #[test]
    fn where_they_cancel_the_louder_one_is_heard() {
        assert_eq!(balance(|voice, _, _, _| [voice, -voice]), Mix::Left);
        assert_eq!(balance(|voice, _, _, _| [-0.8 * voice, voice]), Mix::Right);
        assert_eq!(balance(|voice, a, b, _| [voice + 0.03 * a, -0.9 * voice + 0.03 * b]), Mix::Left);
        // One of two speakers.
        let second = |voice: f32, _, _, i: usize| if i < 12_000 { [voice, voice] } else { [voice, -voice] };
        assert_ne!(balance(second), Mix::Both);
    }
}
