"""Whisper's log-mel spectrum: the formula that the worker's Rust follows, and what it is compared with."""
import numpy as np

RATE, WINDOW, HOP, BANDS = 16_000, 400, 160, 80


def filterbank():
    """Slaney's mel filters, [80, 201]: triangles of equal area between 0 and 8,000 Hz."""
    def hertz(mel):
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    highest = 15 + 27 * np.log(8) / np.log(6.4)
    edges = hertz(np.linspace(0, highest, BANDS + 2))
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rise = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rise, fall)) * 2 / (edges[2:] - edges[:-2])[:, None]


def log_mel(samples):
    """[80, floor(N / 160)] of N samples: mirrored at both ends, clipped 8 (80 dB) under the loudest value of all."""
    samples = np.asarray(samples, np.float64)
    padded = np.pad(samples, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:len(samples) // HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.rfft(frames * hann)) ** 2
    log = np.log10(np.maximum(filterbank() @ power.T, 1e-10))
    return ((np.maximum(log, log.max() - 8) + 4) / 4).astype(np.float32)
