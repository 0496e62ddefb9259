"""The generator of METHOD §3: a U-Net from one grey image to another."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models_ml.config import GeneratorConfig
from models_ml.networks.blocks import WideConvolution, normalise, start_xavier
from models_ml.networks.group_norm_leaky_relu import norm_leaky
from models_ml.networks.losses import precise

# exp(±15) moves any 16-bit grey value to either end; beyond it float32 would overflow before the picture
# changes.
GREATEST_LOGIT_CHANGE = 15.0
# Grey values below this are background. The change fades out there with the brightness, so that the few
# levels of noise in it are kept and not rounded to black.
BACKGROUND = 0.03


class Generator(nn.Module):
    """U-Net, 1 → 1 channel. The `plain` form ends in a sigmoid; the other two add to the image or to its logit.

    These two start as the identity (their last layer is zero), so grain and background survive. The `residual` form
    adds to the logit: a pixel of exactly 0 or 1 has an infinite logit, which no finite change moves. The `additive`
    form adds to the values and moves every pixel alike.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        sizes = config.encoder
        before = (1, *sizes[:-1])
        self.encoder = nn.ModuleList(double_conv(i, o, config) for i, o in zip(before, sizes, strict=True))
        skips = sizes[-2::-1]
        above = (sizes[-1], *config.decoder[:-1])
        self.decoder = nn.ModuleList(
            double_conv(deep + skip, size, config)
            for deep, skip, size in zip(above, skips, config.decoder, strict=True)
        )
        self.last = nn.Conv2d(config.decoder[-1], 1, 3, padding=1, padding_mode=config.padding)
        self.apply(start_xavier)
        if config.form != "plain":
            nn.init.zeros_(self.last.weight)

    def raw(self, images: Tensor) -> Tensor:
        """Return the last layer's output for images (B, 1, H, W) in 0…1: a logit, or the change of a logit or value."""
        maps = (images - self.config.mean) / self.config.sd
        skips: list[Tensor] = []
        for depth, block in enumerate(self.encoder):
            maps = block(F.avg_pool2d(maps, 2) if depth else maps)
            skips.append(maps)
        skips.pop()
        for block in self.decoder:
            skip = skips.pop()  # of twice the size, or one more if a side was odd
            corners = self.config.align_corners
            maps = F.interpolate(maps, size=skip.shape[2:], mode="bilinear", align_corners=corners)
            maps = block(torch.cat([maps, skip], dim=1))
        raw: Tensor = self.last(maps)
        return precise(raw)

    def forward(self, images: Tensor) -> Tensor:
        raw = self.raw(images)
        match self.config.form:
            case "residual":
                return shift_logit(images, raw)
            case "additive":
                return (images + raw).clamp(0, 1)
            case _:
                return torch.sigmoid(raw)


class DoubleConvolution(nn.Sequential):
    """Convolution, norm and LeakyReLU in turn; GroupNorm and LeakyReLU are taken together."""

    def __init__(self, leak: float, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.leak = leak

    def forward(self, maps: Tensor) -> Tensor:
        layers = list(self)
        for convolution, norm, leaky in zip(layers[::3], layers[1::3], layers[2::3], strict=True):
            maps = convolution(maps)
            maps = norm_leaky(maps, norm, self.leak) if isinstance(norm, nn.GroupNorm) else leaky(norm(maps))
        return maps


def double_conv(before: int, after: int, config: GeneratorConfig) -> DoubleConvolution:
    """Return two blocks of 3 × 3 convolution, norm and LeakyReLU."""
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [
            WideConvolution(channels, after, 3, padding=1, padding_mode=config.padding),
            normalise(config.norm, after, config.norm_groups),
        ]
        layers += [nn.LeakyReLU(config.leak)]
    return DoubleConvolution(config.leak, *layers)


def shift_logit(images: Tensor, change: Tensor) -> Tensor:
    """Return sigmoid(logit(images) + change), computed with odds, so that values of exactly 0 and 1 do not change.

    Below 0.03, in the background, the change is multiplied by brightness / 0.03.
    """
    change = change * (images / BACKGROUND).clamp(max=1.0)
    odds = torch.exp(change.clamp(-GREATEST_LOGIT_CHANGE, GREATEST_LOGIT_CHANGE))
    return images * odds / (1 - images + images * odds)
