// The way to the sign-in page and back, once: a second sign-in in a row would not help.

const ATTEMPTED = "reading.sign-in";
const AGAIN_MS = 10_000;

/** Whether the reader has not just come from the sign-in page. */
export function canSignIn() {
  return !(Date.now() - Number(sessionStorage.getItem(ATTEMPTED)) < AGAIN_MS);
}

/**
 * Leave for the sign-in page, which leads back here.
 * @param {string} url of the sign-in page
 */
export function goToSignIn(url) {
  sessionStorage.setItem(ATTEMPTED, String(Date.now()));
  location.replace(`${url}?next=${encodeURIComponent(location.pathname)}`);
}
