// A newer release is fetched and tried while the worker works on, and put into use between two screenings.

import { notice } from "./dom";
import { chosen } from "./programmes";
import { NotRead } from "./reading/reader";
import * as release from "./release";
import { tried } from "./trial";
import { words } from "./words";

/** Tells the window that a newer release is ready to be put into use. */
export const READY = "jicho-update-ready";

const REFUSED = "refused-release";

let ready: { found: release.Release; groups: release.Group[] } | null = null;
let under = false;

/** Fetches a newer release when there is one, and tries its models. One whose models answer otherwise than they should
 * is not asked for again. */
export async function look(): Promise<void> {
  if (under || ready || !release.canKeep() || !navigator.onLine) return;
  under = true;
  try {
    const found = await release.newest();
    if (found.release === (await release.inUse()) || found.release === localStorage.getItem(REFUSED)) return;
    const groups = release.needed(found, chosen());
    await release.fetchAll(groups, () => {});
    await tried(groups).catch((error: unknown) => {
      localStorage.setItem(REFUSED, found.release);
      throw error;
    });
    ready = { found, groups };
    window.dispatchEvent(new Event(READY));
  } catch (error) {
    if (!(error instanceof release.Stopped || error instanceof NotRead)) throw error;
    if (error instanceof NotRead) notice(words("app-model-refused"));
  } finally {
    under = false;
  }
}

/** Puts the release that is ready into use, when no screening is open: true when the page has to start anew. */
export async function putIntoUse(): Promise<boolean> {
  if (!ready) return false;
  if (await release.use(ready.found, ready.groups)) return true;
  notice(words("app-update"));
  return false;
}
