"""Random speech for training: clips joined with gaps, then rooms, microphones, noise, levels and throats.

A handful of speakers is not many. Resampled copies move pitch and
formants together, a warped filterbank moves formants alone, and equalisers,
rooms and noise stop the network from learning an engine's recording chain.
"""

import numpy as np
import scipy.signal
import torch

from features import FFT, FLOOR, HANN, HOP, LEVEL, RATE, WINDOW, mel_filterbank
from phones import SIL

WARPS = 64  # random throats; the first is nobody's in particular


def random_throat(rng):
    """A filterbank whose frequency axis is stretched, and bent a little: each formant moves by itself."""
    bend, phase, waves = rng.uniform(0, 0.05), rng.uniform(0, 6.28), rng.uniform(0.7, 2.2)
    return mel_filterbank(rng.uniform(0.86, 1.18) * (1 + bend * np.sin(phase + waves * np.linspace(0, 6.28, 42))))


def resampled(samples, labels, factor):
    """The clip played `factor` times as fast: pitch and formants move with it."""
    down = int(round(100 * factor))
    out = scipy.signal.resample_poly(samples.astype(np.float32), 100, down).astype(np.float32)
    frames = len(out) // HOP
    index = np.minimum(((np.arange(frames) + 0.5) * down / 100).astype(int), len(labels) - 1)
    return np.clip(out[:frames * HOP], -32768, 32767).astype(np.int16), labels[index]


class Mixer:
    """Batches of augmented features [B, 40, T] (log-mel, not normalised) and labels [B, T]."""

    def __init__(self, clips, weights, rng, copies=2, frames=300):
        self.rng, self.frames, self.by_voice = rng, frames, {}
        for voice, _, samples, labels in clips:
            group = self.by_voice.setdefault(voice, [])
            group.append((samples, labels))
            for i in range(copies):
                factor = rng.uniform(1.04, 1.22) if i % 2 else rng.uniform(0.82, 0.96)
                group.append(resampled(samples, labels, factor))
        self.voices = list(self.by_voice)
        odds = np.array([weights.get(v, 1.0) for v in self.voices])
        self.odds = odds / odds.sum()
        self.banks = torch.from_numpy(np.stack([mel_filterbank()] + [random_throat(rng) for _ in range(WARPS - 1)]))
        self.window = torch.from_numpy(HANN)

    def _row(self):
        """About one or two clips with digital silence between some of them."""
        rng, total = self.rng, self.frames
        samples, labels, at = np.zeros(total * HOP, np.float32), np.full(total, SIL, np.int64), 0
        if rng.random() < 0.03:
            return samples, labels  # a row of nothing: with noise added, a row of room
        voice = self.voices[rng.choice(len(self.voices), p=self.odds)]
        while at < total:
            if rng.random() < 0.25:
                at += int(rng.integers(10, 120))
            group = self.by_voice[voice]
            wave, label = group[rng.integers(len(group))]
            start = int(rng.integers(0, max(1, len(label) - 60))) if at == 0 else 0
            count = min(total - at, len(label) - start)
            if count <= 0:
                break
            samples[at * HOP:(at + count) * HOP] = wave[start * HOP:(start + count) * HOP] / 32768.0
            labels[at:at + count] = label[start:start + count]
            at += count
        return samples, labels

    def _chain(self, bins, length):
        """Frequency response of a random microphone and room."""
        rng = self.rng
        hz = np.linspace(0, RATE / 2, bins)
        octave = np.log2(np.maximum(hz, 40) / 40)
        knots = np.linspace(0, 7.7, 7)
        strength = rng.choice([0.0, 2.0, 4.0], p=[0.25, 0.4, 0.35])
        db = np.interp(octave, knots, rng.normal(0, strength, 7)) + rng.uniform(-1.5, 1.5) * (octave - 4)
        if rng.random() < 0.2:  # telephone or codec
            db -= 30 * np.clip((hz - rng.uniform(3200, 7200)) / 400, 0, 1.5)
        if rng.random() < 0.2:  # small loudspeaker, microphone's low cut
            db -= 12 * np.clip(np.log2(rng.uniform(80, 300) / np.maximum(hz, 10)), 0, 4)
        response = (10 ** (db / 20)).astype(np.complex64)
        if rng.random() < 0.35:
            n = int(RATE * rng.uniform(0.12, 0.5))
            tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
            tail[:int(rng.uniform(0.002, 0.015) * RATE)] = 0
            tail *= 10 ** (rng.uniform(-18, -3) / 20) / np.sqrt((tail ** 2).sum())
            tail[0] = 1.0  # the direct sound
            response = response * np.fft.rfft(tail, length)
        return response

    def _noise(self, count, size):
        """Noise of unit power with spectra from white to brown; some rows are other people."""
        rng = self.rng
        spectrum = torch.fft.rfft(torch.from_numpy(rng.standard_normal((count, size)).astype(np.float32)))
        slope = rng.choice([0.0, 1.0, -1.0], count, p=[0.3, 0.3, 0.4])
        slope = np.where(slope < 0, rng.uniform(0, 2, count), slope)[:, None]
        hz = np.maximum(np.linspace(0, RATE / 2, spectrum.shape[1]), 20)[None]
        shape = (hz / 1000) ** (-slope / 2) * np.exp(np.stack(
            [np.interp(np.log(hz[0]), np.linspace(3, 9, 6), rng.normal(0, 0.5, 6)) for _ in range(count)]))
        noise = torch.fft.irfft(spectrum * torch.from_numpy(shape.astype(np.float32)), size)
        return noise / noise.pow(2).mean(1, keepdim=True).sqrt()

    def batch(self, count):
        rng, size = self.rng, self.frames * HOP
        rows = [self._row() for _ in range(count)]
        wave = torch.from_numpy(np.stack([r[0] for r in rows]))
        labels = torch.from_numpy(np.stack([r[1] for r in rows]))
        length = 1 << (size + RATE // 2 - 1).bit_length()
        chains = np.stack([self._chain(length // 2 + 1, length) for _ in range(count)])
        response = torch.from_numpy(chains.astype(np.complex64))
        speech = (labels != SIL).repeat_interleave(HOP, 1)
        power = lambda w: ((w * speech) ** 2).sum(1) / speech.sum(1).clamp(min=1)
        before = power(wave)
        wave = torch.fft.irfft(torch.fft.rfft(wave, length) * response, length)[:, :size]
        wave = wave * (before / power(wave).clamp(min=1e-9)).sqrt()[:, None]
        snr = rng.uniform(8, 45, count)
        level = np.where(rng.random(count) < 0.75, LEVEL * 10 ** (-snr / 20), 0.0)
        wave = wave + self._noise(count, size) * torch.from_numpy(level.astype(np.float32))[:, None]
        wave = wave * torch.from_numpy((10 ** (rng.uniform(-8, 8, count) / 20)).astype(np.float32))[:, None]
        frames = torch.nn.functional.pad(wave, (WINDOW - HOP, 0)).unfold(1, WINDOW, HOP) * self.window
        spectrum = torch.fft.rfft(frames, FFT)
        power = spectrum.real ** 2 + spectrum.imag ** 2
        pick = np.where(rng.random(count) < 0.8, rng.integers(1, WARPS, count), 0)
        mel = torch.bmm(power, self.banks[torch.from_numpy(pick)].transpose(1, 2))
        return torch.log(mel + FLOOR).transpose(1, 2), labels
