// What is kept and sent of a photograph. A camera's file of several megabytes is made smaller before anything is read
// from it, so that the phone and the server, which gets no other, read the same picture.

import { pocket as K, preprocess as P } from "../specification.json";
import { decode } from "./decode";
import { type Raster, rounded } from "./raster";
import { resize, whole } from "./resample";

export interface Taken {
  image: Raster;
  content: ArrayBuffer;
}

/** Throws BadPhotograph. */
export async function taken(file: Blob): Promise<Taken> {
  const image = await decode(file);
  if (file.size <= K.MOST_BYTES) return { image, content: await file.arrayBuffer() };
  const small = await encoded(fitted(image));
  return { image: await decode(small), content: await small.arrayBuffer() };
}

function fitted(image: Raster): Raster {
  const scale = K.LONGEST / Math.max(image.width, image.height);
  if (scale >= 1) return image;
  return resize(image, rounded(image.width * scale), rounded(image.height * scale), "bilinear", whole(image), P.REDUCING_GAP);
}

/** As JPEG, at the best quality with which it is small enough, or the worst. */
async function encoded(image: Raster): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")!.putImageData(new ImageData(new Uint8ClampedArray(image.data), image.width, image.height), 0, 0);
  let file: Blob | null = null;
  for (const quality of K.QUALITIES) {
    file = await canvas.convertToBlob({ type: "image/jpeg", quality });
    if (file.size <= K.MOST_BYTES) break;
  }
  return file!;
}
