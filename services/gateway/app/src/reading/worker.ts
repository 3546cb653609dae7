// The thread in which photographs are read: the page stays free to answer a finger.

import { BadPhotograph, decode } from "./decode";
import { Engine, type Reading } from "./engine";

export type Ask =
  | { id: number; what: "load"; folder: string; tier: string }
  | { id: number; what: "read"; folder: string; tier: string; photograph: Blob };
export type Answer =
  | { id: number; stage: string; share: number }
  | { id: number; reading: Reading | null }
  | { id: number; error: string; detail: string };

let open: { name: string; engine: Engine } | null = null;
let turn: Promise<unknown> = Promise.resolve();

async function engine(folder: string, tier: string): Promise<Engine> {
  const name = folder + tier;
  if (open?.name !== name) {
    await open?.engine.close(); // two would not fit a cheap phone
    open = null;
    const opened = await Engine.open(folder, tier);
    await opened.warm();
    open = { name, engine: opened };
  }
  return open.engine;
}

async function answer(ask: Ask): Promise<Answer> {
  const { id } = ask;
  const progress = (stage: string, share: number) => postMessage({ id, stage, share } satisfies Answer);
  try {
    progress("load", 0);
    const image = ask.what === "read" ? await decode(ask.photograph) : null;
    const ready = await engine(ask.folder, ask.tier);
    return { id, reading: image && (await ready.read(image, progress)) };
  } catch (error) {
    const known = error instanceof BadPhotograph;
    return { id, error: known ? error.message : "model-failed", detail: String(error) };
  }
}

onmessage = ({ data }: MessageEvent<Ask>) => {
  turn = turn.then(async () => postMessage(await answer(data)));
};
