// A job's page follows the job: it asks for itself again and takes over the parts that live. Without it, reload.

const EVERY_MS = 2_000;
const HIDDEN_MS = 30_000;
const OVER = ["done", "failed", "cancelled"];

let state = document.querySelector("#state").dataset.state;

/** Put the new text of each living part in the place of the old, and leave alone what is the same or in use. */
function takeOver(fresh) {
  for (const part of document.querySelectorAll(".live")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.dataset.shown) continue;
    const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
    const scrolled = part.firstElementChild?.scrollTop ?? 0;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const place = focused?.closest("[id]")?.id;
    part.dataset.shown = next.innerHTML;
    part.replaceChildren(...next.cloneNode(true).childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (part.firstElementChild) part.firstElementChild.scrollTop = scrolled;
    if (focused) focusAgain(part, focused, place);
  }
}

/** The keyboard stays where it was, in the part's new elements. */
function focusAgain(part, focused, place) {
  const within = place && place !== part.id ? document.getElementById(place) : part;
  within?.querySelector(focused.localName)?.focus({ preventScroll: true });
}

async function look() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = fresh.querySelector("#state")?.dataset.state;
      // The buttons and the links to what it left behind belong to the state: the whole page anew.
      if (next && next !== state && (OVER.includes(next) || next === "lost")) return location.reload();
      state = next ?? state;
      takeOver(fresh);
    }
  } catch {
    // No network for a moment: the next look will tell.
  }
  again();
}

function again() {
  setTimeout(look, document.hidden ? HIDDEN_MS : EVERY_MS);
}

again();
