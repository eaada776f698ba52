"""The network: a causal dilated convolution stack, written so that it is trivial to port."""

import torch
import torch.nn.functional as F
from torch import nn

from features import BANDS
from phones import VISEMES

CHANNELS = 64
DILATIONS = (1, 2, 4, 8, 1, 2, 4)
LOOK_AHEAD = 4  # hops: output row t + 4 describes frame t


class Block(nn.Module):
    """h + proj(relu(conv(h))): the dilated convolution reaches 2 * dilation frames back."""

    def __init__(self, channels, dilation):
        super().__init__()
        self.reach = 2 * dilation
        self.conv = nn.Conv1d(channels, channels, 3, dilation=dilation)
        self.proj = nn.Conv1d(channels, channels, 1)

    def forward(self, h):
        return h + self.proj(F.relu(self.conv(F.pad(h, (self.reach, 0)))))


class VisemeNet(nn.Module):
    """Normalised features [B, 40, T] to logits [B, 15, T].

    The stack itself is causal; it is trained to answer LOOK_AHEAD hops late,
    and `forward` shifts its output back, so column t describes frame t. The
    last LOOK_AHEAD columns need features that are not there yet: it is fed
    the value that `after` gives for them (silence, in normalised units).
    """

    def __init__(self, channels=CHANNELS, dilations=DILATIONS):
        super().__init__()
        self.input = nn.Conv1d(BANDS, channels, 1)
        self.blocks = nn.ModuleList(Block(channels, d) for d in dilations)
        self.output = nn.Conv1d(channels, len(VISEMES), 1)

    def causal(self, x):
        """Logits as a stream would give them: column t sees features up to t, describes t - LOOK_AHEAD."""
        h = F.relu(self.input(x))
        for block in self.blocks:
            h = block(h)
        return self.output(h)

    def forward(self, x, after=None):
        if after is not None:
            x = torch.cat([x, after.view(1, -1, 1).expand(len(x), -1, LOOK_AHEAD)], 2)
            return self.causal(x)[:, :, LOOK_AHEAD:]
        return self.causal(x)[:, :, LOOK_AHEAD:]
