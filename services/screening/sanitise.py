"""A photograph from the outside world becomes a picture that is safe to keep, or a reason to tell the sender.

Nothing is decoded before the header has said what it is and how large it is. What comes out holds pixels only:
position, camera and owner, which phones write into a photograph, are left behind.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 16 * 1024 * 1024  # WhatsApp's own limit for media
MAX_PIXELS = 25_000_000
MAX_PIXELS_WEBP = 12_500_000  # Pillow holds four copies of one for a moment: 25 megapixels take 400 MB
MIN_SIDE = 200  # pixels; a retina smaller than this shows no microaneurysms
LONGEST = 2400  # pixels, longest side of what is kept; half of it is still several times what a model reads
QUALITY = 92
SUFFIXES = {b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"%PDF": "PDF", b"\0\0\1\0": "icon"}


class BadPhotograph(Exception):
    """Why a photograph cannot be used: `message_id` is what the sender is told, `detail` is for the log."""

    def __init__(self, message_id: str, detail: str) -> None:
        super().__init__(f"{message_id}: {detail}")
        self.message_id = message_id
        self.detail = detail


@dataclass(frozen=True)
class Photograph:
    """`image`: upright RGB; `jpeg`: the same, encoded without metadata; `sha256`: of the bytes that came in."""

    image: Image.Image
    jpeg: bytes
    sha256: str
    width: int
    height: int


def sanitise(data: bytes) -> Photograph:
    """Decode, turn upright, bring to RGB and at most LONGEST pixels a side, drop all metadata.

    Photographs are only ever reduced by whole numbers, a JPEG while it is decoded: any other scale costs 50-100 ms for
    a picture of twelve megapixels. Each keeps at least half of LONGEST.

    Raises BadPhotograph, and nothing else, with one of `photo-not-image`, `photo-unsupported`, `photo-truncated`,
    `photo-too-large`, `photo-too-small`, `photo-animated`.
    """
    if len(data) > MAX_BYTES:
        raise BadPhotograph("photo-too-large", f"{len(data)} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _decode(data)
            image = _upright_rgb(image)
            out = io.BytesIO()
            image.save(out, "JPEG", quality=QUALITY)
    except BadPhotograph:
        raise
    except Exception as error:  # Pillow raises a dozen types for broken files; each means the same to the sender
        raise BadPhotograph("photo-truncated", f"{type(error).__name__}: {error}") from error
    return Photograph(image, out.getvalue(), hashlib.sha256(data).hexdigest(), image.width, image.height)


def _decode(data: bytes) -> Image.Image:
    from PIL import Image

    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        # Pillow's decoder sets aside two canvases as soon as it opens one.
        _check_size(*_webp_size(data), most=MAX_PIXELS_WEBP)
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadPhotograph("photo-too-large", str(error)) from error
    except Exception as error:
        raise _unreadable(data, error) from error
    wide, high = image.size
    _check_size(wide, high)
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise BadPhotograph("photo-animated", f"{getattr(image, 'n_frames', 1)} frames")
    if image.format in ("JPEG", "MPO"):
        power = 1 << (_reduction(wide, high) - 1).bit_length()  # libjpeg decodes at 1/2, 1/4 or 1/8
        image.draft("RGB", (wide // power, high // power))
    image.load()
    return image


def _check_size(wide: int, high: int, *, most: int = MAX_PIXELS) -> None:
    if wide * high > most:
        raise BadPhotograph("photo-too-large", f"{wide} × {high} pixels")
    if min(wide, high) < MIN_SIDE:
        raise BadPhotograph("photo-too-small", f"{wide} × {high} pixels")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in the first chunk (WebP container specification, RFC 9649, 2.5-2.7)."""
    kind, head = data[12:16], data[20:30]
    if len(head) < 10:
        raise BadPhotograph("photo-truncated", f"WebP of {len(data)} bytes")
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        wide, high = struct.unpack("<HH", head[6:10])
        return wide & 0x3FFF, high & 0x3FFF
    raise BadPhotograph("photo-unsupported", f"WebP chunk {kind!r}")


def _unreadable(data: bytes, error: Exception) -> BadPhotograph:
    """What to say of bytes that Pillow does not open."""
    for magic, name in SUFFIXES.items():
        if data.startswith(magic):
            return BadPhotograph("photo-unsupported", name)
    if data[4:8] == b"ftyp":
        return BadPhotograph("photo-unsupported", f"HEIF, AVIF or video ({data[8:12]!r})")
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return BadPhotograph("photo-truncated", str(error))
    return BadPhotograph("photo-not-image", f"{type(error).__name__}, {len(data)} bytes")


def _upright_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    # Made small before anything copies it, so that 25 megapixels are held in memory once at most.
    orientation = _orientation(image)
    if image.mode in ("P", "PA", "1"):
        image = image.convert("RGBA")
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    reduction = _reduction(*image.size)
    if reduction > 1:
        image = image.reduce(reduction)
    if image.mode in ("RGBA", "LA", "RGBa", "La"):
        image = image.convert("RGBA")
        flat = Image.new("RGB", image.size)  # black, as the surround of a fundus photograph is
        flat.paste(image, mask=image.getchannel("A"))
        image = flat
    image = image.convert("RGB")
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    if turn is not None:
        image = image.transpose(turn)
    clean = Image.new("RGB", image.size)
    clean.paste(image)  # pixels only: `info` with EXIF, ICC and comments stays behind
    return clean


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1-8; a broken EXIF block is no reason to refuse a good picture."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except (ValueError, TypeError, KeyError, SyntaxError, OSError, OverflowError, struct.error):
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit and float greys, scaled so that the brightest pixel is white."""

    bounds = image.getextrema()
    top = float(bounds[1]) if isinstance(bounds[1], int | float) else 0.0
    scale = 255.0 / top if top > 0 else 1.0
    return image.convert("F").point(lambda value: value * scale).convert("L") if top > 255 else image.convert("L")


def _reduction(wide: int, high: int) -> int:
    """The smallest whole number by which both sides have to be divided."""
    return -(-max(wide, high) // LONGEST)
