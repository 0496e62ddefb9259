// One value that outlives the page, and the browser too. localStorage would not do: Chromium writes it to the disk
// seconds later, and a browser that is killed before loses it; a committed IndexedDB transaction stays.

const DATABASE = "reading";
const STORE = "kept";

export class Keep {
  #name;
  #database;

  /** @param {string} name the key of the value, one per reader and session */
  constructor(name) {
    this.#name = name;
    this.#database = openDatabase().catch(() => null); // no database in this browser: localStorage has it
  }

  /** @returns {Promise<object | null>} */
  async get() {
    const database = await this.#database;
    if (!database) return JSON.parse(localStorage.getItem(this.#name));
    return (await answerOf(database.transaction(STORE).objectStore(STORE).get(this.#name))) ?? null;
  }

  /** Kept once the promise is fulfilled; a reload in the meantime does not stop it. */
  set(value) {
    return this.#write((store) => store.put(value, this.#name), value);
  }

  remove() {
    return this.#write((store) => store.delete(this.#name), null);
  }

  async #write(change, value) {
    const database = await this.#database;
    if (!database && value) return localStorage.setItem(this.#name, JSON.stringify(value));
    if (!database) return localStorage.removeItem(this.#name);
    const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
    change(transaction.objectStore(STORE));
    const done = new Promise((resolve) => {
      transaction.oncomplete = transaction.onabort = resolve;
    });
    transaction.commit(); // at once, or a page that goes away would take it along
    return done;
  }
}

async function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return answerOf(request);
}

function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
}
