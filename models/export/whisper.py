"""Whisper's audio encoder, with all its hidden states, and the ways in which its weights are published.

The published encoder returns its last state; MuseTalk was trained on all five of `tiny`: what goes into each of the four layers,
and the normalised output of the last.
"""
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

# Hidden states of `tiny`, and their width.
STATES, WIDTH = 5, 384
BANDS = 80


class Attention(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.query, self.value = nn.Linear(width, inner), nn.Linear(width, inner)
        self.key = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width)

    def forward(self, x):
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def split(self, x):
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Layer(nn.Module):
    def __init__(self, width, heads, inner, wide):
        super().__init__()
        self.attn_ln, self.attn = nn.LayerNorm(width), Attention(width, heads, inner)
        self.mlp_ln = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, wide), nn.GELU(), nn.Linear(wide, width))

    def forward(self, x):
        x = x + self.attn(self.attn_ln(x))
        return x + self.mlp(self.mlp_ln(x))


class Encoder(nn.Module):
    """`mel` [batch, 80, T] (T even, at most 3000) -> [batch, T / 2, 5, width]. Parameters are named as OpenAI names them.

    `inner` and `wide` are the widths inside attention and feed-forward: those of `tiny` by default.
    """

    def __init__(self, width=WIDTH, heads=6, inner=WIDTH, wide=1536, layers=STATES - 1, positions=1500):
        super().__init__()
        self.conv1 = nn.Conv1d(BANDS, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", sinusoids(positions, width))
        self.blocks = nn.ModuleList(Layer(width, heads, inner, wide) for _ in range(layers))
        self.ln_post = nn.LayerNorm(width)

    def forward(self, mel, firsts=None):
        """`firsts` [batch]: the position of each window's first output; 0 where it is not given."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        if firsts is None:
            x = x + self.positional_embedding[:x.shape[1]]
        else:
            x = x + self.positional_embedding[firsts[:, None] + torch.arange(x.shape[1])]
        states = []
        for block in self.blocks:
            states.append(x)
            x = block(x)
        return torch.stack([*states, self.ln_post(x)], 2)


def sinusoids(length, width):
    """Whisper's positions: sines, then cosines."""
    rate = torch.exp(-np.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angle = torch.arange(length)[:, None] * rate[None, :]
    return torch.cat([angle.sin(), angle.cos()], 1)


def from_openai(file, **sizes):
    """The encoder of a checkpoint that OpenAI publishes (`tiny.pt`); `sizes` as [`Encoder`] takes them."""
    states = torch.load(file, map_location="cpu", weights_only=True)["model_state_dict"]
    net = Encoder(**sizes)
    net.load_state_dict({name.removeprefix("encoder."): value.float() for name, value in states.items()
                         if name.startswith("encoder.")})
    return net.eval()


def from_ctranslate2(file):
    """The encoder of a CTranslate2 model (`model.bin`, 16 or 32-bit floats)."""
    named = read_ctranslate2(file)
    tensor = lambda name: torch.from_numpy(named[name].astype(np.float32))
    states = {"positional_embedding": tensor("encoder/position_encodings/encodings")}
    for conv in ("conv1", "conv2"):
        for part in ("weight", "bias"):
            states[f"{conv}.{part}"] = tensor(f"encoder/{conv}/{part}")

    def norm(theirs, ours):
        states[f"{ours}.weight"], states[f"{ours}.bias"] = tensor(f"{theirs}/gamma"), tensor(f"{theirs}/beta")

    norm("encoder/layer_norm", "ln_post")
    for i in range(STATES - 1):
        theirs, ours = f"encoder/layer_{i}", f"blocks.{i}"
        norm(f"{theirs}/self_attention/layer_norm", f"{ours}.attn_ln")
        norm(f"{theirs}/ffn/layer_norm", f"{ours}.mlp_ln")
        for part in ("weight", "bias"):
            # Query, key and value lie in one matrix; Whisper's keys have no bias.
            joined = tensor(f"{theirs}/self_attention/linear_0/{part}").chunk(3)
            for name, value in zip(("query", "key", "value"), joined):
                if (name, part) != ("key", "bias"):
                    states[f"{ours}.attn.{name}.{part}"] = value
            states[f"{ours}.attn.out.{part}"] = tensor(f"{theirs}/self_attention/linear_1/{part}")
            states[f"{ours}.mlp.0.{part}"] = tensor(f"{theirs}/ffn/linear_0/{part}")
            states[f"{ours}.mlp.2.{part}"] = tensor(f"{theirs}/ffn/linear_1/{part}")
    net = Encoder()
    net.load_state_dict(states)
    return net.eval()


def read_ctranslate2(file):
    """All float tensors of a CTranslate2 model by name."""
    with open(file, "rb") as f:
        take = lambda form: struct.unpack("<" + form, f.read(struct.calcsize("<" + form)))
        text = lambda: f.read(take("H")[0])[:-1].decode()
        take("I"), text(), take("I")
        kinds, found = {0: np.float32, 4: np.float16}, {}
        for _ in range(take("I")[0]):
            name, rank = text(), take("B")[0]
            shape, (kind, size) = take(f"{rank}I"), take("BI")
            data = f.read(size)
            if kind in kinds:
                found[name] = np.frombuffer(data, kinds[kind]).reshape(shape)
        return found
