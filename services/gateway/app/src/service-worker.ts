// Answers the app's requests from the release in use, as the page has put it into the cache, and nothing else: what is
// fetched, checked and put into use is the page's business (release.ts). So a screening never meets two releases.

/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope;

const CACHE = "jicho";
const IN_USE = "/app/release/in-use";

self.addEventListener("install", () => void self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.searchParams.has("sha256")) return; // the page fetches another release
  if (url.pathname.startsWith("/app/")) event.respondWith(answer(event.request, url.pathname));
});

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const release = await cache.match(IN_USE);
  if (release) {
    const files = (await release.json()) as Record<string, string>;
    const kept = files[path] && (await cache.match(`/app/kept/${files[path]}`));
    if (kept) return kept;
  }
  return fetch(request);
}

export {};
