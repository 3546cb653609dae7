// What is on this phone of patients, under a key that only the health worker's PIN opens. The PIN opens a random key,
// and that one each record: AES-GCM, each record bound to its place, as on the server.

const STORES = ["meta", "screenings", "photographs"] as const;
type Store = (typeof STORES)[number];
const ITERATIONS = 600_000; // OWASP's figure for PBKDF2 with SHA-256

export class WrongPin extends Error {}

interface Wrapped {
  salt: Uint8Array<ArrayBuffer>;
  iv: Uint8Array<ArrayBuffer>;
  wrapped: ArrayBuffer;
}

export class Vault {
  private constructor(
    private readonly database: IDBDatabase,
    private readonly key: CryptoKey,
  ) {}

  static async exists(): Promise<boolean> {
    return (await get(await opened(), "meta", "key")) !== undefined;
  }

  /** Opens what is here, or begins it where nothing is. Throws WrongPin. */
  static async open(pin: string): Promise<Vault> {
    const database = await opened();
    const found = (await get(database, "meta", "key")) as Wrapped | undefined;
    if (found) return new Vault(database, await unwrapped(found, pin, false));
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
    await put(database, "meta", "key", await wrapped(key, pin));
    await navigator.storage?.persist?.(); // or a full phone may throw it all away
    return Vault.open(pin);
  }

  /** From now on another PIN opens what is here: its key is wrapped anew, in one step. Throws WrongPin. */
  static async changePin(pin: string, other: string): Promise<void> {
    const database = await opened();
    const found = (await get(database, "meta", "key")) as Wrapped;
    await put(database, "meta", "key", await wrapped(await unwrapped(found, pin, true), other));
  }

  /** Forgets all there is, the key first. */
  static async erase(): Promise<void> {
    const database = await opened();
    for (const store of STORES) {
      const transaction = database.transaction(store, "readwrite", { durability: "strict" });
      await settled(transaction.objectStore(store).clear());
    }
  }

  async put(store: Store, id: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: place(store, id) }, this.key, content);
    await put(this.database, store, id, { iv, sealed });
  }

  async get(store: Store, id: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const found = (await get(this.database, store, id)) as { iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer } | undefined;
    if (!found) return null;
    const { iv, sealed } = found;
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: place(store, id) }, this.key, sealed));
  }

  async putJson(store: Store, id: string, value: unknown): Promise<void> {
    await this.put(store, id, new TextEncoder().encode(JSON.stringify(value)));
  }

  async getJson<T>(store: Store, id: string): Promise<T | null> {
    const found = await this.get(store, id);
    return found && (JSON.parse(new TextDecoder().decode(found)) as T);
  }

  async ids(store: Store): Promise<string[]> {
    return (await settled(this.database.transaction(store).objectStore(store).getAllKeys())) as string[];
  }

  async delete(store: Store, id: string): Promise<void> {
    const transaction = this.database.transaction(store, "readwrite", { durability: "strict" });
    await settled(transaction.objectStore(store).delete(id));
  }
}

const place = (store: Store, id: string) => new TextEncoder().encode(`${store}:${id}`);

async function wrapped(key: CryptoKey, pin: string): Promise<Wrapped> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { salt, iv, wrapped: await crypto.subtle.wrapKey("raw", key, await derived(pin, salt), { name: "AES-GCM", iv }) };
}

async function unwrapped(found: Wrapped, pin: string, extractable: boolean): Promise<CryptoKey> {
  const opener = await derived(pin, found.salt);
  return crypto.subtle
    .unwrapKey("raw", found.wrapped, opener, { name: "AES-GCM", iv: found.iv }, "AES-GCM", extractable, ["encrypt", "decrypt"])
    .catch(() => {
      throw new WrongPin();
    });
}

async function derived(pin: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const typed = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS };
  return crypto.subtle.deriveKey(how, typed, { name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);
}

function opened(): Promise<IDBDatabase> {
  const asked = indexedDB.open("jicho", 1);
  asked.onupgradeneeded = () => STORES.forEach((store) => asked.result.createObjectStore(store));
  return settled(asked);
}

const get = (database: IDBDatabase, store: Store, id: string): Promise<unknown> =>
  settled(database.transaction(store).objectStore(store).get(id));

/** Returns when it is on the disk. */
function put(database: IDBDatabase, store: Store, id: string, value: unknown): Promise<void> {
  const transaction = database.transaction(store, "readwrite", { durability: "strict" });
  transaction.objectStore(store).put(value, id);
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
