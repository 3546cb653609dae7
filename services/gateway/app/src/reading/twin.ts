// A second thread with the same graph, which takes half of the mirrored views: twice as fast where two cores are free,
// and hardly slower where they are not.

import type { Tier } from "./manifest";
import type { Raster } from "./raster";
import type { Answer, Ask } from "./worker";

const ENOUGH_MEMORY_GB = 4;

export class Twin {
  private readonly worker = new Worker(self.location.href, { type: "module" });

  private constructor(
    private readonly folder: string,
    private readonly tier: Tier,
  ) {}

  /** One that is ready, or null where it would not help. */
  static async start(folder: string, tier: Tier): Promise<Twin | null> {
    const phone = navigator as WorkerNavigator & { deviceMemory?: number };
    const helps = (tier.views ?? 1) > 1 && phone.hardwareConcurrency > 1;
    if (!helps || (phone.deviceMemory ?? ENOUGH_MEMORY_GB) < ENOUGH_MEMORY_GB) return null;
    const twin = new Twin(folder, tier);
    const ready = await twin.ask({ id: 0, what: "warm", folder, tier }).catch(() => null);
    if (!ready) twin.close();
    return ready && twin;
  }

  async sums(pixels: Raster, views: number[]): Promise<Float64Array> {
    return (await this.ask({ id: 0, what: "views", folder: this.folder, tier: this.tier, pixels, views }))!;
  }

  close(): void {
    this.worker.terminate();
  }

  private ask(ask: Ask): Promise<Float64Array> {
    return new Promise((resolve, reject) => {
      this.worker.onerror = (event) => reject(new Error(event.message));
      this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("sums" in data) resolve(data.sums);
        else if ("error" in data) reject(new Error(data.detail));
      };
      this.worker.postMessage(ask);
    });
  }
}
