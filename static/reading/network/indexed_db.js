// One value that outlives the page and the browser. localStorage is not enough: Chromium writes it to disk seconds
// later and loses it if the browser is killed before; a committed IndexedDB transaction stays.

const DATABASE = "reading";
const STORE = "kept";

/** @template T */
export class StoredValue {
  #name;
  #database;

  /** @param {string} name key of the value, one per reader and session */
  constructor(name) {
    this.#name = name;
    /** @type {Promise<IDBDatabase | null>} null: this browser has none, localStorage is used instead */
    this.#database = openDatabase().catch(() => null);
  }

  /** @returns {Promise<T | null>} */
  async get() {
    const database = await this.#database;
    if (!database) return JSON.parse(localStorage.getItem(this.#name) ?? "null");
    return (await resultOf(database.transaction(STORE).objectStore(STORE).get(this.#name))) ?? null;
  }

  /**
   * Store the value. It is on disk once the promise is fulfilled; a reload in the meantime does not stop it.
   * @param {T} value
   */
  set(value) {
    return this.#write((store) => store.put(value, this.#name), value);
  }

  remove() {
    return this.#write((store) => store.delete(this.#name), null);
  }

  /**
   * @param {(store: IDBObjectStore) => void} change
   * @param {T | null} value for localStorage
   */
  async #write(change, value) {
    const database = await this.#database;
    if (!database && value) return localStorage.setItem(this.#name, JSON.stringify(value));
    if (!database) return localStorage.removeItem(this.#name);
    const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
    change(transaction.objectStore(STORE));
    const done = /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        transaction.oncomplete = transaction.onabort = () => resolve();
      })
    );
    transaction.commit(); // now: without it, a page that is closed would discard the transaction
    return done;
  }
}

async function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return resultOf(request);
}

/**
 * @template R
 * @param {IDBRequest<R>} request
 * @returns {Promise<R>}
 */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    if (request instanceof IDBOpenDBRequest) request.onblocked = () => reject(request.error);
  });
}
