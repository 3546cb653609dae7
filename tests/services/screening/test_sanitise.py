"""Hostile and merely odd files: each ends in a clean photograph or in a reason to tell the sender."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from models.dr.phantom import draw
from services.inference.preprocess import find_field, square
from services.screening import sanitise as module
from services.screening.sanitise import BadPhotograph, Photograph, sanitise


def picture(mode: str = "RGB", size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A red picture with a white patch at its top left, so that turning it shows."""
    image = Image.new("RGB", size, (180, 40, 20))
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="white")
    return image.convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_header(wide: int, high: int) -> bytes:
    """A PNG of a few bytes that claims any size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 1000)
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (head, body, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def webp_header(wide: int, high: int) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (wide - 1).to_bytes(3, "little")
    body += (high - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def text_bomb() -> bytes:
    """A small PNG whose compressed text chunk swells to 200 MB."""
    good = encoded(picture(), "PNG")
    text = b"zTXtComment\0\0" + zlib.compress(b"a" * 200_000_000)
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return good[:33] + chunk + good[33:]


def with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "Phone maker"
    exif.get_ifd(0x8825).update({1: "S", 2: (1.0, 17.0, 11.0), 3: "E", 4: (36.0, 49.0, 2.0)})
    return encoded(picture(), exif=exif, comment=b"Achieng, ward 3", icc_profile=b"\0" * 128)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture(), exif=exif)


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (240, 240), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


BAD: dict[str, tuple[Any, str]] = {
    "nothing": (lambda: b"", "photo-not-image"),
    "text": (lambda: b"my eye hurts", "photo-not-image"),
    "html": (lambda: b"<html><script>alert(1)</script></html>", "photo-not-image"),
    "zeros": (lambda: bytes(5000), "photo-not-image"),
    "zip": (lambda: b"PK\x03\x04" + bytes(300), "photo-not-image"),
    "jpeg marker alone": (lambda: b"\xff\xd8\xff\xe0", "photo-truncated"),
    "jpeg cut in half": (lambda: encoded(picture())[:2000], "photo-truncated"),
    "jpeg without its end": (lambda: encoded(picture(size=(1200, 900)), quality=95)[:-3000], "photo-truncated"),
    "png cut in half": (lambda: encoded(picture(), "PNG")[:400], "photo-truncated"),
    "webp cut in half": (lambda: encoded(picture(), "WEBP", lossless=True)[:60], "photo-truncated"),
    "webp of twelve bytes": (lambda: b"RIFF\x04\0\0\0WEBP", "photo-truncated"),
    "50 megapixels": (lambda: encoded(Image.new("L", (8000, 6250))), "photo-too-large"),
    "png bomb": (lambda: png_header(60_000, 60_000), "photo-too-large"),
    "webp bomb": (lambda: webp_header(16_000_000, 16_000_000), "photo-too-large"),
    "text bomb": (text_bomb, "photo-truncated"),
    "17 megabytes": (lambda: encoded(picture()) + bytes(17 * 1024 * 1024), "photo-too-large"),
    "thumbnail": (lambda: encoded(picture(size=(160, 120))), "photo-too-small"),
    "sliver": (lambda: encoded(picture(size=(3000, 20))), "photo-too-small"),
    "gif": (lambda: encoded(picture(), "GIF"), "photo-unsupported"),
    "bmp": (lambda: encoded(picture(), "BMP"), "photo-unsupported"),
    "tiff": (lambda: encoded(picture(), "TIFF"), "photo-unsupported"),
    "pdf": (lambda: encoded(picture(), "PDF"), "photo-unsupported"),
    "heic": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "photo-unsupported"),
    "video": (lambda: b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(500), "photo-unsupported"),
    "animated webp": (lambda: animated("WEBP"), "photo-animated"),
    "animated png": (lambda: animated("PNG"), "photo-animated"),
}

GOOD = {
    "jpeg": lambda: encoded(picture()),
    "progressive jpeg": lambda: encoded(picture(), progressive=True),
    "grey jpeg": lambda: encoded(picture("L")),
    "cmyk jpeg": lambda: encoded(picture("CMYK")),
    "ycck-like jpeg with adobe marker": lambda: encoded(picture("CMYK"), quality=60),
    "png": lambda: encoded(picture(), "PNG"),
    "palette png": lambda: encoded(picture("P"), "PNG"),
    "black and white png": lambda: encoded(picture("1"), "PNG"),
    "grey and alpha png": lambda: encoded(picture("LA"), "PNG"),
    "alpha png": lambda: encoded(picture("RGBA"), "PNG"),
    "16-bit png": lambda: encoded(Image.new("I;16", (400, 300), 40_000), "PNG"),
    "webp": lambda: encoded(picture(), "WEBP"),
    "lossless webp": lambda: encoded(picture("RGBA"), "WEBP", lossless=True),
    "mpo of a phone": lambda: encoded(picture(), "MPO", save_all=True, append_images=[picture()]),
    "jpeg with rubbish after its end": lambda: encoded(picture()) + b"<?php evil ?>" * 50,
    "gps": with_gps,
    "broken exif": lambda: encoded(picture(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish"),
}


MESSAGES = {message for _, message in BAD.values()}


@pytest.mark.parametrize("name", BAD)
def test_bad_photographs_get_a_reason(name: str) -> None:
    make, message = BAD[name]
    with pytest.raises(BadPhotograph) as refusal:
        sanitise(make())
    assert refusal.value.message_id == message, refusal.value.detail


@pytest.mark.parametrize("name", GOOD)
def test_good_photographs_come_out_as_plain_rgb(name: str) -> None:
    data = GOOD[name]()
    photograph = sanitise(data)
    assert photograph.image.mode == "RGB"
    assert (photograph.width, photograph.height) == photograph.image.size == (400, 300)
    assert photograph.sha256 == hashlib.sha256(data).hexdigest()
    assert clean(photograph)


def clean(photograph: Photograph) -> bool:
    """Whether the kept JPEG decodes and carries no metadata but the JFIF header."""
    with Image.open(io.BytesIO(photograph.jpeg)) as kept:
        kept.load()
        return kept.format == "JPEG" and not kept.getexif() and set(kept.info) <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density",
        }  # fmt: skip


def clean_or_refused(data: bytes) -> bool:
    """Any other exception than BadPhotograph fails the test that calls this."""
    try:
        photograph = sanitise(data)
    except BadPhotograph as refusal:
        return refusal.message_id in MESSAGES
    return clean(photograph)


def test_position_owner_and_profile_are_gone() -> None:
    data = with_gps()
    assert b"Achieng" in data
    assert b"Phone maker" in data
    jpeg = sanitise(data).jpeg
    for secret in (b"Achieng", b"Phone maker", b"Exif", b"ICC_PROFILE", b"evil"):
        assert secret not in jpeg


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "nw"), (2, "ne"), (3, "se"), (4, "sw"), (5, "nw"), (6, "ne"), (7, "se"), (8, "sw"), (0, "nw"), (99, "nw")],
)
def test_exif_orientation_is_applied(orientation: int, corner: str) -> None:
    """The white patch ends up where a viewer that honours EXIF shows it."""
    image = sanitise(turned(orientation)).image
    assert image.size == ((300, 400) if 5 <= orientation <= 8 else (400, 300))
    x = 10 if "w" in corner else image.width - 10
    y = 10 if "n" in corner else image.height - 10
    assert min(image.getpixel((x, y))) > 230  # type: ignore[type-var]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("size", "kept"),
    [
        ((2400, 1800), (2400, 1800)),
        ((2402, 1800), (1201, 900)),
        ((4000, 3000), (2000, 1500)),
        ((3000, 4000), (1500, 2000)),
        ((5000, 4000), {"JPEG": (1250, 1000), "PNG": (1667, 1334)}),
        ((240, 6001), {"JPEG": (60, 1501), "PNG": (80, 2001)}),
    ],
)
def test_large_photographs_are_reduced_by_whole_numbers(kind: str, size: tuple[int, int], kept: Any) -> None:
    photograph = sanitise(encoded(picture(size=size), kind))
    assert photograph.image.size == (kept if isinstance(kept, tuple) else kept[kind])


def test_a_model_sees_a_large_photograph_as_if_it_were_decoded_in_full() -> None:
    retina = draw(7, 1300, lesions=True).resize((2600, 2600), Image.Resampling.BICUBIC)
    frame = Image.new("RGB", (4000, 3000), (2, 2, 2))
    frame.paste(retina, (700, 200))
    file = encoded(frame, quality=90)
    field = find_field(frame)
    retina = frame.crop((round(field.left), round(field.top), round(field.right), round(field.bottom)))
    for size in (256, 320):
        seen = square(sanitise(file).image, size).astype(float)
        slowly = np.asarray(retina.resize((size, size), Image.Resampling.LANCZOS))
        assert np.abs(seen - slowly).mean() < 2.0


def test_colours_survive() -> None:
    for make in (GOOD["jpeg"], GOOD["cmyk jpeg"], GOOD["alpha png"], GOOD["webp"]):
        red, green, blue = sanitise(make()).image.getpixel((300, 200))  # type: ignore[misc]
        assert abs(red - 180) < 12
        assert abs(green - 40) < 12
        assert abs(blue - 20) < 12


def test_transparency_becomes_the_black_of_a_surround() -> None:
    image = Image.new("RGBA", (300, 300), (255, 255, 255, 0))
    assert sanitise(encoded(image, "PNG")).image.getpixel((150, 150)) == (0, 0, 0)


def test_sixteen_bits_keep_their_shades() -> None:
    row = struct.pack("<400H", *[40_000] * 200, *[10_000] * 200)
    image = Image.frombytes("I;16", (400, 300), row * 300)
    kept = sanitise(encoded(image, "PNG")).image
    assert kept.getpixel((50, 150)) == (255, 255, 255)
    assert kept.getpixel((350, 150))[0] == pytest.approx(64, abs=3)  # type: ignore[index]


def test_bombs_are_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded a bomb")

    monkeypatch.setattr(module, "_upright_rgb", refuse)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    for name in ("50 megapixels", "png bomb", "webp bomb"):
        with pytest.raises(BadPhotograph):
            sanitise(BAD[name][0]())


SEEDS = [make() for name, make in GOOD.items() if name != "16-bit png"] + [animated("WEBP"), png_header(300, 300)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.builds(lambda head, rest: head + rest, st.sampled_from([s[:40] for s in SEEDS]), st.binary(max_size=400)),
    )
)
def test_any_bytes_raise_nothing_else(data: bytes) -> None:
    assert clean_or_refused(data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_mutated_files_raise_nothing_else(data: bytes, seed: int, changes: int) -> None:
    dice, bent = random.Random(seed), bytearray(data)
    for _ in range(changes):
        at = dice.randrange(min(len(bent), 700) if dice.random() < 0.7 else len(bent))
        bent[at] = dice.randrange(256)
    assert clean_or_refused(bytes(bent))
