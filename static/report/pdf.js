// The PDF is laid out when it is first asked for, which takes some seconds: say so, and hand it over when it is there.

const link = document.querySelector("[data-pdf]");
const waiting = document.querySelector(".waiting");

async function fetchPdf(event) {
  event.preventDefault();
  if (link.getAttribute("aria-disabled") === "true") return;
  link.setAttribute("aria-disabled", "true");
  waiting.replaceChildren(document.createElement("progress"), ` ${link.dataset.wait}`);
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error(String(answer.status));
    const file = URL.createObjectURL(await answer.blob());
    const saved = document.createElement("a");
    saved.href = file;
    saved.download = `${location.pathname.split("/").filter(Boolean).pop()}-report.pdf`;
    saved.click();
    setTimeout(() => URL.revokeObjectURL(file), 60_000);
    waiting.replaceChildren();
  } catch {
    waiting.textContent = link.dataset.failed;
  }
  link.removeAttribute("aria-disabled");
}

link?.addEventListener("click", fetchPdf);
