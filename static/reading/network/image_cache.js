// The pictures at hand: those on screen and exactly one step ahead, decoded, in memory only.

import { Damaged, Gone, NoAnswer, SignInNeeded } from "./api.js";

export class Images {
  #workerUrl;
  #worker = null;
  #waiting = new Map();
  #held = new Map();
  #count = 0;

  /** @param {string} workerUrl hashed by the static files storage, hence given by the page */
  constructor(workerUrl) {
    this.#workerUrl = workerUrl;
    this.#start();
  }

  /**
   * The pictures of one presentation, by panel; asked for once however often this is called.
   * @param {{code: string, urls: Object<string, string>}} item
   * @returns {Promise<Object<string, object>>}
   */
  get(item) {
    if (!this.#held.has(item.code)) {
      const entry = { decoded: false, pictures: this.#loadAll(item.urls) };
      this.#held.set(item.code, entry);
      entry.pictures.then(
        () => (entry.decoded = true),
        () => this.#held.delete(item.code), // forgotten, so that the next call tries again
      );
    }
    return this.#held.get(item.code).pictures;
  }

  /** Whether its pictures are decoded and wait only to be drawn. */
  has(item) {
    return this.#held.get(item.code)?.decoded ?? false;
  }

  /** Let go of everything but these codes. */
  keepOnly(...codes) {
    for (const code of [...this.#held.keys()]) if (!codes.includes(code)) this.#held.delete(code);
  }

  async #loadAll(urls) {
    const names = Object.keys(urls);
    const pictures = await Promise.all(names.map((name) => this.#load(urls[name])));
    return Object.fromEntries(names.map((name, i) => [name, pictures[i]]));
  }

  #start() {
    this.#worker = new Worker(this.#workerUrl, { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#arrived(data);
    // Its script could not be fetched: a new one with the next try.
    this.#worker.onerror = () => {
      this.#worker = null;
      for (const id of [...this.#waiting.keys()]) this.#arrived({ id, status: 0 });
    };
  }

  #load(url) {
    if (!this.#worker) this.#start();
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, url: new URL(url, location.href).href });
    });
  }

  #arrived({ id, picture, status }) {
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (picture) resolve(picture);
    else reject(troubleOf(status));
  }
}

function troubleOf(status) {
  if (status === 401 || status === 403) return new SignInNeeded();
  if (status === 404 || status === 410) return new Gone();
  if (status === 422) return new Damaged();
  return new NoAnswer();
}
