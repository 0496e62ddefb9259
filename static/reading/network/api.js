// Requests to the reader's API , the shapes of its answers, and the errors of requests.

import { find } from "../dom.js";

/**
 * What is shown at one position of the reading list.
 * @typedef {object} Presentation
 * @property {string} code random, of this presentation alone
 * @property {Record<string, string>} urls addresses of its images, by panel
 * @property {boolean} flip whether the image hangs mirrored left to right
 * @property {number} pixels of each of its images
 * @property {AidScore} [aid] what is shown beside the image
 * @property {string} [lesson] the address of what a triptych teaches
 * @property {string} [line] the address of the line of text below a triptych, once it is the current one
 */

/**
 * What a triptych teaches.
 * @typedef {object} Lesson
 * @property {string} sentence how the image was altered; "" if the plan says nothing of it
 * @property {number | null} full_colour share of the grey scale that full colour stands for in the session
 * @property {boolean} has_lines whether a triptych of the session has a line of text below it
 */

/**
 * The score of a classifier for an image, and its threshold, as texts with two decimals.
 * @typedef {object} AidScore
 * @property {string} score
 * @property {string} threshold
 * @property {boolean} above
 */

/**
 * A presentation as the API describes it.
 * @typedef {object} Stimulus
 * @property {string} code
 * @property {number} width pixels
 * @property {number} height
 * @property {string} [image] address of the only image
 * @property {Record<string, string>} [images] addresses by panel
 * @property {boolean} [flip]
 * @property {boolean} [break] whether a break comes before it
 * @property {AidScore} [aid] in a session with an aid
 * @property {string} [lesson]
 * @property {string} [line]
 */

/**
 * A question that follows a verdict, or that is asked once at the end of a session.
 * @typedef {object} Question
 * @property {string} name
 * @property {"choice" | "choices" | "scale" | "number" | "text" | "mark"} kind
 * @property {string} text
 * @property {{value: string, text: string}[]} [choices]
 * @property {string[]} [after] the verdicts that it follows; empty: all
 * @property {boolean} required
 * @property {number} most marks
 * @property {number | null} [minimum]
 * @property {number | null} [maximum]
 * @property {string | null} [minimum_label]
 * @property {string | null} [maximum_label]
 * @property {boolean} [whole]
 * @property {number} [longest] characters of a text
 */

/**
 * @typedef {object} PresentationStep
 * @property {"practise" | "read" | "teach"} kind
 * @property {number} [position] from 1; missing in practice
 * @property {number} total
 * @property {Stimulus} stimulus
 * @property {Record<string, string>} [images] addresses by panel
 * @property {Stimulus | null} next
 * @property {Stimulus | null} after_next
 * @property {boolean} break whether a break comes before this image
 * @property {string[]} verdicts that may be given
 * @property {Question[]} questions
 */

/** @typedef {{kind: "ask", questions: Question[]}} AskStep once, at the end of the session */
/** @typedef {{kind: "wait", until: string | null, reason?: string}} WaitStep */
/** @typedef {{kind: "done"}} DoneStep */
/** @typedef {PresentationStep | AskStep | WaitStep | DoneStep} Step */

/**
 * A choice or a text, a number, several choices, or marks in pixels of the file.
 * @typedef {string | number | string[] | [number, number][]} Answer
 */

/**
 * A verdict on one presentation, as the API accepts it.
 * @typedef {object} Reading
 * @property {string} stimulus code of the presentation
 * @property {string} verdict
 * @property {number} elapsed_ms
 * @property {string} key a UUID, the same in every attempt to deliver it
 * @property {Record<string, unknown>} paradata
 * @property {Record<string, Answer>} [answers] by question
 */

