// Names by which the page, its threads and the service worker find the files of the app on this phone.

export const CACHE = "jicho";
export const IN_USE = "/app/release/in-use";

export const kept = (sha256: string): string => `/app/kept/${sha256}`;
