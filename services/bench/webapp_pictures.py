"""Photographs on which a browser and the server have to agree: drawn retinas as cameras and messengers leave them, and
real ones where there are some."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageEnhance, ImageFilter

SIZES = (300, 420, 560, 700, 1000)


def drawn(count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """`count` JPEG files with a name each: of many sizes and qualities, wide, turned by EXIF, dark, bright, blurred."""
    from models.dr.phantom import draw

    for number in range(count):
        chance = random.Random(seed * 10_007 + number)
        image = draw(seed + number, SIZES[number % len(SIZES)], lesions=chance.random() < 0.5)
        yield f"drawn-{seed + number}", _encoded(_taken(image, chance), chance)


def encoded_eye(seed: int, *, lesions: bool, size: int = 480, quality: int = 88) -> bytes:
    """One drawn retina as a JPEG file."""
    from models.dr.phantom import draw

    out = io.BytesIO()
    draw(seed, size, lesions=lesions).save(out, "JPEG", quality=quality)
    return out.getvalue()


def real(folder: Path, count: int) -> Iterator[tuple[str, bytes]]:
    """The first `count` photographs of the test split of a labelled folder, as they are."""
    with (folder / "labels.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == "test"]
    step = max(1, len(rows) // count)
    for row in rows[: count * step : step]:
        yield row["image"], (folder / "images" / row["image"]).read_bytes()


def _taken(image: Image.Image, chance: random.Random) -> Image.Image:
    side = image.width
    match chance.randrange(8):
        case 0:  # a wide frame with black borders
            frame = Image.new("RGB", (side * 3 // 2, side))
            frame.paste(image, (chance.randrange(side // 2), 0))
            return frame
        case 1:  # the top and bottom of the field cut off
            return image.crop((0, side // 9, side, side - side // 9))
        case 2:
            return ImageEnhance.Brightness(image).enhance(chance.uniform(0.25, 0.7))
        case 3:
            return ImageEnhance.Brightness(image).enhance(chance.uniform(1.2, 1.9))
        case 4:
            return image.filter(ImageFilter.GaussianBlur(side * chance.uniform(0.001, 0.012)))
        case 5:  # squeezed by a messenger
            return image.resize((side, int(side * chance.uniform(0.75, 0.95))))
        case _:
            return image


def _encoded(image: Image.Image, chance: random.Random) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = chance.choice((1, 1, 1, 3, 6, 8))
    subsampling = chance.choice((0, 2, 2))
    image.save(out, "JPEG", quality=chance.choice((55, 75, 85, 95)), subsampling=subsampling, exif=exif)
    return out.getvalue()