/** The network or the server did not respond; another attempt may succeed. */
export class NoResponse extends Error {}
/** The reader is no longer signed in. */
export class SignInRequired extends Error {}
/** The address of an image is no longer valid: another window is at a later position. */
export class Gone extends Error {}
/** The image is incomplete or cannot be decoded. */
export class DamagedImage extends Error {}
/** Another page has taken the session over. */
export class TakenOver extends Error {
  /** Whether a verdict of this page was refused because of it. */
  verdictRefused = false;
}
/** The server refused the request and says why. */
export class Refused extends Error {
  /**
   * @param {number} status of HTTP
   * @param {{detail?: string, step?: Step}} body
   */
  constructor(status, { detail = "", step }) {
    super(detail);
    this.status = status;
    /** The step at which the session is, if the server names it. */
    this.step = step ?? null;
  }
}

/** The study is paused: the verdict was not stored and can be sent again later. */
export class StudyPaused extends Refused {}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8000;
const TIMEOUT_MS = 30_000;

/**
 * Return the JSON answer of a GET.
 * @param {string} url
 * @returns {Promise<any>}
 */
export const get = (url) => request(url, { method: "GET" });

/**
 * Return the JSON answer of a POST.
 * @param {string} url
 * @param {object} [body] sent as JSON
 * @returns {Promise<any>}
 */
export const post = (url, body = {}) => send("POST", url, body);

/**
 * Return the JSON answer of a PUT.
 * @param {string} url
 * @param {object} body sent as JSON
 * @returns {Promise<any>}
 */
export const put = (url, body) => send("PUT", url, body);

/**
 * @param {string} method
 * @param {string} url
 * @param {object} body
 */
function send(method, url, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  // keepalive: a verdict given just before the tab is closed is still sent.
  return request(url, { method, headers, body: JSON.stringify(body), keepalive: true });
}

/**
 * Repeat an action with growing delays until there is a response.
 * @template T
 * @param {() => Promise<T>} action
 * @param {() => void} onNoResponse called after each attempt without one
 * @param {AbortSignal} [signal] its reason is thrown once it is aborted
 * @returns {Promise<T>}
 */
export async function retry(action, onNoResponse, signal) {
  for (let attempts = 0; ; attempts++) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof NoResponse)) throw error;
      signal?.throwIfAborted();
      onNoResponse();
      await delayOrOnline(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts), signal);
    }
  }
}

/**
 * @param {string} url
 * @param {RequestInit} options
 */
async function request(url, options) {
  const response = await fetch(url, {
    ...options,
    cache: "no-store",
    credentials: "same-origin",
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { Accept: "application/json", ...options.headers },
  }).catch(() => null);
  if (!response || response.status >= 500 || response.status === 429 || response.status === 408) throw new NoResponse();
  if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403)
    throw new SignInRequired();
  const body = await response.json().catch(() => null);
  if (body === null) throw new NoResponse(); // cut off, or the page of a proxy
  if (body.taken_over) throw new TakenOver(body.detail ?? "");
  if (body.paused) throw new StudyPaused(response.status, body);
  if (!response.ok) throw new Refused(response.status, body);
  return body;
}

function csrfToken() {
  // The cookie is newer than the page after a sign-in in another tab.
  const cookie = document.cookie.match(/(?:^|;\s*)(?:__Host-)?csrftoken=([^;]+)/);
  return cookie ? cookie[1] : find('meta[name="csrf-token"]', HTMLMetaElement).content;
}

/**
 * Wait for the delay, for the network to come back, or for the signal, whichever is first.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function delayOrOnline(ms, signal) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal?.addEventListener("abort", done);
  });
}

/**
 * Return what of a stimulus is shown.
 * @param {Stimulus} stimulus
 * @param {Record<string, string>} [images] addresses by panel, if the stimulus does not have them
 * @returns {Presentation}
 */
export function presentationOf(stimulus, images = stimulus.images) {
  const { code, width, height, image, flip = false, aid, lesson, line } = stimulus;
  const urls = images ?? { image: image ?? "" };
  const beside = { ...(aid && { aid }), ...(lesson && { lesson }), ...(line && { line }) };
  return { code, urls, flip, pixels: width * height, ...beside };
}
