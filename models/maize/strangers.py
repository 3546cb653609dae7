"""Pictures that show no maize leaf, to learn to be unsure of and to measure whether it is.

Learnt from are drawings alone. Photographs of eyes and of everyday things are only in val and test, other things in
each. Leaves of other plants could not be had.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import numpy as np
from PIL import Image, ImageOps

from models.dr.phantom import draw as draw_retina
from models.lab.clutter import clutter
from models.lab.data import labelled, shared
from models.maize.ground import ground

SEEDS = {"train": 1, "val": 2, "test": 3}
SMALLEST = 224  # pixels
DRAWN, EYES = 160, 80  # drawn clutter, and photographs of eyes, a split
# What scikit-image, scikit-learn and matplotlib bring along.
PHOTOGRAPHS = {
    "val": ("china.jpg", "grace_hopper.jpg", "astronaut.png", "brick.png", "coins.png", "moon.png", "page.png",
            "motorcycle_left.png"),
    "test": ("flower.jpg", "camera.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "text.png",
             "hubble_deep_field.jpg", "rocket.jpg", "ihc.png"),
}  # fmt: skip
FOLDERS = {
    "china.jpg": ("sklearn.datasets", "images"),
    "flower.jpg": ("sklearn.datasets", "images"),
    "grace_hopper.jpg": ("matplotlib", "mpl-data/sample_data"),
}


def strangers(split: str) -> Iterator[tuple[str, Image.Image]]:
    """Kind and picture: drawn clutter, grounds and eyes; for val and test also photographs."""
    rng = np.random.default_rng(SEEDS[split])
    for at in range(DRAWN):
        yield "drawn clutter", clutter(rng)
        if at % 2:
            yield "drawn ground", Image.fromarray(ground(256, rng))
        if at % 4 == 0:
            yield "drawn eye", draw_retina(1000 * SEEDS[split] + at, 256, lesions=at % 8 == 0)
    if split != "train":
        yield from (("eye", eye) for eye in eyes(split))
        yield from (("everyday things", part) for name in PHOTOGRAPHS[split] for part in parts(photograph(name)))


def eyes(split: str) -> Iterator[Image.Image]:
    """Fundus photographs."""
    rows = labelled(shared() / "dr", split)
    for row in rows[:: len(rows) // EYES][:EYES]:
        with Image.open(shared() / "dr" / "images" / row["image"]) as image:
            yield image.convert("RGB")


def photograph(name: str) -> Image.Image:
    package, folder = FOLDERS.get(name, ("skimage", "data"))
    with resources.as_file(resources.files(package) / folder / name) as path, Image.open(path) as image:
        return image.convert("RGB")


def parts(image: Image.Image) -> Iterator[Image.Image]:
    """The picture and its four quarters, none smaller than what the product takes."""
    wide, high = image.width // 2, image.height // 2
    quarters = [(left, top, left + wide, top + high) for left in (0, wide) for top in (0, high)]
    for part in (image, *(image.crop(box) for box in quarters)):
        yield ImageOps.scale(part, max(1.0, SMALLEST / min(part.size)))
