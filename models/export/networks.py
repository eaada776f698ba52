"""The four networks of MuseTalk 1.5 by their published layouts, at full size or as small twins.

A twin has the same inputs, outputs and operators in the same order as its network; only what nobody outside sees is narrower.
"""
from dataclasses import dataclass

from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel

from whisper import WIDTH, Encoder

# What the Stable Diffusion VAE's latents are multiplied by to have a deviation of one.
LATENT_SCALE = 0.18215
# Pixels of a face crop's side, of a latent's side, and a frame's audio features.
SIDE, LATENT_SIDE, CLIP = 256, 32, 50


@dataclass(frozen=True)
class Sizes:
    """Channels of each stage (what is equal in one is equal in the other), and groups of the normalisations."""
    unet: tuple[int, ...]
    vae: tuple[int, ...]
    tiny: int
    groups: int
    heads: int
    whisper: dict


FULL = Sizes(unet=(320, 640, 1280, 1280), vae=(128, 256, 512, 512), tiny=64, groups=32, heads=8, whisper={})
TWIN = Sizes(unet=(4, 8, 16, 16), vae=(2, 4, 8, 8), tiny=4, groups=2, heads=2,
             whisper={"width": 24, "heads": 2, "inner": 8, "wide": 16})


def unet(sizes):
    """[b, 8, 32, 32] latents and [b, 50, 384] sound -> [b, 4, 32, 32]; the layout of Stable Diffusion 1.4."""
    return UNet2DConditionModel(
        sample_size=64, in_channels=8, out_channels=4, center_input_sample=False, flip_sin_to_cos=True, freq_shift=0,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        block_out_channels=sizes.unet, layers_per_block=2, downsample_padding=1, mid_block_scale_factor=1, act_fn="silu",
        norm_num_groups=sizes.groups, norm_eps=1e-5, cross_attention_dim=WIDTH, attention_head_dim=sizes.heads).eval()


def vae(sizes):
    """[b, 3, 256, 256] <-> [b, 4, 32, 32]; the layout of sd-vae-ft-mse."""
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=SIDE, act_fn="silu", layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=sizes.vae, norm_num_groups=sizes.groups).eval()


def tiny_vae(sizes):
    """The same as `vae`, an eighteenth of its decoder's work; the layout of TAESD."""
    return AutoencoderTiny(encoder_block_out_channels=(sizes.tiny,) * 4, decoder_block_out_channels=(sizes.tiny,) * 4).eval()


def whisper(sizes):
    """[b, 80, T] log-mel -> [b, T / 2, 5, 384]; the layout of Whisper tiny."""
    return Encoder(**sizes.whisper).eval()
