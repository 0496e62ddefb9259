// The pause: the picture is hidden and the clock stands until the reader goes on.

import { commandOf } from "../controls/key_events.js";

export class Pause {
  /** Fulfilled while there is no pause, otherwise when it ends. */
  over = Promise.resolve();
  #dialog = document.querySelector("#pause");
  #stage;
  #paradata;
  #place;
  #end = null;

  /**
   * @param {{stage: object, paradata: object, place: () => string | null, whenHidden: boolean}} parts
   *   `place`: where the reader stands, null while nothing is read; `whenHidden`: pause by itself when the page is out
   *   of sight
   */
  constructor({ stage, paradata, place, whenHidden }) {
    this.#stage = stage;
    this.#paradata = paradata;
    this.#place = place;
    document.addEventListener("command", ({ detail }) => detail === "pause" && this.begin());
    document.querySelector("#take-pause").addEventListener("click", (event) => this.begin(event.timeStamp));
    if (whenHidden)
      document.addEventListener("visibilitychange", (event) => document.hidden && this.begin(event.timeStamp));
    this.#dialog.addEventListener("keydown", (event) => this.#pressed(event));
    this.#dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      this.end();
    });
    // Told late: by then the next pause may have begun.
    this.#dialog.addEventListener("close", () => this.#dialog.open || this.#ended());
  }

  get isOn() {
    return this.#end !== null;
  }

  begin(at = performance.now()) {
    const place = this.isOn ? null : this.#place();
    if (place === null) return;
    document.querySelector("#pause-place").textContent = place;
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.#paradata.pause(true, at);
    this.#stage.hide();
    this.#dialog.showModal();
  }

  /** Go on, by the button, the pause key or Escape. */
  end() {
    this.#dialog.close();
    this.#ended();
  }

  #ended() {
    if (!this.isOn) return;
    this.#stage.unhide();
    const resolve = this.#end;
    this.#end = null;
    // In a page that went out of sight again before it was drawn, the next pause is on by then.
    requestAnimationFrame((seen) => this.isOn || this.#paradata.pause(false, seen));
    resolve();
  }

  #pressed(event) {
    // Keys inside a dialog are not commands, except for this one.
    const { key, code, shiftKey, repeat } = event;
    const name = commandOf({ key, code, shiftKey, repeat, target: document.body });
    if (name === "pause") {
      event.preventDefault();
      event.stopPropagation(); // outside the closed dialog it would be a command again
      this.end();
    } else if (/^[1-9]$/.test(key)) this.#paradata.noteUntimely();
  }
}
