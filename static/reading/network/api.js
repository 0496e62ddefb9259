// The reader's wire (DESIGN.md §6): what is sent, what comes back, and the kinds of trouble.

/** The network or the server did not answer; asking again may help. */
export class NoAnswer extends Error {}
/** The reader is not signed in any more. */
export class SignInNeeded extends Error {}
/** The address is no longer valid: another window has moved on. */
export class Gone extends Error {}
/** The picture did not arrive whole. */
export class Damaged extends Error {}
/** Another page has claimed the session since. */
export class TakenOver extends Error {}
/** The server answered with a refusal and a sentence. */
export class Refused extends Error {
  constructor(status, body) {
    super(body.detail ?? "");
    this.status = status;
    this.step = body.step ?? null;
  }
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 8000;
const LONGEST_CALL_MS = 30_000; // a connection that says nothing for so long is dead

/** @returns {Promise<object>} the JSON answer of a GET */
export const ask = (url) => call(url, { method: "GET" });

/** @returns {Promise<object>} the JSON answer of a POST of `body` as JSON */
export function tell(url, body = {}) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
  // keepalive: a verdict given just before the tab is closed is still sent.
  return call(url, { method: "POST", headers, body: JSON.stringify(body), keepalive: true });
}

/**
 * Repeat `action` with growing pauses while nobody answers; `onTrouble` is told each time.
 * @param {AbortSignal} [signal] its reason is thrown once it is aborted
 */
export async function persist(action, onTrouble, signal) {
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await action();
    } catch (trouble) {
      if (!(trouble instanceof NoAnswer)) throw trouble;
      signal?.throwIfAborted();
      onTrouble();
      await pauseOrOnline(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries), signal);
    }
  }
}

async function call(url, options) {
  const reply = await fetch(url, {
    ...options,
    cache: "no-store",
    credentials: "same-origin",
    redirect: "manual",
    signal: AbortSignal.timeout(LONGEST_CALL_MS),
    headers: { Accept: "application/json", ...options.headers },
  }).catch(() => null);
  if (!reply || reply.status >= 500 || reply.status === 429 || reply.status === 408) throw new NoAnswer();
  if (reply.type === "opaqueredirect" || reply.status === 401 || reply.status === 403) throw new SignInNeeded();
  const body = await reply.json().catch(() => null);
  if (body === null) throw new NoAnswer(); // cut off on the way, or a proxy's page
  if (body.taken_over) throw new TakenOver(body.detail ?? "");
  if (!reply.ok) throw new Refused(reply.status, body);
  return body;
}

function csrfToken() {
  // The cookie is newer than the page after a sign-in in another tab.
  const cookie = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
  return cookie ? cookie[1] : document.querySelector('meta[name="csrf-token"]').content;
}

function pauseOrOnline(ms, signal) {
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
