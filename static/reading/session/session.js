// The flow of one session. The server owns the position; this page shows it and brings verdicts back.

import { DisplayCheck } from "../display_check/display_check.js";
import { Claim } from "./session_lock.js";
import { isTooSmall } from "./screen_size.js";
import { Images } from "../network/image_cache.js";
import { newKey, Outbox } from "../network/outbox.js";
import { Paradata } from "./paradata.js";
import { Pause } from "./pause.js";
import { Presenter } from "./stimulus_presenter.js";
import { Questions, questionsAfter } from "./questions.js";
import { Room } from "./page.js";
import { Stage } from "../viewer/panels.js";
import { connectTools } from "../controls/toolbar.js";
import { ask, Damaged, Gone, persist, Refused, SignInNeeded, TakenOver } from "../network/api.js";

// Nobody judges a picture within this time: such a press was meant for the one before (a double key).
const SETTLE_MS = 300;
const SIGN_IN_ONCE_MS = 10_000;

const page = document.querySelector("#reading").dataset;
const rules = JSON.parse(document.querySelector("#rules").textContent);
const name = `reading.${page.reader}.${page.session}`;
const claim = new Claim(page, name);
const images = new Images(page.worker);
const outbox = new Outbox(page.verdicts, name);
const navigation = performance.getEntriesByType("navigation")[0];
const paradata = new Paradata(navigation?.type === "reload", 1000 * rules.idle_s);
const room = new Room(() => paradata.noteUntimely(), () => pause.isOn);
const stage = new Stage(document.querySelector("#reading"));
const pause = new Pause({ stage, paradata, place, whenHidden: rules.pause_when_hidden });
const presenter = new Presenter({ stage, images, paradata, pause, greyMs: rules.frame_ms, onTrouble: offline });
const questions = new Questions(stage.marks, () => pause.isOn);
// Aborted when another page takes over.
let reading = new AbortController();
// A page that was just loaded, or that takes over, comes from a break: it asks for none.
let isFresh = true;
// How long the pages between the last image and this one stood.
let restedMs = 0;

stage.addEventListener("act", (event) => paradata.note(event.detail));
connectTools(stage, document.querySelector("#tools"), (what) => paradata.note(what));
claim.addEventListener("lost", () => reading.abort(new TakenOver()));

async function run(first) {
  reading = new AbortController();
  try {
    for (let step = await first(); ; step = await read(step)) {
      reading.signal.throwIfAborted();
      if (!step.stimulus) return finish(step);
    }
  } catch (trouble) {
    giveUp(trouble);
  }
}

/** Claim the session; the step at which it stands, or the one after a verdict that was not acknowledged. */
async function firstStep() {
  room.open("read");
  room.state = "loading";
  const step = await claim.take(offline);
  const letter = await outbox.kept();
  return letter ? deliver(letter) : step;
}

/** One presentation: shown, judged, delivered. Returns the step after it. */
async function read(step) {
  const item = itemOf(step);
  const acknowledged = performance.now();
  await rest(step);
  room.open("read");
  // Seen before the verdict on the one before it was acknowledged.
  const ahead = presenter.isShown(item) ? Math.round(acknowledged - presenter.onset) : 0;
  if (!presenter.isShown(item)) room.state = "loading";
  try {
    await whileOurs(presenter.show(item));
  } catch (trouble) {
    if (!(trouble instanceof Gone)) throw trouble;
    return stepAfterGone(item);
  }
  room.practice = step.kind === "practise";
  if (step.position) room.place(step.position, step.total);
  const next = step.next && itemOf(step.next);
  images.keepOnly(item.code, next?.code);
  if (next) presenter.prepare(next).catch(() => {}); // asked for again when its turn comes
  const verdict = await judged(step, item, ahead);
  const delivery = deliver(outbox.letter(verdict), { lasting: step.kind !== "practise" });
  // The next picture stands at once; its verdict is taken only after this one is acknowledged.
  const stopsBetween = step.kind === "practise" || step.next?.break;
  if (next && !stopsBetween) showAhead(next, step);
  const following = await delivery;
  if (stopsBetween) presenter.clear();
  if (step.kind === "practise" && following.kind === "read") await between("begins", following);
  return following;
}

/** The break that the plan offers before this image. */
async function rest(step) {
  const isDue = step.break && !isFresh;
  isFresh = false;
  if (isDue) await between("break", step);
}

async function between(what, { position, total }) {
  const since = performance.now();
  await whileOurs(room.between(what, { done: position - 1, left: total - position + 1, total }));
  restedMs += performance.now() - since;
}

/** The verdict with its answers. Given before this page was loaded, it stands: only the rest is asked. */
async function judged(step, item, ahead) {
  const draft = step.questions?.length ? await outbox.draftOn(item.code) : null;
  const { given, at } = draft ? resumed(draft) : await taken(step, item, ahead);
  const due = questionsAfter(given.verdict, step.questions);
  if (!due.length) return given;
  if (step.kind !== "practise") outbox.keepDraft(given);
  return { ...given, ...(await answered(due, given, at)) };
}

async function taken(step, item, ahead) {
  const from = presenter.onset + SETTLE_MS;
  const pressed = room.verdict(step.verdicts, from);
  await whileOurs(until(from));
  room.state = "ready";
  const { verdict, at, by } = await whileOurs(pressed);
  const given = verdictOn(item, { verdict, at, by, ahead });
  restedMs = 0;
  return { given, at };
}

const resumed = (draft) => ({
  given: { ...draft, paradata: { ...draft.paradata, reloaded: true } },
  at: performance.now(),
});

