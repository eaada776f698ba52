"""Speech with phone times from free synthesizers; each source yields (samples, rate, segments).

A segment is (end in seconds, viseme). The engines know when they say each
phone, so the labels cost nothing; none of the audio is shipped except the
evaluation clip (see testset.py).
"""

import ctypes
import glob
import os
import subprocess
import tempfile

import numpy as np
import soundfile

from phones import ARPABET, INDEX, IPA, RUSSIAN, SIL, from_ipa

RUSSIAN_VOICE = "/usr/share/festival/voices/russian/msu_ru_nsh_clunits"
PLOSIVE = {INDEX["PP"], INDEX["DD"], INDEX["kk"], INDEX["CH"]}


def flite(text, voice, rng):
    """Flite, with its speed and (where the voice allows it) its pitch varied."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as out:
        command = ["flite", "-voice", voice, "-t", text, "-o", out.name, "-psdur"]
        if rng is not None:
            command += ["--setf", f"duration_stretch={rng.uniform(0.85, 1.2):.3f}"]
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        samples, rate = soundfile.read(out.name, dtype="float32")
    pairs = (item.rsplit(":", 1) for item in listing.split() if ":" in item)
    return samples, rate, [(float(end), ARPABET[phone]) for phone, end in pairs]


def festival(texts, voice, rng):
    """Festival speaks a whole list in one process; yields a triple, or None, for each text."""
    with tempfile.TemporaryDirectory() as folder:
        script = [f"(voice_{voice})"]
        for i, text in enumerate(texts):
            if rng is not None:
                script.append(f"(Parameter.set 'Duration_Stretch {rng.uniform(0.85, 1.2):.3f})")
            script.append('(set! u (SynthText "%s"))' % text.replace('"', ""))
            script.append(f'(utt.save.segs u "{folder}/{i}.seg")(utt.save.wave u "{folder}/{i}.wav")')
        with open(f"{folder}/all.scm", "w") as file:
            file.write("\n".join(script))
        subprocess.run(["festival", "-b", f"{folder}/all.scm"], capture_output=True)
        for i in range(len(texts)):
            try:
                samples, rate = soundfile.read(f"{folder}/{i}.wav", dtype="float32")
                yield samples, rate, _read_labels(f"{folder}/{i}.seg", ARPABET)
            except (OSError, soundfile.SoundFileError, KeyError):
                yield None


def russian_recordings():
    """The recordings that the festvox-ru voice was built from: a real speaker, labelled by its makers."""
    for path in sorted(glob.glob(f"{RUSSIAN_VOICE}/wav/*.wav")):
        samples, rate = soundfile.read(path, dtype="float32")
        name = os.path.basename(path)[:-4]
        try:
            yield samples, rate, _read_labels(f"{RUSSIAN_VOICE}/lab/{name}.lab", RUSSIAN)
        except KeyError:
            continue


def _read_labels(path, table):
    """An xlabel file: lines "end colour phone" after a lone #."""
    with open(path, errors="replace") as file:
        rows = [line.split() for line in file.read().split("#", 1)[1].splitlines()]
    return [(float(row[0]), table[row[2]]) for row in rows if len(row) >= 3]


