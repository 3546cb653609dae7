// The files of the app on this phone. They are fetched one by one, each checked against its hash and kept under it; a
// release is put into use in one step, when all of it is here and no screening is open on any page.

import { CACHE, IN_USE, kept } from "./kept";

const SCREENING = "jicho-screening";

export interface Release {
  version: string;
  release: string;
  groups: Group[];
}

/** Files that belong together; `kind` says whether every phone needs them, or who works with that programme. */
export interface Group {
  name: string;
  kind: "shell" | "programme" | "audio";
  files: { url: string; sha256: string; bytes: number; transfer: number }[];
}

/** A download that did not come to its end; what came is kept. */
export class Stopped extends Error {}

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

/** The groups of a release that a phone with some programmes needs: the first programme where none are named. */
export function needed(release: Release, programmes: string[]): Group[] {
  const known = release.groups.filter((group) => group.kind === "programme").map((group) => group.name);
  const chosen = known.filter((name) => programmes.includes(name));
  const wanted = chosen.length > 0 ? chosen : known.slice(0, 1);
  return release.groups.filter((group) => group.kind !== "programme" || wanted.includes(group.name));
}

/** The hash of every file in use, by its URL. */
export async function listedInUse(): Promise<Record<string, string>> {
  const found = await (await caches.open(CACHE)).match(IN_USE);
  return found ? ((await found.json()) as Record<string, string>) : {};
}

/** The hashes of files by their URLs. */
export const listed = (groups: Group[]): Record<string, string> =>
  Object.fromEntries(groups.flatMap((group) => group.files).map((file) => [file.url, file.sha256]));

/** What of some groups is not on this phone yet. */
export async function missing(groups: Group[]): Promise<Group["files"]> {
  const cache = await caches.open(CACHE);
  const wanted = groups.flatMap((group) => group.files);
  const here = await Promise.all(wanted.map((file) => cache.match(kept(file.sha256))));
  return wanted.filter((_, i) => !here[i]);
}

/** Fetches what is missing, one file after the other. Throws Stopped. */
export async function fetchAll(groups: Group[], progress: (done: number, all: number) => void): Promise<void> {
  const cache = await caches.open(CACHE);
  const files = await missing(groups);
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
export async function use(release: Release, groups: Group[]): Promise<boolean> {
  return navigator.locks.request(SCREENING, { ifAvailable: true }, async (lock) => {
    if (!lock || (await missing(groups)).length > 0) return false;
    const cache = await caches.open(CACHE);
    const files = listed(groups);
    await cache.put(IN_USE, new Response(JSON.stringify(files), { headers: { "X-Release": release.release } }));
    const wanted = new Set(Object.values(files).map(kept));
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

/** SHA-256 in hexadecimal. */
export async function digest(content: ArrayBuffer): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
