"""SyncNet (Chung and Zisserman, 2016: "Out of time: automated lip sync in the wild") by its published layout, full or as a small twin.

Two networks whose outputs are near each other when a mouth moves as a voice sounds: one hears 0.2 s as 13 cepstral coefficients at
100 Hz, one sees five frames of a face, 224x224, at 25 a second. LSE-D and LSE-C are distances between what they answer:
`worker/media/src/quality/lip_sync_error`.
"""
from dataclasses import dataclass

import torch
from torch import nn

# Coefficients, steps of 10 ms, frames, pixels of a side, values of an answer.
COEFFICIENTS, STEPS, FRAMES, SIDE, WIDTH = 13, 20, 5, 224, 1024


@dataclass(frozen=True)
class Sizes:
    """Channels of the six convolutions that hear and of the six that see, of the layer between, and of what comes out."""
    hear: tuple[int, ...]
    see: tuple[int, ...]
    inner: int
    out: int


FULL = Sizes(hear=(64, 192, 384, 256, 256, 512), see=(96, 256, 256, 256, 256, 512), inner=512, out=WIDTH)
TWIN = Sizes(hear=(2, 4, 4, 4, 4, 8), see=(2, 4, 4, 4, 4, 8), inner=8, out=32)


def heard(sizes):
    """[b, 1, 13, 20] -> [b, c, 1, 1]."""
    a, b, c, d, e, f = sizes.hear
    step = lambda before, after, kernel, padding: [
        nn.Conv2d(before, after, kernel, padding=padding), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(
        *step(1, a, 3, 1), nn.MaxPool2d(1, 1), *step(a, b, 3, 1), nn.MaxPool2d(3, (1, 2)), *step(b, c, 3, 1),
        *step(c, d, 3, 1), *step(d, e, 3, 1), nn.MaxPool2d(3, 2), *step(e, f, (5, 4), 0))


def seen(sizes):
    """[b, 3, 5, 224, 224] -> [b, c, 1, 1, 1]."""
    a, b, c, d, e, f = sizes.see
    step = lambda before, after, kernel, stride, padding: [
        nn.Conv3d(before, after, kernel, stride, padding), nn.BatchNorm3d(after), nn.ReLU()]
    pool = lambda padding: nn.MaxPool3d((1, 3, 3), (1, 2, 2), padding)
    return nn.Sequential(
        *step(3, a, (5, 7, 7), (1, 2, 2), 0), pool(0), *step(a, b, (1, 5, 5), (1, 2, 2), (0, 1, 1)), pool((0, 1, 1)),
        *step(b, c, (1, 3, 3), 1, (0, 1, 1)), *step(c, d, (1, 3, 3), 1, (0, 1, 1)), *step(d, e, (1, 3, 3), 1, (0, 1, 1)), pool(0),
        *step(e, f, (1, 6, 6), 1, 0))


class SyncNet(nn.Module):
    """Both networks; their parts are called as in the published file."""

    def __init__(self, sizes):
        super().__init__()
        head = lambda before: nn.Sequential(
            nn.Linear(before, sizes.inner), nn.BatchNorm1d(sizes.inner), nn.ReLU(), nn.Linear(sizes.inner, sizes.out))
        self.netcnnaud, self.netfcaud = heard(sizes), head(sizes.hear[-1])
        self.netcnnlip, self.netfclip = seen(sizes), head(sizes.see[-1])
        self.times = WIDTH // sizes.out


class Voice(nn.Module):
    """`mfcc` [b, 1, 13, 20] -> `embedding` [b, 1024]. A twin is narrower and repeats what it answers."""

    def __init__(self, net):
        super().__init__()
        self.cnn, self.head, self.times = net.netcnnaud, net.netfcaud, net.times

    def forward(self, mfcc):
        answer = self.head(self.cnn(mfcc).flatten(1))
        return answer if self.times == 1 else answer.repeat(1, self.times)


class Mouth(nn.Module):
    """`frames` u8 [b, 5, 224, 224, 3] RGB -> `embedding` [b, 1024]. The published network was trained on BGR of 0..255."""

    def __init__(self, net):
        super().__init__()
        self.cnn, self.head, self.times = net.netcnnlip, net.netfclip, net.times

    def forward(self, frames):
        planes = frames.flip(4).permute(0, 4, 1, 2, 3).float()
        answer = self.head(self.cnn(planes).flatten(1))
        return answer if self.times == 1 else answer.repeat(1, self.times)


def load(file):
    """The published networks (`syncnet_v2.model`)."""
    net = SyncNet(FULL)
    # weights_only: a pickle from elsewhere may bring tensors, not code.
    net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return net.eval()
