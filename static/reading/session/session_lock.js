// Which page reads: the newest that claimed the session. The page that lost it is told, and stops.

import { newKey } from "../network/outbox.js";
import { ask, persist, TakenOver, tell } from "../network/api.js";

const HEARTBEAT_MS = 20_000;

/** Says "lost" when another page, here or on another device, has taken the session over. */
export class Claim extends EventTarget {
  /** This page's name. */
  page = newKey();
  #urls;
  #held = false;
  #channel;

  /**
   * @param {{open: string, step: string}} urls
   * @param {string} name of the reader's session, for the other tabs of this browser
   */
  constructor(urls, name) {
    super();
    this.#urls = urls;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = () => this.check();
    addEventListener("pagehide", () => this.#channel.close()); // a restored page is loaded anew
    setInterval(() => document.hidden || this.check(), HEARTBEAT_MS);
    for (const event of ["focus", "online"]) addEventListener(event, () => this.check());
    document.addEventListener("visibilitychange", () => document.hidden || this.check());
  }

  /** Take the session over. @returns {Promise<object>} the step at which it stands */
  async take(onTrouble) {
    const step = await persist(() => tell(this.#urls.open, { page: this.page }), onTrouble).catch((trouble) => {
      if (trouble.step) return trouble.step; // refused, and the step says what it waits for
      throw trouble;
    });
    if (!step.stimulus) return step; // nothing to hold
    this.#held = true;
    this.#channel.postMessage("claimed");
    return step;
  }

  /** Ask the server whether this page still reads. Nobody answers: it does, as far as anybody knows. */
  async check() {
    if (!this.#held) return;
    await ask(`${this.#urls.step}?page=${this.page}`).catch((trouble) => {
      if (trouble instanceof TakenOver) this.lose();
    });
  }

  lose() {
    if (!this.#held) return;
    this.#held = false;
    this.dispatchEvent(new Event("lost"));
  }

  /** The reading is over: nothing is left to lose. */
  release() {
    this.#held = false;
  }
}
