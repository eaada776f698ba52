"""Log-mel features of 16 kHz speech: the contract that the Rust port follows.

Frame t covers samples [160 t, 160 (t + 1)). Its window is the 400 samples that
END at 160 (t + 1), with zeros before the start of the sound, times a symmetric
Hann window w[n] = 0.5 - 0.5 cos(2 pi n / 399). Power spectrum of the window in
a 512-point real FFT (zeros after the window), 40 triangular mel filters,
log(x + 1e-6). The stored filterbank, not the formula here, is authoritative.
"""

import numpy as np

RATE, HOP, WINDOW, FFT, BANDS = 16000, 160, 400, 512, 40
LOW_HZ, HIGH_HZ, FLOOR = 60.0, 7600.0, 1e-6
LEVEL = 0.09  # active RMS that speech is brought to before the features
HANN = np.hanning(WINDOW).astype(np.float32)


def mel_filterbank(warp=1.0):
    """[40, 257] triangles, linear in frequency, corners equally spaced in mel.

    `warp` (a number, or one for each of the 42 corners) multiplies the corner
    frequencies: > 1 reads a spectrum as if the vocal tract were longer. Used for augmentation only.
    """
    mel = lambda hz: 2595.0 * np.log10(1.0 + hz / 700.0)
    corners = 700.0 * (10.0 ** (np.linspace(mel(LOW_HZ), mel(HIGH_HZ), BANDS + 2) / 2595.0) - 1.0) * warp
    bins = np.arange(FFT // 2 + 1) * (RATE / FFT)
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(samples, mel=None):
    """[T, 40] unnormalised features of a mono float signal, T = len // 160."""
    mel = mel_filterbank() if mel is None else mel
    frames = len(samples) // HOP
    padded = np.concatenate([np.zeros(WINDOW - HOP, np.float32), samples.astype(np.float32)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames]
    power = np.abs(np.fft.rfft(windows * HANN, FFT)) ** 2
    return np.log(power.astype(np.float32) @ mel.T + FLOOR).astype(np.float32)


def active_rms(samples):
    """RMS over the frames within 20 dB of the loud ones (95th percentile)."""
    frames = samples[:len(samples) // HOP * HOP].reshape(-1, HOP).astype(np.float64)
    power = (frames ** 2).mean(1)
    return float(np.sqrt(power[power >= 0.01 * np.quantile(power, 0.95)].mean()))


def to_level(samples):
    """The signal scaled to the level that the network expects."""
    return (samples * (LEVEL / max(active_rms(samples), 1e-9))).astype(np.float32)
