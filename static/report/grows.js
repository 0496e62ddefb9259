// A rehearsal that is being read: says when there are more readings than the page shows. Nothing moves by itself.

const EVERY_MS = 10_000;
const notice = document.querySelector("[data-growing]");
const more = notice?.querySelector("a");

async function look() {
  try {
    const answer = await fetch(notice.dataset.growing);
    if (answer.ok && (await answer.json()).readings > Number(notice.dataset.readings)) {
      more.hidden = false;
      return;
    }
  } catch {
    // No network for a moment: the next look will tell.
  }
  setTimeout(look, EVERY_MS);
}

if (notice) setTimeout(look, EVERY_MS);