class Hibari:
    """The Hibari network; its phone durations are an inner tensor, added here as an output.

    They come in steps of 25 ms and run about 50 ms late: align.py sharpens them.
    """

    LATE = 0.05

    def __init__(self):
        import hibari
        import onnx
        import onnxruntime
        from hibari.tts import Hibari as Engine
        model = onnx.load(os.path.join(os.path.dirname(hibari.__file__), "assets", "hibari.onnx"))
        total = next(node for node in model.graph.node if node.op_type == "CumSum").output[0]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        for kind in (onnx.TensorProto.FLOAT, onnx.TensorProto.INT64):
            trial = onnx.ModelProto()
            trial.CopyFrom(model)
            trial.graph.output.append(onnx.helper.make_tensor_value_info(total, kind, None))
            try:
                self.session = onnxruntime.InferenceSession(trial.SerializeToString(), options)
                break
            except Exception:  # onnxruntime says which type it is only by refusing the other
                continue
        self.engine = Engine()

    def __call__(self, text, rng):
        from hibari import dsp
        audio, segments, offset = [], [], 0.0
        for phones in self.engine.phonemize(text):
            symbols = ["_", *[c for c in phones if c in self.engine.vocab], "_"]
            out = self.session.run(None, {"ids": np.array([self.engine.ids(phones)], np.int64),
                                          "speed": np.array([rng.uniform(0.8, 1.25)], np.float32)})
            samples = dsp.synth(*(o[0] for o in out[:6]), np.random.default_rng(rng.randrange(1 << 30)))
            ends = out[-1].ravel() * 600 / 24000
            for symbol, end in zip(symbols, ends):
                if symbol in "ˈˌ":  # stands before its vowel, and its time belongs to the vowel
                    continue
                viseme = segments[-1][1] if symbol == "ː" else IPA.get(symbol, SIL)
                segments.append((offset + float(end) - self.LATE, viseme))
            audio.append(samples)
            offset += len(samples) / 24000
        return np.concatenate(audio), 24000, segments


class Espeak:
    """espeak-ng by its C library, which reports each phone as it reaches it."""

    class Event(ctypes.Structure):
        _fields_ = [("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text", ctypes.c_int),
                    ("length", ctypes.c_int), ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int),
                    ("user", ctypes.c_void_p), ("name", ctypes.c_char * 8)]

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(2, 0, None, 3)  # synchronous; phone events in IPA
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int,
                                ctypes.POINTER(self.Event))
        self.callback = kind(self._receive)
        self.library.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples, count, events):
        i = 0
        while events[i].type:
            if events[i].type == 7:
                self.events.append((events[i].milliseconds / 1000, bytes(events[i].name).decode("utf8", "ignore")))
            i += 1
        if count > 0:
            self.audio.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    def __call__(self, text, voice, rng):
        self.events, self.audio = [], []
        self.library.espeak_SetVoiceByName(voice.encode())
        for parameter, value in ((1, rng.randint(130, 200)), (3, rng.randint(25, 75)), (4, rng.randint(30, 80))):
            self.library.espeak_SetParameter(parameter, value, 0)  # rate, pitch, pitch range
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, 1, None, None)
        samples = np.concatenate(self.audio).astype(np.float32) / 32768
        ends = [time for time, _ in self.events[1:]] + [len(samples) / self.rate]
        segments = [(self.events[0][0], SIL)]
        for (_, name), end in zip(self.events, ends):
            viseme = from_ipa(name) if name.strip("_:") else SIL
            segments.append((end, segments[-1][1] if viseme is None else viseme))
        return samples, self.rate, _claim_closures(samples, self.rate, segments)


def _claim_closures(samples, rate, segments):
    """espeak-ng counts the silent closure of a plosive to the phone before it: give it back."""
    step = int(rate * 0.005)
    frames = samples[:len(samples) // step * step].reshape(-1, step)
    level = np.sqrt((frames ** 2).mean(1))
    quiet = level < 0.05 * np.quantile(level, 0.95)
    fixed = list(segments)
    for i in range(1, len(fixed)):
        if fixed[i][1] not in PLOSIVE or fixed[i - 1][1] in PLOSIVE or fixed[i - 1][1] == SIL:
            continue
        start = fixed[i - 2][0] if i > 1 else 0.0
        end = min(int(fixed[i - 1][0] / 0.005), len(quiet))
        frame = next((f for f in range(min(end + 3, len(quiet)), max(end - 6, 0), -1) if quiet[f - 1]), end)
        while frame > 0 and quiet[frame - 1] and frame * 0.005 > start + 0.03 and end - frame < 24:
            frame -= 1
        fixed[i - 1] = (min(fixed[i - 1][0], frame * 0.005), fixed[i - 1][1])
    return fixed
