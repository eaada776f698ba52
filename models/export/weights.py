"""Published weights into the networks. Files lie where `mouthpiece models fetch` puts them."""
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

import networks
import whisper

# How attention was called in Diffusers when sd-vae-ft-mse was published, and how it is called now.
RENAMED = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
FILES = {
    "unet": "musetalk-1.5/unet.pth",
    "vae_decoder": "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
    "vae_encoder": "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
    "tiny_decoder": "taesd/diffusion_pytorch_model.safetensors",
    "whisper": "whisper/tiny.pt",
}


class NotTheWeights(ValueError):
    """A file that does not hold what it should."""


def there(file):
    """The path of a file that must be there."""
    if not Path(file).is_file():
        raise NotTheWeights(f"{file} is missing: mouthpiece models fetch")
    return Path(file)


def load(name, file, sizes=networks.FULL):
    """The network of graph `name` with the weights in `file`, in 32 bits.

    Raises NotTheWeights when the file is missing, damaged, or of another network.
    """
    file = there(file)
    try:
        if name == "whisper":
            # CTranslate2's form serves tests: in it a Python package carries real weights of tiny.en (see streaming.py).
            return whisper.from_ctranslate2(file) if file.suffix == ".bin" else whisper.from_openai(file, **sizes.whisper)
        net = {"unet": networks.unet, "tiny_decoder": networks.tiny_vae}.get(name, networks.vae)(sizes)
        # weights_only: a pickle from elsewhere may bring tensors, not code.
        states = load_file(file) if file.suffix == ".safetensors" else torch.load(file, map_location="cpu", weights_only=True)
        net.load_state_dict({renamed(key): shaped(key, value) for key, value in states.items()})
    except (RuntimeError, SafetensorError, pickle.UnpicklingError, KeyError, EOFError) as e:
        told = " ".join(str(e).split())
        raise NotTheWeights(f"{file} does not hold the weights of {name} ({told[:200]}): mouthpiece models verify") from e
    return net.float().eval()


def renamed(key):
    before, _, part = key.rpartition(".")
    head, _, name = before.rpartition(".")
    return f"{head}.{RENAMED[name]}.{part}" if name in RENAMED and ".attentions." in before else key


def shaped(key, value):
    """The old attention's weights were 1x1 convolutions."""
    name = key.split(".")[-2]
    return value[:, :, 0, 0] if name in RENAMED and value.dim() == 4 else value
