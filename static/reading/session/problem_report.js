// Reports a problem with the image on screen to the coordinator, from the pause: the image is hidden meanwhile and the
// clock stands still. A report is not a verdict.

import { data, find } from "../dom.js";
import { post, Refused, retry } from "../network/api.js";
import { newKey } from "../network/outbox.js";

export class ProblemReport {
  #details = find("#problem", HTMLDetailsElement);
  #form = find("form", HTMLFormElement, this.#details);
  #text = find("textarea", HTMLTextAreaElement, this.#details);
  #send = find("button", HTMLButtonElement, this.#details);
  #status = find("#problem-status", HTMLElement);
  #openButton = find("[data-command=report]", HTMLButtonElement);
  #pause;
  #url;
  #lock;
  /** @type {string | null} code of the presentation; null while there is none to report */
  #code = null;
  /** The same for every attempt to send one report. */
  #key = newKey();

  /**
   * @param {import("./pause.js").Pause} pause
   * @param {string} url to send reports to
   * @param {{page: string}} lock has the id of this browser page
   */
  constructor(pause, url, lock) {
    this.#pause = pause;
    this.#url = url;
    this.#lock = lock;
    document.addEventListener("command", (event) => {
      if (event instanceof CustomEvent && event.detail === "report") this.#open();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.about(null);
  }

  /**
   * From now on, a report is about this presentation.
   * @param {string | null} code null: no image can be reported now
   */
  about(code) {
    this.#openButton.disabled = this.#details.hidden = code === null;
    if (code === null || code === this.#code) return;
    this.#code = code;
    this.#details.open = false;
    this.#renew();
    this.#status.textContent = "";
  }

  #open() {
    if (this.#details.hidden) return;
    this.#pause.begin();
    if (!this.#pause.isOn) return;
    this.#details.open = true;
    this.#text.focus();
  }

  #renew() {
    this.#key = newKey();
    this.#text.value = "";
  }

  async #submit() {
    this.#send.disabled = true;
    const code = this.#code;
    const body = { stimulus: code, text: this.#text.value, key: this.#key, page: this.#lock.page };
    const showOffline = () => (this.#status.textContent = data(this.#details, "offline"));
    const text = await retry(() => post(this.#url, body), showOffline).then(
      () => data(this.#details, "sent"),
      (error) => (error instanceof Refused && error.message) || data(this.#details, "failed"),
    );
    this.#send.disabled = false;
    if (code !== this.#code) return;
    this.#status.textContent = text;
    if (text === data(this.#details, "sent")) this.#renew();
  }
}