/** The answers to what is asked after the verdict; its own time stays that of the verdict key. */
async function answered(due, given, at) {
  const paused = paradata.pausedUntil(at);
  room.state = "asking";
  const { answers, at: last } = await whileOurs(questions.ask(due, at));
  const took = last - at - (paradata.pausedUntil(last) - paused);
  return { answers, paradata: { ...given.paradata, questions_ms: Math.round(took) } };
}

function verdictOn(item, { verdict, at, by, ahead }) {
  const around = { questions_ms: 0, ahead_ms: ahead, rested_ms: Math.round(restedMs), by, settings: stage.settings };
  return {
    stimulus: item.code,
    verdict,
    elapsed_ms: paradata.elapsedUntil(at),
    key: newKey(),
    paradata: { ...paradata.until(at), ...around },
  };
}

function showAhead(next, step) {
  const placed = () => presenter.isShown(next) && room.place(step.position + 1, step.total);
  presenter.show(next).then(placed, () => {}); // what went wrong comes again when it is this picture's turn
}

/** Send until acknowledged. Answered elsewhere before: the server's step counts, and the reader is told. */
async function deliver(letter, { lasting = true } = {}) {
  room.state = "saving";
  const { signal } = reading;
  try {
    return (await outbox.deliver(letter, { page: claim.page, onTrouble: offline, signal, lasting })).step;
  } catch (trouble) {
    if (trouble instanceof TakenOver && !signal.aborted && lasting) trouble.refused = true;
    if (trouble.status !== 409 || !trouble.step) throw trouble;
    room.notice(room.word("elsewhere"));
    return trouble.step;
  }
}

/** The address of a picture is valid only while it is current or next: another window has moved on. */
async function stepAfterGone(item) {
  const step = await persist(() => ask(`${page.step}?page=${claim.page}`), offline);
  const same = step.stimulus && JSON.stringify(itemOf(step)) === JSON.stringify(item);
  if (same) throw new Refused(410, { detail: room.word("gone") });
  room.notice(room.word("elsewhere"));
  return step;
}

/** What `promise` gives, unless another page takes the session over first. */
async function whileOurs(promise) {
  const { signal } = reading;
  signal.throwIfAborted();
  let stop;
  const lost = new Promise((_, reject) => (stop = () => reject(signal.reason)));
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([promise, lost]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function finish(step) {
  claim.release();
  presenter.clear();
  if (step.kind !== "wait") {
    room.end("done", room.word("doneTitle"), room.word("doneText"));
    return sayWhatFollows();
  }
  const text = step.until ? room.sentence("waitUntil", { until: dateOf(step.until) }) : room.word("waitText");
  room.end("waiting", room.word(step.reason ? "restsTitle" : "waitTitle"), step.reason ?? text);
}

/** The session after this one, and when. Nobody answers: the list of sessions says it too. */
async function sayWhatFollows() {
  const step = await ask(page.nextStep).catch((trouble) => (trouble.status === 404 ? { kind: "none" } : null));
  if (!step) return;
  if (step.kind === "none") room.follow(room.word("nextNone"), null);
  else if (step.until) room.follow(room.sentence("nextUntil", { until: dateOf(step.until) }), null);
  else if (step.kind !== "done") room.follow(room.word("nextNow"), page.nextSession);
}

/** As the server writes dates: the day first, 24 hours, a comma between; "en" alone would be American. */
function dateOf(moment) {
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const at = new Date(moment);
  const [day, time] = [{ dateStyle: "long" }, { timeStyle: "short" }];
  return `${at.toLocaleDateString(language, day)}, ${at.toLocaleTimeString(language, time)}`;
}

function giveUp(trouble) {
  if (trouble instanceof TakenOver) return giveAway(trouble);
  if (trouble instanceof SignInNeeded && !signedInJustNow()) return goToSignIn();
  claim.release();
  presenter.clear();
  room.end("error", room.word("errorTitle"), sentenceOf(trouble));
}

/** Another page reads on. Nothing of the picture stays here. */
async function giveAway({ refused }) {
  claim.lose();
  if (pause.isOn) pause.end();
  questions.stop();
  presenter.clear();
  images.keepOnly();
  isFresh = true;
  const pending = ["saving", "offline"].includes(room.state) && (await outbox.kept());
  room.taken(refused ? room.word("takenRefused") : pending ? room.word("takenPending") : "");
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

/** @returns {{code: string, urls: Object<string, string>, flip: boolean}} what of a step, or of its `next`, is shown */
function itemOf(part) {
  const { code, image, flip = false } = part.stimulus ?? part;
  return { code, urls: part.images ?? { image }, flip };
}

/** Where the reader stands, for the pause; null while there is nothing to pause. */
function place() {
  return ["loading", "ready", "asking", "saving", "offline"].includes(room.state) ? room.standing : null;
}

function offline() {
  room.state = "offline";
}

function until(at) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
}

/** The way in: the display check where one is due, the instructions, the images. */
async function enter() {
  if (isTooSmall()) {
    room.state = "small";
    return room.open("small");
  }
  const isWaiting = page.state === "waiting";
  if (rules.display?.due && !isWaiting && page.state !== "done") {
    room.state = "check";
    room.open("check");
    await new DisplayCheck(rules.display).passed();
  }
  if (page.state === "under_way" || page.state === "done") return run(firstStep);
  room.state = isWaiting ? "waiting" : "start";
  room.open("start");
  const begin = document.querySelector("#begin");
  begin?.addEventListener("click", () => run(firstStep), { once: true });
  begin?.removeAttribute("disabled"); // pressed before this script stood, it would have done nothing
}

// A page restored from memory would show a picture of the past.
addEventListener("pageshow", (event) => event.persisted && location.reload());
document.querySelector("#reload").addEventListener("click", () => location.reload());
document.querySelector("#take-over").addEventListener("click", () => run(firstStep));
enter().catch(giveUp);
