"""What the table of maize pictures says of each: where it is from, and how it was before it was made a square."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image

LABORATORY, FIELD = "PlantVillage", "PlantDoc"
_QUALITY = 95  # of the JPEG that a picture is sent as

Row = Mapping[str, str]


def source(row: Row) -> str:
    """Every picture of PlantVillage has 256 × 256 pixels, and of PlantDoc's for maize none has."""
    return LABORATORY if row["orig_size"] == "256x256" else FIELD


def unsqueezed(image: Image.Image, row: Row) -> Image.Image:
    """A picture as it was before the data set squeezed it to a square, its shorter side as it lies in the folder."""
    wide, high = map(int, row["orig_size"].split("x"))
    shorter = min(image.size)
    return image.resize(
        (round(shorter * max(1, wide / high)), round(shorter * max(1, high / wide))), Image.Resampling.BICUBIC
    )


def as_sent(content: bytes, row: Row) -> bytes:
    """The JPEG that a telephone would have sent of what the picture shows."""
    with Image.open(io.BytesIO(content)) as image:
        picture = unsqueezed(image.convert("RGB"), row)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
