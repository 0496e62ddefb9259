// Only one page reads a session: the newest that claimed it. The page that lost the session learns of it and stops.

import { get, post, Refused, retry, TakenOver } from "../network/api.js";
import { newKey } from "../network/outbox.js";

/** @import { Step } from "../network/api.js" */

const HEARTBEAT_MS = 20_000;

/** Dispatches "lost" when another page, here or on another device, has taken the session over. */
export class SessionLock extends EventTarget {
  /** The id of this page. */
  page = newKey();
  #urls;
  #isHeld = false;
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
    addEventListener("pagehide", () => this.#channel.close()); // a restored page is loaded again
    setInterval(() => this.#checkIfVisible(), HEARTBEAT_MS);
    for (const event of ["focus", "online"]) addEventListener(event, () => this.check());
    document.addEventListener("visibilitychange", () => this.#checkIfVisible());
  }

  /**
   * Take the session over.
   * @param {() => void} onNoResponse called after each attempt without a response
   * @returns {Promise<Step>} at which the session is
   */
  async take(onNoResponse) {
    const step = await this.#open(onNoResponse);
    if (step.kind === "wait" || step.kind === "done") return step; // nothing to lock
    this.#isHeld = true;
    this.#channel.postMessage("claimed");
    return step;
  }

  /** Ask the server whether this page still has the session. Without a response it keeps it. */
  async check() {
    if (!this.#isHeld) return;
    await get(`${this.#urls.step}?page=${this.page}`).catch((error) => {
      if (error instanceof TakenOver) this.lose();
    });
  }

  lose() {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.dispatchEvent(new Event("lost"));
  }

  /** The reading is over: nothing is left to lose. */
  release() {
    this.#isHeld = false;
  }

  /**
   * @param {() => void} onNoResponse
   * @returns {Promise<Step>}
   */
  async #open(onNoResponse) {
    try {
      return await retry(() => post(this.#urls.open, { page: this.page }), onNoResponse);
    } catch (error) {
      if (error instanceof Refused && error.step) return error.step; // it says why the session must wait
      throw error;
    }
  }

  #checkIfVisible() {
    if (!document.hidden) this.check();
  }
}
