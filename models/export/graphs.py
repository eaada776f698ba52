"""The graphs that the worker runs: networks with what goes before and after folded in.

| graph | in | out |
|---|---|---|
| `unet` | `latents` f32 [b, 8, 32, 32], `sound` f32 [b, 50, 384] | `mouth` [b, 4, 32, 32], in the graph's own precision |
| `vae_decoder`, `tiny_decoder` | `mouth` [b, 4, 32, 32], likewise | `picture` u8 [b, 256, 256, 3], RGB |
| `vae_encoder` | `picture` u8 [b, 256, 256, 3], RGB | `latents` f32 [b, 8, 32, 32] |
| `whisper` | `mel` f32 [b, 80, T] | `features` f32 [b, T / 2, 5, 384] |

What a host touches is 32-bit floats or bytes whatever the precision inside; `mouth` goes from one graph to the next on the device.
`b` is named `batch` and free: who loads a graph fixes it (profiles of 1, 2, 4 and 8), with one file of weights for all.
"""
import math

import torch
from torch import nn

import networks
from networks import CLIP, LATENT_SCALE, LATENT_SIDE, SIDE
from whisper import BANDS, WIDTH


class Generator(nn.Module):
    """One step of the UNet. Timestep 0 and the positions of the sound's features are constants of it."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.register_buffer("positions", interleaved_sinusoids(CLIP, WIDTH), persistent=False)

    def forward(self, latents, sound):
        kind = self.positions.dtype
        step = torch.zeros(1, dtype=torch.int64, device=latents.device)
        return self.net(latents.to(kind), step, sound.to(kind) + self.positions, return_dict=False)[0]


class Decoder(nn.Module):
    """The VAE's decoder, down to pixels as they lie in a frame."""

    def __init__(self, net):
        super().__init__()
        self.before, self.net = net.post_quant_conv, net.decoder

    def forward(self, mouth):
        return to_bytes(self.net(self.before(mouth / LATENT_SCALE)) / 2 + 0.5)


class TinyDecoder(nn.Module):
    """TAESD's decoder takes scaled latents as they are and answers between -1 and 1."""

    def __init__(self, net):
        super().__init__()
        self.net = net.decoder

    def forward(self, mouth):
        return to_bytes(self.net(mouth) / 2 + 0.5)


class FaceEncoder(nn.Module):
    """Latents of the face with its lower half black, then of the whole face: the UNet's input, made once a reference frame."""

    def __init__(self, net):
        super().__init__()
        self.net, self.after = net.encoder, net.quant_conv
        upper = torch.ones(1, 1, SIDE, 1)
        upper[:, :, SIDE // 2:] = 0
        self.register_buffer("upper", upper, persistent=False)

    def forward(self, picture):
        whole = picture.to(self.upper.dtype).permute(0, 3, 1, 2) / 255
        return torch.cat([self.latents(whole * self.upper), self.latents(whole)], 1).float()

    def latents(self, picture):
        # The mean of the four channels' distributions: the original draws from them, which is noise of their small deviation.
        return self.after(self.net(picture * 2 - 1))[:, :4] * LATENT_SCALE


class Listener(nn.Module):
    """Whisper's encoder. A twin is narrower inside and repeats its states to their width."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.times = WIDTH // net.ln_post.normalized_shape[0]

    def forward(self, mel):
        states = self.net(mel.to(self.net.conv1.weight.dtype)).float()
        return states if self.times == 1 else states.repeat(1, 1, 1, self.times)


def to_bytes(picture):
    """[b, 3, h, w] of 0..1, clipped, to u8 [b, h, w, 3]."""
    return (picture.clamp(0, 1) * 255).round().permute(0, 2, 3, 1).to(torch.uint8)


def interleaved_sinusoids(length, width):
    """MuseTalk's positions: sine and cosine in turn."""
    angle = torch.arange(length)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10_000) / width))
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)


def mouth(batch):
    return torch.randn(batch, 4, LATENT_SIDE, LATENT_SIDE)


def picture(batch):
    """Smooth pictures with some noise, as faces are: bytes."""
    y, x = torch.meshgrid(torch.linspace(0, 6, SIDE), torch.linspace(0, 6, SIDE), indexing="ij")
    waves = torch.stack([torch.sin(x + phase) * torch.cos(y - phase) for phase in (0.0, 0.7, 1.9)], 2)
    noise = torch.randn(batch, SIDE, SIDE, 3)
    return (waves * 90 + 128 + 8 * noise).clamp(0, 255).to(torch.uint8)


class Graph:
    """How a graph is made, named and tried."""

    def __init__(self, module, net, outputs, inputs, axes):
        self.module, self.net, self.outputs = module, net, outputs
        self.inputs = inputs      # name -> example of a batch
        self.axes = axes          # name -> names of its free dimensions

    def build(self, sizes):
        """With random weights, 32-bit."""
        return self.module(self.net(sizes)).eval()

    def examples(self, batch, kind):
        """Inputs, those between graphs in the graphs' precision."""
        made = {name: make(batch) for name, make in self.inputs.items()}
        return {name: value.to(kind) if name == "mouth" else value for name, value in made.items()}


FREE = {0: "batch"}
GRAPHS = {
    "unet": Graph(Generator, networks.unet, ["mouth"],
                  {"latents": lambda b: torch.randn(b, 8, LATENT_SIDE, LATENT_SIDE), "sound": lambda b: torch.randn(b, CLIP, WIDTH)},
                  {"latents": FREE, "sound": FREE, "mouth": FREE}),
    "vae_decoder": Graph(Decoder, networks.vae, ["picture"], {"mouth": mouth}, {"mouth": FREE, "picture": FREE}),
    "tiny_decoder": Graph(TinyDecoder, networks.tiny_vae, ["picture"], {"mouth": mouth}, {"mouth": FREE, "picture": FREE}),
    "vae_encoder": Graph(FaceEncoder, networks.vae, ["latents"], {"picture": picture}, {"picture": FREE, "latents": FREE}),
    "whisper": Graph(Listener, networks.whisper, ["features"], {"mel": lambda b: torch.rand(b, BANDS, 200) * 2 - 1},
                     {"mel": {0: "batch", 2: "frames"}, "features": {0: "batch", 1: "moments"}}),
}
