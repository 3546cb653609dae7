// The files of the app on this phone. They are fetched one by one, each checked against its hash and kept under it; a
// release is put into use in one step, when all of it is here and no screening is open on any page.

const CACHE = "jicho";
const IN_USE = "/app/release/in-use";
const SCREENING = "jicho-screening";

export interface Release {
  version: string;
  release: string;
  groups: { name: string; files: { url: string; sha256: string; bytes: number; transfer: number }[] }[];
}

/** A download that did not come to its end; what came is kept. */
export class Stopped extends Error {}

const kept = (sha256: string) => `/app/kept/${sha256}`;

/** Whether this browser can keep the app at all: only on https and on localhost. */
export const canKeep = (): boolean => "serviceWorker" in navigator && "caches" in self;

export const register = (): Promise<unknown> => navigator.serviceWorker.register("/app/service-worker.js", { scope: "/app/" });

/** The hash of the release in use, empty while there is none. */
export async function inUse(): Promise<string> {
  const found = await (await caches.open(CACHE)).match(IN_USE);
  return found?.headers.get("X-Release") ?? "";
}

/** The newest release that the server has. Throws Stopped. */
export async function newest(): Promise<Release> {
  try {
    const answer = await fetch("/app/release.json", { cache: "no-store" });
    if (answer.ok) return (await answer.json()) as Release;
  } catch {
    // no network
  }
  throw new Stopped();
}

/** What a release needs that is not on this phone yet. */
export async function missing(release: Release, groups: string[]): Promise<Release["groups"][0]["files"]> {
  const cache = await caches.open(CACHE);
  const wanted = release.groups.filter((group) => groups.includes(group.name)).flatMap((group) => group.files);
  const here = await Promise.all(wanted.map((file) => cache.match(kept(file.sha256))));
  return wanted.filter((_, i) => !here[i]);
}

/** Fetches what is missing, one file after the other. Throws Stopped. */
export async function fetchAll(release: Release, groups: string[], progress: (done: number, all: number) => void): Promise<void> {
  const cache = await caches.open(CACHE);
  const files = await missing(release, groups);
  const all = files.reduce((sum, file) => sum + file.transfer, 0);
  let done = 0;
  progress(done, all);
  for (const file of files) {
    const answer = await fetch(`${file.url}?sha256=${file.sha256}`, { cache: "no-cache" }).catch(() => null);
    const content = answer?.ok ? await answer.arrayBuffer().catch(() => null) : null;
    if (!answer || !content || (await digest(content)) !== file.sha256) throw new Stopped(file.url);
    const headers = new Headers();
    for (const name of ["Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy"]) {
      const value = answer.headers.get(name);
      if (value) headers.set(name, value);
    }
    await cache.put(kept(file.sha256), new Response(content, { headers }));
    progress((done += file.transfer), all);
  }
}

/** Puts a release whose files are all here into use, unless a screening is open on some page. Whether it did. */
export async function use(release: Release, groups: string[]): Promise<boolean> {
  return navigator.locks.request(SCREENING, { ifAvailable: true }, async (lock) => {
    if (!lock || (await missing(release, groups)).length > 0) return false;
    const files = release.groups.filter((group) => groups.includes(group.name)).flatMap((group) => group.files);
    const cache = await caches.open(CACHE);
    const listed = Object.fromEntries(files.map((file) => [file.url, file.sha256]));
    await cache.put(IN_USE, new Response(JSON.stringify(listed), { headers: { "X-Release": release.release } }));
    const wanted = new Set(files.map((file) => kept(file.sha256)));
    for (const request of await cache.keys()) {
      const path = new URL(request.url).pathname;
      if (path !== IN_USE && !wanted.has(path)) await cache.delete(request);
    }
    return true;
  });
}

/** Holds back every other release until the answer is called, and has come to its end. */
export async function hold(): Promise<() => Promise<void>> {
  return new Promise((held) => {
    const ended: Promise<void> = navigator.locks.request(SCREENING, { mode: "shared" }, () => {
      return new Promise<void>((end) => held(() => (end(), ended)));
    });
  });
}

async function digest(content: ArrayBuffer): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
