//! Which directions of a connection still carry something, without a socket and a clock.
//!
//! Within a process the two directions of a line end separately, and either side may end either of them. Over one WebSocket that takes
//! two messages, "I say no more" and "I hear no more". The connection is closed when nothing can come in either direction.

/// What one side knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HalfClose {
    we_speak: bool,
    we_listen: bool,
    peer_speaks: bool,
    peer_listens: bool,
    owes_deaf: bool,
}

impl Default for HalfClose {
    /// Both directions are open.
    fn default() -> Self {
        Self { we_speak: true, we_listen: true, peer_speaks: true, peer_listens: true, owes_deaf: false }
    }
}

impl HalfClose {
    /// We say no more; true when the peer must be told.
    pub(crate) fn stop_speaking(&mut self) -> bool {
        std::mem::take(&mut self.we_speak) && self.peer_listens
    }

    /// We hear no more.
    pub(crate) fn stop_listening(&mut self) {
        self.owes_deaf |= std::mem::take(&mut self.we_listen) && self.peer_speaks;
    }

    /// True, once, when the peer must be told that we hear no more.
    pub(crate) fn take_deaf(&mut self) -> bool {
        std::mem::take(&mut self.owes_deaf)
    }

    /// We hear the peer, or would if it said something.
    pub(crate) fn listens(&self) -> bool {
        self.we_listen
    }

    /// The peer says no more.
    pub(crate) fn peer_ended(&mut self) {
        self.peer_speaks = false;
    }

    /// The peer hears no more.
    pub(crate) fn peer_deaf(&mut self) {
        self.peer_listens = false;
    }

    /// What we say can be heard.
    pub(crate) fn is_heard(&self) -> bool {
        self.we_speak && self.peer_listens
    }

    /// What the peer says is taken.
    pub(crate) fn hears(&self) -> bool {
        self.we_listen && self.peer_speaks
    }

    /// Nothing can come in either direction.
    pub(crate) fn is_over(&self) -> bool {
        !self.is_heard() && !self.hears()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_sides_that_tell_each_other_agree_on_the_end(steps in proptest::collection::vec((0..2usize, 0..2u8), 0..12)) {
            let mut sides = [HalfClose::default(); 2];
            for (side, what) in steps {
                let tell = if what == 0 {
                    sides[side].stop_speaking()
                } else {
                    sides[side].stop_listening();
                    sides[side].take_deaf()
                };
                match (tell, what) {
                    (true, 0) => sides[1 - side].peer_ended(),
                    (true, _) => sides[1 - side].peer_deaf(),
                    // Whoever is not told must know it already.
                    (false, 0) => prop_assert!(!sides[1 - side].hears()),
                    (false, _) => prop_assert!(!sides[1 - side].is_heard()),
                }
                prop_assert_eq!(sides[0].is_heard(), sides[1].hears());
                prop_assert_eq!(sides[1].is_heard(), sides[0].hears());
                prop_assert_eq!(sides[0].is_over(), sides[1].is_over());
            }
        }
    }

    #[test]
    fn an_end_is_told_once() {
        let mut side = HalfClose::default();
        assert!(side.stop_speaking() && !side.stop_speaking());
        assert!(!side.is_over() && side.hears());
        side.peer_ended();
        assert!(side.is_over() && side.listens());
        side.stop_listening();
        assert!(!side.take_deaf(), "who says no more need not know");
        let mut side = HalfClose::default();
        side.stop_listening();
        assert!(side.take_deaf() && !side.take_deaf());
    }
}
