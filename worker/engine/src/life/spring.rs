//! The way from one posture to the next.

/// A critically damped spring: it sets off softly, arrives softly, and never swings past where it goes to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Spring {
    pub(super) value: f32,
    speed: f32,
}

impl Spring {
    /// Goes on for `dt` seconds towards `target`. `pace` in radians a second: after 4 / `pace` seconds nine tenths are
    /// done. Exact, so that the frame rate does not change the way.
    pub(super) fn approach(&mut self, target: f32, pace: f32, dt: f32) {
        let away = self.value - target;
        let push = (self.speed + pace * away) * dt;
        let left = (-pace * dt).exp();
        self.value = target + (away + push) * left;
        self.speed = (self.speed - pace * push) * left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_arrives_without_swinging_past_at_any_frame_rate() {
        let run = |fps: usize| {
            let mut spring = Spring::default();
            (0..fps)
                .map(|_| {
                    spring.approach(1.0, 8.0, 1.0 / fps as f32);
                    spring.value
                })
                .collect::<Vec<_>>()
        };
        let (slow, fast) = (run(25), run(100));
        assert!(slow.windows(2).all(|w| w[1] >= w[0]) && slow[24] > 0.99 && slow.iter().all(|v| *v <= 1.0));
        for (i, v) in slow.iter().enumerate() {
            assert!((v - fast[4 * i + 3]).abs() < 1e-3);
        }
    }
}
