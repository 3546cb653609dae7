"""A corpus of hostile image files, made anew: bombs, polyglots, files cut short, every format, attacks by metadata."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image

from models.dr.phantom import draw

SIDE = 480


def corpus() -> Iterator[tuple[str, bytes]]:
    """`(name, content)` of each file; names are unique and fit a file system."""
    eye = draw(7, SIDE, lesions=True)
    yield from _bombs()
    yield from _polyglots(eye)
    yield from _cut_short(eye)
    yield from _every_format(eye)
    yield from _metadata(eye)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(
    wide: int, high: int, *, depth: int = 8, colour: int = 2, interlaced: int = 0, rows: int | None = None
) -> bytes:
    """A PNG of zeros; with fewer `rows` it ends early."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    packer = zlib.compressobj(1)
    row = bytes(1 + (wide * channels * depth + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(high if rows is None else rows)) + packer.flush()
    palette = _chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    head = struct.pack(">IIBBBBB", wide, high, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + palette + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _after_header(png: bytes, chunk: bytes) -> bytes:
    return png[:33] + chunk + png[33:]


def _jpeg_of_size(jpeg: bytes, wide: int, high: int) -> bytes:
    """The same JPEG, whose frame header claims another size."""
    at = next(at for at in range(len(jpeg)) if jpeg[at : at + 2] in (b"\xff\xc0", b"\xff\xc2"))
    return jpeg[: at + 5] + struct.pack(">HH", high, wide) + jpeg[at + 9 :]


def _bombs() -> Iterator[tuple[str, bytes]]:
    swollen = zlib.compress(b"a" * 100_000_000, 1)
    small = _png(300, 300)
    for side in (25_000, 65_535, 2**31 - 1):
        yield f"bomb-png-{side}", _png(side, side, rows=4 if side < 2**20 else 0)
    # The most that is let in, in the modes that cost the most memory.
    for depth, colour in ((8, 6), (16, 6), (16, 2), (16, 0), (16, 4), (8, 3), (1, 0)):
        yield f"largest-png-{depth}-{colour}", _png(5000, 5000, depth=depth, colour=colour)
    yield "largest-png-interlaced", _png(5000, 5000, colour=6, interlaced=1)
    yield "thin-png", _png(200, 125_000)
    for name, body in (
        ("zTXt", b"Comment\0\0" + swollen),
        ("iTXt", b"Comment\0\x01\0\0\0" + swollen),
        ("iCCP", b"icc\0\0" + swollen),
    ):
        yield f"bomb-png-{name}", _after_header(small, _chunk(name.encode(), body))
    yield "bomb-png-thousand-texts", _after_header(small, _chunk(b"tEXt", b"a\0" + b"b" * 5000) * 1000)
    jpeg = _saved(Image.new("RGB", (400, 400), "red"), "JPEG")
    for wide, high in ((65_500, 65_500), (5000, 5000), (65_500, 381), (400, 0), (0, 0)):
        yield f"bomb-jpeg-{wide}x{high}", _jpeg_of_size(jpeg, wide, high)
    yield "largest-jpeg", _saved(Image.new("RGB", (5000, 5000), "brown"), "JPEG")
    yield "largest-jpeg-progressive", _saved(Image.new("RGB", (5000, 5000), "brown"), "JPEG", progressive=True)
    yield "largest-jpeg-cmyk", _saved(Image.new("CMYK", (5000, 5000)), "JPEG")
    progressive = _saved(Image.new("L", (3000, 3000), 80), "JPEG", progressive=True)
    scan = progressive.index(b"\xff\xda")
    ends = progressive.index(b"\xff", scan + 2 + struct.unpack(">H", progressive[scan + 2 : scan + 4])[0])
    yield "bomb-jpeg-thousand-scans", progressive[:scan] + progressive[scan:ends] * 1000 + progressive[ends:]
    yield "largest-webp", _saved(Image.new("RGBA", (3500, 3500)), "WEBP", lossless=True, method=0)
    yield "bomb-webp", _saved(Image.new("RGBA", (5000, 5000)), "WEBP", lossless=True, method=0)
    frames = [Image.new("RGB", (1000, 1000), (shade, 0, 0)) for shade in range(30)]
    yield "bomb-webp-frames", _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    yield "bomb-png-frames", _saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield "bomb-mpo-frames", _saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    yield "sixteen-megabytes", jpeg + bytes(16 * 1024 * 1024)


def _polyglots(eye: Image.Image) -> Iterator[tuple[str, bytes]]:
    jpeg, png = _saved(eye, "JPEG"), _saved(eye, "PNG")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("evil.sh", "rm -rf /")
    tails = {
        "zip": packed.getvalue(),
        "html": b"<html><script>alert(1)</script></html>",
        "php": b"<?php system($_GET[0]); ?>",
        "pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "png": png,
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 300 300\n(/etc/passwd) run\n",
    }
    for name, tail in tails.items():
        yield f"polyglot-jpeg-then-{name}", jpeg + tail
        yield f"polyglot-{name}-then-jpeg", tail + jpeg
        comment = tail[:60_000]
        yield (
            f"polyglot-jpeg-around-{name}",
            jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + jpeg[2:],
        )
    yield "polyglot-png-named-webp", b"RIFF" + struct.pack("<I", len(png)) + b"WEBP" + png
    yield "polyglot-jpeg-in-heif", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + jpeg
    yield "polyglot-svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "polyglot-xpm", b'/* XPM */\nstatic char *a[] = {"300 300 1 1", "a c #000"};'


def _cut_short(eye: Image.Image) -> Iterator[tuple[str, bytes]]:
    for kind, options in (
        ("JPEG", {}),
        ("JPEG-progressive", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {"quality": 80}),
        ("WEBP-lossless", {"lossless": True}),
    ):
        whole = _saved(eye, kind.partition("-")[0], **options)
        for percent in range(100):
            yield f"cut-{kind}-{percent:02}", whole[: len(whole) * percent // 100]


def _every_format(eye: Image.Image) -> Iterator[tuple[str, bytes]]:
    """All that Pillow can write here, whatever it is called when it comes."""
    Image.init()
    for kind in sorted(Image.SAVE):
        for mode in ("RGB", "L", "P", "1", "CMYK", "RGBA", "I", "F"):
            try:
                with warnings.catch_warnings(action="ignore"):
                    content = _saved(eye.convert(mode), kind)
                yield f"format-{kind}-{mode}", content
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ModuleNotFoundError):
                continue  # that format has no such mode, or its library is not here


def _metadata(eye: Image.Image) -> Iterator[tuple[str, bytes]]:
    jpeg = _saved(eye, "JPEG")
    tiff = b"II*\0\x08\0\0\0"

    def with_exif(block: bytes) -> bytes:
        body = b"Exif\0\0" + block
        return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]

    def entry(tag: int, kind: int, count: int, value: int) -> bytes:
        return struct.pack("<HHII", tag, kind, count, value)

    blocks = {
        "loop": tiff + struct.pack("<H", 1) + entry(0x8769, 4, 1, 8) + struct.pack("<I", 8),
        "gps-loop": tiff
        + struct.pack("<H", 2)
        + entry(0x8769, 4, 1, 8)
        + entry(0x8825, 4, 1, 8)
        + struct.pack("<I", 8),
        "orientation-99": tiff + struct.pack("<H", 1) + entry(0x0112, 3, 1, 99) + bytes(4),
        "orientation-rational-by-zero": tiff + struct.pack("<H", 1) + entry(0x0112, 5, 1, 26) + bytes(12),
        "orientation-of-four-billion-values": tiff + struct.pack("<H", 1) + entry(0x0112, 3, 2**32 - 1, 8) + bytes(4),
        "orientation-text": tiff + struct.pack("<H", 1) + entry(0x0112, 2, 4, 0x41414141) + bytes(4),
        "sixty-thousand-entries": tiff + struct.pack("<H", 65_535) + entry(0x010F, 2, 4, 0) * 5000,
        "beyond-the-end": tiff[:4] + struct.pack("<I", 2**32 - 1),
        "no-tiff": b"XX*\0" + bytes(100),
        "big-tiff": b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 2**60),
        "empty": b"",
    }
    for name, block in blocks.items():
        yield f"exif-{name}", with_exif(block)
    yield "exif-twice", with_exif(blocks["loop"])[:-2] + with_exif(blocks["gps-loop"])[2:]
    segment = b"ICC_PROFILE\0\x01\xff" + b"\xff" * 65_000
    yield (
        "icc-of-ten-megabytes",
        jpeg[:2] + (b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment) * 150 + jpeg[2:],
    )
    for name, profile in (("zeros", bytes(400)), ("claims-four-gigabytes", b"\xff" * 4 + bytes(396)), ("tiny", b"a")):
        yield f"icc-{name}", _saved(eye, "JPEG", icc_profile=profile)
        yield f"icc-png-{name}", _saved(eye, "PNG", icc_profile=profile)
        yield f"icc-webp-{name}", _saved(eye, "WEBP", icc_profile=profile)
    xmp = (
        b"http://ns.adobe.com/xap/1.0/\0"
        + b'<!DOCTYPE a [<!ENTITY b "'
        + b"b" * 1000
        + b'">]><a>'
        + b"&b;" * 5000
        + b"</a>"
    )
    yield "xmp-entities", jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + jpeg[2:]
    yield "adobe-transform-9", jpeg[:2] + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x09" + jpeg[2:]
    yield "thumbnail-within", with_exif(tiff + bytes(6) + jpeg[:60_000])
