"""Inception v3 (Szegedy et al., 2015) as it is used for the Frechet inception distance (Heusel et al., 2017), full or as a small twin.

The weights of 2015 that the distance was defined with came from TensorFlow, whose network differs in two places from the one that is
common in PyTorch: means at an edge leave out what lies outside, and the last block takes a maximum where the others take a mean.
Parts are called as in the published file, `pt_inception-2015-12-05-6726825d.pth`.
"""
import torch
import torch.nn.functional as F
from torch import nn

# Pixels of a side, values of an answer.
SIDE, WIDTH = 299, 2048


class Conv(nn.Module):
    def __init__(self, before, after, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Branches(nn.Module):
    """Chains of convolutions beside one another, by name, and at last one behind a pool."""

    def __init__(self, before, chains, pool):
        """`chains`: a list for each of (name, channels, kernel, stride, padding); a name in a list of its own forks."""
        super().__init__()
        self.order, self.width, self.pool = [], 0, pool
        for chain in chains:
            names, channels = [], before
            for step in chain:
                forks = step if isinstance(step, list) else [step]
                for name, after, kernel, stride, padding in forks:
                    self.add_module(name, Conv(channels, after, kernel, stride, padding))
                names.append([name for name, *_ in forks])
                channels = sum(after for _, after, *_ in forks)
            self.order.append(names)
            self.width += channels
        if pool is max_pool_2:
            self.width += before

    def forward(self, x):
        answers = []
        for nth, names in enumerate(self.order):
            pooled = self.pool is not max_pool_2 and nth == len(self.order) - 1
            y = self.pool(x) if pooled else x
            for forks in names:
                parts = [self.get_submodule(name)(y) for name in forks]
                y = parts[0] if len(parts) == 1 else torch.cat(parts, 1)
            answers.append(y)
        if self.pool is max_pool_2:
            answers.append(self.pool(x))
        return torch.cat(answers, 1)


def mean_pool(x):
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def max_pool(x):
    return F.max_pool2d(x, 3, 1, 1)


def max_pool_2(x):
    return F.max_pool2d(x, 3, 2)


def block_a(before, of_pool, c):
    return Branches(before, [
        [("branch1x1", c(64), 1, 1, 0)],
        [("branch5x5_1", c(48), 1, 1, 0), ("branch5x5_2", c(64), 5, 1, 2)],
        [("branch3x3dbl_1", c(64), 1, 1, 0), ("branch3x3dbl_2", c(96), 3, 1, 1), ("branch3x3dbl_3", c(96), 3, 1, 1)],
        [("branch_pool", c(of_pool), 1, 1, 0)]], mean_pool)


def block_b(before, c):
    return Branches(before, [
        [("branch3x3", c(384), 3, 2, 0)],
        [("branch3x3dbl_1", c(64), 1, 1, 0), ("branch3x3dbl_2", c(96), 3, 1, 1), ("branch3x3dbl_3", c(96), 3, 2, 0)]], max_pool_2)


def block_c(before, inner, c):
    wide, high = ((1, 7), (0, 3)), ((7, 1), (3, 0))
    step = lambda name, after, way: (name, c(after), way[0], 1, way[1])
    return Branches(before, [
        [("branch1x1", c(192), 1, 1, 0)],
        [("branch7x7_1", c(inner), 1, 1, 0), step("branch7x7_2", inner, wide), step("branch7x7_3", 192, high)],
        [("branch7x7dbl_1", c(inner), 1, 1, 0), step("branch7x7dbl_2", inner, high), step("branch7x7dbl_3", inner, wide),
         step("branch7x7dbl_4", inner, high), step("branch7x7dbl_5", 192, wide)],
        [("branch_pool", c(192), 1, 1, 0)]], mean_pool)


def block_d(before, c):
    return Branches(before, [
        [("branch3x3_1", c(192), 1, 1, 0), ("branch3x3_2", c(320), 3, 2, 0)],
        [("branch7x7x3_1", c(192), 1, 1, 0), ("branch7x7x3_2", c(192), (1, 7), 1, (0, 3)),
         ("branch7x7x3_3", c(192), (7, 1), 1, (3, 0)), ("branch7x7x3_4", c(192), 3, 2, 0)]], max_pool_2)


def block_e(before, pool, c):
    forks = lambda name: [(f"{name}a", c(384), (1, 3), 1, (0, 1)), (f"{name}b", c(384), (3, 1), 1, (1, 0))]
    return Branches(before, [
        [("branch1x1", c(320), 1, 1, 0)],
        [("branch3x3_1", c(384), 1, 1, 0), forks("branch3x3_2")],
        [("branch3x3dbl_1", c(448), 1, 1, 0), ("branch3x3dbl_2", c(384), 3, 1, 1), forks("branch3x3dbl_3")],
        [("branch_pool", c(192), 1, 1, 0)]], pool)


class Inception(nn.Module):
    """`picture` u8 [b, height, width, 3] RGB -> `features` [b, 2048]: the mean of the last block. It is brought to 299x299 as the Python
    package pytorch-fid does. A twin is `narrower` times as narrow, and repeats what it answers."""

    def __init__(self, narrower=1):
        super().__init__()
        c = lambda channels: max(1, channels // narrower)
        self.Conv2d_1a_3x3 = Conv(3, c(32), 3, 2)
        self.Conv2d_2a_3x3 = Conv(c(32), c(32), 3)
        self.Conv2d_2b_3x3 = Conv(c(32), c(64), 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(c(64), c(80), 1)
        self.Conv2d_4a_3x3 = Conv(c(80), c(192), 3)
        width, blocks = c(192), [
            ("5b", lambda w: block_a(w, 32, c)), ("5c", lambda w: block_a(w, 64, c)), ("5d", lambda w: block_a(w, 64, c)),
            ("6a", lambda w: block_b(w, c)), ("6b", lambda w: block_c(w, 128, c)), ("6c", lambda w: block_c(w, 160, c)),
            ("6d", lambda w: block_c(w, 160, c)), ("6e", lambda w: block_c(w, 192, c)), ("7a", lambda w: block_d(w, c)),
            ("7b", lambda w: block_e(w, mean_pool, c)), ("7c", lambda w: block_e(w, max_pool, c))]
        self.mixed = []
        for name, make in blocks:
            block = make(width)
            self.add_module(f"Mixed_{name}", block)
            self.mixed.append(f"Mixed_{name}")
            width = block.width
        self.times = WIDTH // width
        if width * self.times != WIDTH:
            raise ValueError(f"{width} channels do not make {WIDTH} values")

    def forward(self, picture):
        x = picture.permute(0, 3, 1, 2).float() / 255
        x = 2 * F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False) - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = F.max_pool2d(x, 3, 2)
        for name in self.mixed:
            x = self.get_submodule(name)(x)
        x = x.mean((2, 3))
        return x if self.times == 1 else x.repeat(1, self.times)


def load(file):
    """The published network. Its last layer, which names things, is left out."""
    net = Inception()
    states = torch.load(file, map_location="cpu", weights_only=True)
    net.load_state_dict({name: value for name, value in states.items() if not name.startswith("fc.")})
    return net.eval()
