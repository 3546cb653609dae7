// The thread in which photographs are read: the page stays free to answer a finger.

import { BadPhotograph } from "./decode";
import { Engine, type Reading, manifestOf } from "./engine";
import { Graph } from "./graph";
import type { Tier } from "./manifest";
import type { Raster } from "./raster";
import { downloaded, inUse } from "./source";
import { taken } from "./taken";
import { Twin } from "./twin";

export type Ask =
  | { id: number; what: "load"; folder: string; tier: string }
  | { id: number; what: "read"; folder: string; tier: string; photograph: Blob }
  | { id: number; what: "try"; folder: string; listed: Record<string, string> }
  | { id: number; what: "warm"; folder: string; tier: Tier }
  | { id: number; what: "views"; folder: string; tier: Tier; pixels: Raster; views: number[] };
/** `photograph`: the bytes that were read, which are what is kept. */
export type Answer =
  | { id: number; stage: string; share: number }
  | { id: number; reading: Reading | null; photograph: ArrayBuffer | null }
  | { id: number; sums: Float64Array }
  | { id: number; error: string; detail: string };

let open: { name: string; engine: Engine } | null = null;
let graph: { sha256: string; graph: Graph } | null = null;
let turn: Promise<unknown> = Promise.resolve();

async function engine(folder: string, tier: string): Promise<Engine> {
  const name = folder + tier;
  if (open?.name !== name) {
    await open?.engine.close(); // two would not fit a cheap phone
    open = null;
    const opened = await Engine.open(inUse(folder), tier);
    await opened.graph.warm();
    open = { name, engine: opened };
    void Twin.start(folder, opened.tier).then((twin) => {
      if (open?.engine === opened) opened.twin = twin;
      else twin?.close();
    });
  }
  return open.engine;
}

/** Whether every tier of a model that was downloaded finds what it has to. Throws ModelError. */
async function tried(folder: string, listed: Record<string, string>): Promise<void> {
  const source = downloaded(folder, listed);
  for (const name of Object.keys((await manifestOf(source)).tiers)) {
    const one = await Engine.open(source, name);
    try {
      await one.check(source);
    } finally {
      await one.close();
    }
  }
}

async function graphOf(folder: string, tier: Tier): Promise<Graph> {
  if (graph?.sha256 !== tier.sha256) graph = { sha256: tier.sha256, graph: await Graph.open(inUse(folder), tier) };
  return graph.graph;
}

async function answer(ask: Ask): Promise<Answer> {
  const { id } = ask;
  const progress = (stage: string, share: number) => postMessage({ id, stage, share } satisfies Answer);
  const nothing = { id, reading: null, photograph: null };
  try {
    switch (ask.what) {
      case "load":
        await engine(ask.folder, ask.tier);
        return nothing;
      case "read": {
        progress("load", 0);
        const { image, content } = await taken(ask.photograph);
        const reading = await (await engine(ask.folder, ask.tier)).read(image, progress);
        return { id, reading, photograph: content };
      }
      case "try":
        await tried(ask.folder, ask.listed);
        return nothing;
      case "warm":
        await (await graphOf(ask.folder, ask.tier)).warm();
        return { id, sums: new Float64Array() };
      case "views":
        return { id, sums: await (await graphOf(ask.folder, ask.tier)).sums(ask.pixels, ask.views) };
    }
  } catch (error) {
    const known = error instanceof BadPhotograph;
    return { id, error: known ? error.message : "model-failed", detail: String(error) };
  }
}

onmessage = ({ data }: MessageEvent<Ask>) => {
  turn = turn.then(async () => {
    const said = await answer(data);
    postMessage(said, "photograph" in said && said.photograph ? { transfer: [said.photograph] } : undefined);
  });
};
