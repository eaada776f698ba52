"""What the figures of one GPU let expect of a T4. Pure arithmetic; nothing here was measured on a T4.

For each graph, with F operations and B bytes a call (work.py), on a device that reaches P operations and W bytes a second:

    floor = max(F / P, B / W)                   about the least that it takes
    lost  = measured / floor                    what this machine took over its own floor: launches, kernels that fit badly
    T4    = floor on a T4 x lost                if a T4 loses as much over its own floor

The T4's data sheet says 65 TFLOP/s (FP16 on tensor cores) and 320 GB/s, at 70 W: it clocks down under such a load. How far is not known
here, so a range is told: all of the data sheet's rates, and `share` of them. A GPU that is much faster than a T4 loses more of its floor to
launches than a T4 would, so the projection errs on the slow side at small batches.
"""
from dataclasses import dataclass

T4_FLOPS, T4_BYTES = 65e12, 320e9
# An assumption, not a measurement.
SHARE = 0.6


@dataclass(frozen=True)
class Ceilings:
    """Operations and bytes a second."""
    flops: float
    bytes: float

    def floor(self, flops, moved):
        """Seconds."""
        return max(flops / self.flops, moved / self.bytes)


def t4(share=1.0):
    return Ceilings(T4_FLOPS * share, T4_BYTES * share)


def project(seconds, flops, moved, here, share=SHARE):
    """Of a call that took `seconds` here: floors, what was lost over them, and the T4's range of seconds."""
    floor = here.floor(flops, moved)
    lost = seconds / floor
    best, worst = t4().floor(flops, moved), t4(share).floor(flops, moved)
    return {"floor_here_s": floor, "lost": lost, "floor_t4_s": best, "t4_s": [best * lost, worst * lost]}


def streams(parts, batch, rate):
    """How many faces of `rate` frames a second calls of `batch` frames hold that take each of `parts` seconds, one after the other."""
    return batch / sum(parts) / rate
