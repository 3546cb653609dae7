import type { Reading } from "./engine";
import type { Answer, Ask } from "./worker";

/** Why a photograph was not read; `message` is the id of a sentence. */
export class NotRead extends Error {}

type Progress = (stage: string, share: number) => void;

/** Reads photographs in a thread of its own, one after the other. */
export class Reader {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly waiting = new Map<number, { settle: (answer: Answer) => void; progress: Progress }>();
  private last = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const asked = this.waiting.get(data.id);
      if ("stage" in data) asked?.progress(data.stage, data.share);
      else asked?.settle(data);
    };
  }

  /** Loads a model before it is needed. Throws NotRead. */
  async load(folder: string, tier: string): Promise<void> {
    await this.ask({ what: "load", folder, tier });
  }

  /** What was found, and the bytes it was found in, which are fewer than those of a camera. Throws NotRead. */
  async read(folder: string, tier: string, photograph: Blob, progress: Progress): Promise<{ reading: Reading; photograph: ArrayBuffer }> {
    return (await this.ask({ what: "read", folder, tier, photograph }, progress)) as { reading: Reading; photograph: ArrayBuffer };
  }

  /** Tries a model that was downloaded on its golden cases. Throws NotRead when it may not be put into use. */
  async try(folder: string, listed: Record<string, string>): Promise<void> {
    await this.ask({ what: "try", folder, listed });
  }

  close(): void {
    this.worker.terminate();
  }

  private ask(ask: WithoutId<Ask>, progress: Progress = () => {}): Promise<{ reading: Reading | null; photograph: ArrayBuffer | null }> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer) => {
        this.waiting.delete(id);
        if ("error" in answer) reject(new NotRead(answer.error, { cause: answer.detail }));
        else if ("reading" in answer) resolve(answer);
      };
      this.waiting.set(id, { settle, progress });
      this.worker.postMessage({ ...ask, id });
    });
  }
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
