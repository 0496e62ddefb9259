// The PDF is created when it is first requested, which takes some seconds: show that, then save the file.

class PdfLink {
  #link;
  #status;

  /**
   * @param {HTMLAnchorElement} link has its texts as data: wait, failed
   * @param {HTMLElement} status
   */
  constructor(link, status) {
    this.#link = link;
    this.#status = status;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  async #save() {
    if (this.#link.getAttribute("aria-disabled") === "true") return;
    this.#link.setAttribute("aria-disabled", "true");
    this.#status.replaceChildren(document.createElement("progress"), ` ${this.#link.dataset.wait}`);
    try {
      const response = await fetch(this.#link.href);
      if (response.redirected) location.assign(this.#link.href); // it asks for a sign-in first
      if (response.redirected || !response.ok) throw new Error(String(response.status));
      saveFile(await response.blob(), `${location.pathname.split("/").filter(Boolean).pop()}-report.pdf`);
      this.#status.replaceChildren();
    } catch {
      this.#status.textContent = this.#link.dataset.failed ?? "";
    }
    this.#link.removeAttribute("aria-disabled");
  }
}

/**
 * @param {Blob} content
 * @param {string} name
 */
function saveFile(content, name) {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const link = document.querySelector("[data-pdf]");
const status = document.querySelector(".waiting");
if (link instanceof HTMLAnchorElement && status instanceof HTMLElement) new PdfLink(link, status);
