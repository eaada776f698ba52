#!/usr/bin/env python3
"""Writes weights of the twins' widths in the forms in which the real ones are published, for tests of the export.

usage: twin_weights.py FOLDER

Random, with a fixed seed. Attention in the VAE is named and shaped as it was when sd-vae-ft-mse was published, and Whisper's file holds
a decoder, too: both are what weights.py and whisper.py must cope with.
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

import networks
import twins
from weights import FILES, RENAMED


def as_published(key, value):
    """A tensor of today's VAE by its name and shape of then."""
    for then, now in RENAMED.items():
        if ".attentions." in key and f".{now}." in key:
            return key.replace(f".{now}.", f".{then}."), value[:, :, None, None] if value.dim() == 2 else value
    return key, value


def write(folder):
    """Four files below `folder`, as `mouthpiece models fetch` puts them; name of the graph -> network they were taken from."""
    torch.manual_seed(3)
    made = {"unet": networks.unet, "vae_decoder": networks.vae, "tiny_decoder": networks.tiny_vae, "whisper": networks.whisper}
    nets = {name: twins.lively(build(networks.TWIN)) for name, build in made.items()}
    states = {name: {key: value.contiguous() for key, value in net.state_dict().items()} for name, net in nets.items()}
    for name in nets:
        (Path(folder) / FILES[name]).parent.mkdir(parents=True, exist_ok=True)
    torch.save(states["unet"], Path(folder) / FILES["unet"])
    old = dict(as_published(key, value) for key, value in states["vae_decoder"].items())
    save_file({key: value.contiguous() for key, value in old.items()}, Path(folder) / FILES["vae_decoder"])
    save_file(states["tiny_decoder"], Path(folder) / FILES["tiny_decoder"])
    checkpoint = {f"encoder.{key}": value for key, value in states["whisper"].items()} | {"decoder.ln.weight": torch.ones(2)}
    torch.save({"dims": {}, "model_state_dict": checkpoint}, Path(folder) / FILES["whisper"])
    return nets


if __name__ == "__main__":
    write(sys.argv[1])
