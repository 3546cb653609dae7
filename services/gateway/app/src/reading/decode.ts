// From a file to upright pixels: services/screening/sanitise.py, with the browser as the decoder. The same files are
// refused, for the same reasons.

import { sanitise as S } from "../specification.json";
import type { Raster } from "./raster";
import { reduce } from "./resample";

/** Why a file is no usable photograph; `message` is the id of what the sender is told. */
export class BadPhotograph extends Error {}

export async function decode(file: Blob): Promise<Raster> {
  if (file.size > S.MAX_BYTES) throw new BadPhotograph("photo-too-large");
  const kind = kindOf(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new BadPhotograph("photo-truncated");
  }
  const { width, height } = bitmap;
  if (width * height > S.MAX_PIXELS) throw new BadPhotograph("photo-too-large");
  if (Math.min(width, height) < S.MIN_SIDE) throw new BadPhotograph("photo-too-small");
  const canvas = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  canvas.fillRect(0, 0, width, height); // black behind what is transparent
  canvas.drawImage(bitmap, 0, 0);
  bitmap.close();
  const image = canvas.getImageData(0, 0, width, height);
  const least = Math.ceil(Math.max(width, height) / S.LONGEST);
  const factor = kind === "jpeg" ? 2 ** Math.ceil(Math.log2(least)) : least; // as libjpeg can
  return factor > 1 ? reduce(image, factor, factor) : image;
}

/** Whether a server that may not be reached would take the file; it is told by how files begin, not by their names. */
function kindOf(head: Uint8Array): "jpeg" | "png" | "webp" {
  const at = (place: number, word: string) => [...word].every((letter, i) => head[place + i] === letter.charCodeAt(0));
  if (at(0, "\xff\xd8\xff")) return "jpeg";
  if (at(0, "\x89PNG\r\n\x1a\n")) return "png";
  if (at(0, "RIFF") && at(8, "WEBP")) return "webp";
  const others = ["GIF8", "BM", "II*\0", "MM\0*", "%PDF", "\0\0\x01\0"];
  throw new BadPhotograph(others.some((magic) => at(0, magic)) || at(4, "ftyp") ? "photo-unsupported" : "photo-not-image");
}
