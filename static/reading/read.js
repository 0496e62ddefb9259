// The flow of one session. The server owns the position; this page shows it and brings verdicts back.

import { Images } from "./images.js";
import { newKey, Outbox } from "./outbox.js";
import { Paradata } from "./paradata.js";
import { Room } from "./room.js";
import { Stage } from "./stage.js";
import { connectTools } from "./tools.js";
import { ask, Damaged, Gone, persist, Refused, SignInNeeded, tell } from "./wire.js";

// Nobody judges a picture within this time: such a press was meant for the one before (a double key).
const SETTLE_MS = 300;
const SIGN_IN_ONCE_MS = 10_000;

const page = document.querySelector("#reading").dataset;
const images = new Images(page.worker);
const outbox = new Outbox(page.verdicts, `reading.pending.${page.reader}.${page.session}`);
const navigation = performance.getEntriesByType("navigation")[0];
const paradata = new Paradata(navigation?.type === "reload");
const room = new Room(() => paradata.noteUntimely());
const stage = new Stage(document.querySelector("#reading"));
// { code, onset, drawn } of the pictures on screen, or on their way to it; null while there are none.
let shown = null;

stage.addEventListener("act", (event) => paradata.note(event.detail));
connectTools(stage, document.querySelector("#tools"), (what) => paradata.note(what));

async function run(first) {
  try {
    for (let step = await first(); ; step = await read(step))
      if (!step.stimulus) return finish(step);
  } catch (trouble) {
    giveUp(trouble);
  }
}

/** The server's step, or, after a verdict that was not acknowledged, the step that follows it. */
async function firstStep() {
  room.open("read");
  room.state = "loading";
  if (!outbox.kept) return persist(() => ask(page.step), offline);
  room.state = "saving";
  return deliver(outbox.kept);
}

async function openSession() {
  room.open("read");
  room.state = "loading";
  return persist(() => tell(page.open), offline);
}

/** One presentation: shown, judged, delivered. Returns the step after it. */
async function read(step) {
  const item = itemOf(step);
  if (!Number.isFinite(shown?.onset)) room.state = "loading";
  try {
    await show(item);
  } catch (trouble) {
    if (!(trouble instanceof Gone)) throw trouble;
    return stepAfterGone(item);
  }
  room.place(step.position, step.total);
  const next = step.next && itemOf(step.next);
  images.keepOnly(item.code, next?.code);
  if (next) images.get(next).catch(() => {}); // asked for again when its turn comes
  const from = shown.onset + SETTLE_MS;
  const taken = room.verdict(step.verdicts, from);
  await until(from);
  room.state = "ready";
  const delivery = deliver(verdictOn(item, await taken));
  // The next picture stands at once; its verdict is taken only after this one is acknowledged.
  if (next) showAhead(next, step);
  return delivery;
}

function showAhead(next, step) {
  const placed = () => shown?.code === next.code && room.place(step.position + 1, step.total);
  show(next).then(placed, () => {}); // what went wrong comes again when it is this picture's turn
}

function verdictOn(item, { verdict, at, by }) {
  return {
    stimulus: item.code,
    verdict,
    elapsed_ms: Math.round(at - shown.onset),
    key: newKey(),
    paradata: { ...paradata.until(at), by, settings: stage.settings },
  };
}

/** Put these pictures on screen unless they are there already. */
function show(item) {
  if (shown?.code !== item.code) {
    const place = { code: item.code, onset: Infinity };
    shown = place;
    place.drawn = put(item, place);
  }
  return shown.drawn;
}

async function put(item, place) {
  if (!images.has(item)) stage.clear();
  try {
    const pictures = await persist(() => images.get(item), offline);
    if (shown !== place) return; // a newer picture has taken its place
    const seen = await stage.show(pictures);
    if (shown !== place) return;
    place.onset = seen.onset;
    paradata.start(seen);
  } catch (trouble) {
    if (shown === place) shown = null;
    throw trouble;
  }
}

/** Send until acknowledged. Answered elsewhere before: the server's step counts, and the reader is told. */
async function deliver(verdict) {
  room.state = "saving";
  try {
    return (await outbox.deliver(verdict, offline)).step;
  } catch (trouble) {
    if (trouble.status !== 409 || !trouble.step) throw trouble;
    room.notice(room.word("elsewhere"));
    return trouble.step;
  }
}

/** The address of a picture is valid only while it is current or next: another window has moved on. */
async function stepAfterGone(item) {
  const step = await persist(() => ask(page.step), offline);
  const same = step.stimulus && JSON.stringify(itemOf(step)) === JSON.stringify(item);
  if (same) throw new Refused(410, { detail: room.word("gone") });
  room.notice(room.word("elsewhere"));
  return step;
}

function finish(step) {
  if (step.kind !== "wait") return room.end("done", room.word("doneTitle"), room.word("doneText"));
  const until = step.until && new Date(step.until).toLocaleString(document.documentElement.lang, {
    dateStyle: "long",
    timeStyle: "short",
  });
  const text = until ? room.word("waitUntil").replace("{until}", until) : room.word("waitText");
  room.end("waiting", room.word("waitTitle"), text);
}

function giveUp(trouble) {
  if (trouble instanceof SignInNeeded && !signedInJustNow()) return goToSignIn();
  room.end("error", room.word("errorTitle"), sentenceOf(trouble));
}

function sentenceOf(trouble) {
  if (trouble instanceof Damaged) return room.word("damaged");
  if (trouble instanceof Refused && trouble.message) return trouble.message;
  if (!(trouble instanceof Refused || trouble instanceof SignInNeeded)) console.error(trouble);
  return room.word("errorText");
}

function goToSignIn() {
  sessionStorage.setItem("reading.sign-in", Date.now());
  location.replace(`${page.signIn}?next=${encodeURIComponent(location.pathname)}`);
}

/** Refused straight after signing in: another sign-in would not help. */
function signedInJustNow() {
  return Date.now() - Number(sessionStorage.getItem("reading.sign-in")) < SIGN_IN_ONCE_MS;
}

/** @returns {{code: string, urls: Object<string, string>}} what of a step, or of its `next`, is to be shown */
function itemOf(part) {
  const { code, image } = part.stimulus ?? part;
  return { code, urls: part.images ?? { image } };
}

const offline = () => (room.state = "offline");

const until = (at) => new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));

// A page restored from memory would show a picture of the past.
addEventListener("pageshow", (event) => event.persisted && location.reload());
document.querySelector("#reload").addEventListener("click", () => location.reload());
const begin = document.querySelector("#begin");
begin?.addEventListener("click", () => run(openSession), { once: true });
begin?.removeAttribute("disabled"); // pressed before this script stood, it would have done nothing
if (page.state === "under_way" || page.state === "done") run(firstStep);
else room.state = page.state === "waiting" ? "waiting" : "start";
