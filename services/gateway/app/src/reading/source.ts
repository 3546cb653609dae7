import { CACHE, kept } from "../kept";
import { ModelError, type Source } from "./graph";

/** The files of the release in use, or of a server: `folder` is a URL that ends in a slash. */
export function inUse(folder: string): Source {
  return async (name) => {
    const answer = await fetch(folder + name).catch((error: unknown) => {
      throw new ModelError(`${folder}${name}: ${String(error)}`);
    });
    if (!answer.ok) throw new ModelError(`${folder}${name}: ${answer.status}`);
    return answer.arrayBuffer();
  };
}

/** The files of a release that was downloaded and is not in use yet; `listed` has their hashes by URL. */
export function downloaded(folder: string, listed: Record<string, string>): Source {
  return async (name) => {
    const found = await (await caches.open(CACHE)).match(kept(listed[folder + name]));
    if (!found) throw new ModelError(`${folder}${name} is not on this phone`);
    return found.arrayBuffer();
  };
}
