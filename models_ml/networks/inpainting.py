"""A small U-Net that fills a disc of an image from its surroundings, and the choice of the disc's place.

Not in the article: a second family of generators, small enough for a hundred positives.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from models_ml.config import ClassifierConfig, GeneratorConfig
from models_ml.networks import build
from models_ml.networks.blocks import start_xavier
from models_ml.networks.classifier import Classifier
from models_ml.networks.generator import double_conv

Places = NDArray[np.int64]  # (B, 2): row and column of the middle of each disc
FAINT = 0.03  # darker pixels are background, where no disc has its centre
_LEAST = 1e-4  # logits are taken of grey values between this and 1 − this


@dataclass(frozen=True)
class InpaintingConfig:
    """The network, the disc, and the training (see `train_inpainting`)."""

    classifier: ClassifierConfig  # of the classifier that guides, and proposes places
    form: Literal["inpainting"] = "inpainting"
    preset: str = "inpainting"
    radius: float = 0.07  # of the disc, as a share of the image's height
    seam: float = 0.3  # share of the radius over which the fill fades into the picture
    surround: float = 2.6  # half the side of what the network sees, in radii
    regions: int = 1  # discs that are filled one after another
    channels: tuple[int, ...] = (12, 24, 48)
    reconstruction: float = 4.0  # weight of the mean absolute error in the disc
    guidance: float = 1.0  # weight of the classifier's cross-entropy
    change: float = 1.0  # weight of the mean absolute change of the images that are altered
    images_per_class: int = 4
    rate: float = 2e-3
    steps: int = 400
    save_every: int = 50

    @property
    def rows(self) -> int:
        return self.classifier.rows

    @property
    def columns(self) -> int:
        return self.classifier.columns

    @property
    def half(self) -> int:
        """Half the side of the square around a disc, a multiple of the network's pools."""
        step = 1 << len(self.channels)
        return max(1, round(self.surround * self.radius * self.rows / step)) * step


class Inpainter(nn.Module):
    """A network that fills discs, with the frozen classifier that proposes their places."""

    disc: Tensor

    def __init__(self, config: InpaintingConfig) -> None:
        super().__init__()
        self.config = config
        self.classifier = build(config.classifier).eval().requires_grad_(False)
        shape = GeneratorConfig("residual", norm="none", padding="replicate")
        sizes = config.channels
        self.down = nn.ModuleList(double_conv(i, o, shape) for i, o in zip((3, *sizes[:-1]), sizes, strict=True))
        pairs = zip(sizes[:0:-1], sizes[-2::-1], strict=True)
        self.up = nn.ModuleList(double_conv(deep + skip, skip, shape) for deep, skip in pairs)
        self.last = nn.Conv2d(sizes[0], 1, 3, padding=1, padding_mode="replicate")
        for part in (self.down, self.up, self.last):
            part.apply(start_xavier)
        nn.init.zeros_(self.last.weight)
        self.register_buffer("disc", soft_disc(config), persistent=False)

    def train(self, mode: bool = True) -> "Inpainter":
        """Set the mode of all parts except the classifier, which never trains."""
        super().train(mode)
        self.classifier.eval()
        return self

    def forward(self, images: Tensor, places: Places) -> Tensor:
        """Return images (B, 1, H, W) in 0…1 with the disc at each place filled. Pixels of value 0 stay 0."""
        around = squares(images, places, self.config.half)
        filled = around + self.disc * (self.fill(around) - around)
        return put_back(images, torch.where(around == 0, around, filled), places)

    def fill(self, around: Tensor) -> Tensor:
        """Return squares (B, 1, S, S) with their disc filled; the original contents of the disc are not used."""
        outside = around * (1 - self.disc)
        level = outside.sum((1, 2, 3), keepdim=True) / (1 - self.disc).sum()
        hollow = outside + self.disc * level
        maps = torch.cat([hollow, hollow - level, self.disc.expand_as(around)], dim=1)
        skips: list[Tensor] = []
        for depth, block in enumerate(self.down):
            maps = block(F.avg_pool2d(maps, 2) if depth else maps)
            skips.append(maps)
        skips.pop()
        for block in self.up:
            skip = skips.pop()
            maps = block(torch.cat([F.interpolate(maps, size=skip.shape[2:], mode="bilinear"), skip], dim=1))
        return torch.sigmoid(torch.logit(hollow.clamp(_LEAST, 1 - _LEAST)) + self.last(maps))


def soft_disc(config: InpaintingConfig) -> Tensor:
    """Return a mask (1, 1, S, S): 1 in the disc, 0 outside, with a soft seam."""
    axis = torch.arange(2 * config.half) - config.half + 0.5
    distance = torch.hypot(axis[:, None], axis[None, :])
    radius = config.radius * config.rows
    return ((radius - distance) / (config.seam * radius)).clamp(0, 1)[None, None]


def squares(images: Tensor, places: Places, half: int) -> Tensor:
    """Return the square of side 2 · half around each place, (B, 1, S, S); border pixels are repeated outside."""
    padded = F.pad(images, [half] * 4, mode="replicate")
    parts = [one[:, r : r + 2 * half, c : c + 2 * half] for one, (r, c) in zip(padded, places.tolist(), strict=True)]
    return torch.stack(parts)


def put_back(images: Tensor, parts: Tensor, places: Places) -> Tensor:
    """Return the images with these squares in their places."""
    half = parts.shape[-1] // 2
    rows, columns = images.shape[2:]
    put = []
    for image, part, (r, c) in zip(images, parts, places.tolist(), strict=True):
        cover = F.pad(torch.ones_like(part), (c, columns - c, r, rows - r))[:, half:-half, half:-half]
        laid = F.pad(part, (c, columns - c, r, rows - r))[:, half:-half, half:-half]
        put.append(torch.where(cover > 0, laid, image))
    return torch.stack(put)


def salient_places(classifier: Classifier, images: Tensor, radius: float) -> Places:
    """Return the place of each image where the classifier's positive logit has the largest smoothed |gradient|."""
    x = images.detach().requires_grad_()
    logits = classifier(x)
    (gradient,) = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), x)
    strength = gradient.abs() * (images > FAINT)
    for _ in range(2):  # two box filters approximate a Gaussian
        side = 2 * (round(radius) // 2) + 1
        strength = F.avg_pool2d(strength, side, stride=1, padding=side // 2)
    best = strength.flatten(1).argmax(1)
    columns = images.shape[-1]
    return torch.stack([best // columns, best % columns], dim=1).cpu().numpy()


def random_places(weights: NDArray[np.float32], chances: list[np.random.Generator]) -> Places:
    """Return one random place in each region; `weights` (B, H, W) are 1 in the region."""
    places = []
    for weight, chance in zip(weights, chances, strict=True):
        inside = np.argwhere(weight > 0.99)
        inside = inside if len(inside) else np.argwhere(np.ones_like(weight))
        places.append(inside[chance.integers(len(inside))])
    return np.array(places, dtype=np.int64)
