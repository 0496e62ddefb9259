// The last page of a session: finished, waiting, or broken off by an error.

import { DamagedImage, get, Refused } from "../network/api.js";

/** @import { DoneStep, Step, WaitStep } from "../network/api.js" */
/** @import { Page } from "./page.js" */

/**
 * Show why there are no more images, and what comes next.
 * @param {Page} page
 * @param {DoneStep | WaitStep} step
 * @param {{nextStep?: string, nextSession?: string}} addresses of the next session: in the API, and its page
 */
export function showEnd(page, step, { nextStep = "", nextSession = "" }) {
  if (step.kind !== "wait") {
    page.end("done", page.text("doneTitle"), page.text("doneText"));
    showNextSession(page, nextStep, nextSession);
    return;
  }
  const text = step.until ? page.text("waitUntil", { until: dateText(step.until) }) : page.text("waitText");
  page.end("waiting", page.text(step.reason ? "restsTitle" : "waitTitle"), step.reason ?? text);
}

/**
 * Return what to tell the reader about an error.
 * @param {Page} page
 * @param {unknown} error
 */
export function errorText(page, error) {
  if (error instanceof DamagedImage) return page.text("damaged");
  if (error instanceof Refused && error.message) return error.message;
  if (!(error instanceof Refused)) console.error(error);
  return page.text("errorText");
}

/**
 * Show the next session and when it opens. Without a response nothing is shown: the list of sessions has it too.
 * @param {Page} page
 * @param {string} stepUrl
 * @param {string} pageUrl
 */
async function showNextSession(page, stepUrl, pageUrl) {
  const step = await stepOfNextSession(stepUrl);
  if (step === "none") page.showNext(page.text("nextNone"), null);
  else if (step?.kind === "wait" && step.until)
    page.showNext(page.text("nextUntil", { until: dateText(step.until) }), null);
  else if (step && step.kind !== "done") page.showNext(page.text("nextNow"), pageUrl);
}

/**
 * Return the step of the next session; "none" after the last session, null without a response.
 * @param {string} url
 * @returns {Promise<Step | "none" | null>}
 */
function stepOfNextSession(url) {
  return get(url).catch((error) => (error instanceof Refused && error.status === 404 ? "none" : null));
}

/**
 * Return a date as the server writes it: the day first, 24 hours, a comma between. "en" alone would be American.
 * @param {string} moment
 */
function dateText(moment) {
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const date = new Date(moment);
  const day = date.toLocaleDateString(language, { dateStyle: "long" });
  return `${day}, ${date.toLocaleTimeString(language, { timeStyle: "short" })}`;
}
