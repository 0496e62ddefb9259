// The images on screen and those of one or two steps ahead: decoded, in memory only.

import { DamagedImage, Gone, NoResponse, SignInRequired } from "./api.js";

/** @import { Presentation } from "./api.js" */

const BYTES_PER_PIXEL = 2;
const SHARE = 1 / 32; // of the device's memory, for the images of three steps
const USUAL_MEMORY = 4; // GiB; not every browser tells, and none does over plain HTTP

/**
 * Whether the device has the memory for the images of a number of steps.
 * @param {Presentation} presentation that is as large as the others
 * @param {number} steps
 */
export function hasMemoryFor({ urls, pixels }, steps) {
  const memory = /** @type {Navigator & {deviceMemory?: number}} */ (navigator).deviceMemory ?? USUAL_MEMORY;
  return steps * Object.keys(urls).length * pixels * BYTES_PER_PIXEL <= SHARE * memory * 2 ** 30;
}

/** @template Decoded what the worker makes of a file */
export class ImageCache {
  #workerUrl;
  /** @type {Worker | null} */
  #worker = null;
  /**
   * @type {Map<number, {resolve: (image: Decoded) => void, reject: (error: Error) => void,
   *   onProgress: (share: number) => void}>}
   */
  #requests = new Map();
  /** @type {Map<string, {isDecoded: boolean, shares: number[], images: Promise<Record<string, Decoded>>}>} */
  #entries = new Map();
  #count = 0;

  /** @param {string} workerUrl contains a hash by the static files storage, so the page passes it */
  constructor(workerUrl) {
    this.#workerUrl = workerUrl;
    this.#worker = this.#startWorker();
  }

  /**
   * Return the images of one presentation by panel. They are requested once, however often this is called.
   * @param {Presentation} presentation
   */
  get({ code, urls }) {
    const known = this.#entries.get(code);
    if (known) return known.images;
    const shares = Object.keys(urls).map(() => 0);
    const entry = { isDecoded: false, shares, images: this.#loadAll(urls, shares) };
    this.#entries.set(code, entry);
    entry.images.then(
      () => (entry.isDecoded = true),
      () => this.#entries.delete(code), // the next call requests them again
    );
    return entry.images;
  }

  /**
   * Whether the images are decoded and can be drawn at once.
   * @param {Presentation} presentation
   */
  has({ code }) {
    return this.#entries.get(code)?.isDecoded ?? false;
  }

  /**
   * Return the share of the images' bytes that has arrived, from 0 to 1.
   * @param {Presentation} presentation
   */
  progressOf({ code }) {
    const shares = this.#entries.get(code)?.shares ?? [0];
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }

  /**
   * Discard all images but those of these presentations.
   * @param {(string | undefined)[]} codes
   */
  keepOnly(...codes) {
    for (const code of [...this.#entries.keys()]) if (!codes.includes(code)) this.#entries.delete(code);
  }

  /**
   * @param {Record<string, string>} urls
   * @param {number[]} shares kept up to date while the images arrive
   * @returns {Promise<Record<string, Decoded>>}
   */
  async #loadAll(urls, shares) {
    const panels = Object.keys(urls);
    const images = await Promise.all(
      panels.map((panel, i) => this.#load(urls[panel], (share) => (shares[i] = share))),
    );
    return Object.fromEntries(panels.map((panel, i) => [panel, images[i]]));
  }

  #startWorker() {
    const worker = new Worker(this.#workerUrl, { type: "module" });
    worker.onmessage = ({ data }) => this.#received(data);
    // The worker's script could not be fetched: the next request starts another worker.
    worker.onerror = () => {
      this.#worker = null;
      for (const id of [...this.#requests.keys()]) this.#received({ id, status: 0 });
    };
    return worker;
  }

  /**
   * @param {string} url
   * @param {(share: number) => void} onProgress
   * @returns {Promise<Decoded>}
   */
  #load(url, onProgress) {
    const worker = (this.#worker ??= this.#startWorker());
    return new Promise((resolve, reject) => {
      const id = ++this.#count;
      this.#requests.set(id, { resolve, reject, onProgress });
      worker.postMessage({ id, url: new URL(url, location.href).href });
    });
  }

  /** @param {{id: number, image?: Decoded, status?: number, share?: number}} message */
  #received({ id, image, status = 0, share }) {
    const request = this.#requests.get(id);
    if (share !== undefined) return request?.onProgress(share);
    this.#requests.delete(id);
    if (image) request?.resolve(image);
    else request?.reject(errorOf(status));
  }
}

/** @param {number} status of HTTP; 0: no response; 422: cannot be decoded */
function errorOf(status) {
  if (status === 401 || status === 403) return new SignInRequired();
  if (status === 404 || status === 410) return new Gone();
  if (status === 422) return new DamagedImage();
  return new NoResponse();
}
