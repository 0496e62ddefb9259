// A button beside each field for a password shows what was typed. The field is hidden again before its form is sent.

/**
 * @param {HTMLInputElement} field
 * @param {HTMLButtonElement} button
 * @param {boolean} isShown
 */
function show(field, button, isShown) {
  field.type = isShown ? "text" : "password";
  button.setAttribute("aria-pressed", String(isShown));
}

for (const button of document.querySelectorAll("button[data-show-password]")) {
  const field = document.getElementById(button.getAttribute("aria-controls") ?? "");
  if (!(button instanceof HTMLButtonElement) || !(field instanceof HTMLInputElement)) continue;
  button.hidden = false;
  field.autocapitalize = "off";
  field.spellcheck = false;
  button.addEventListener("click", () => show(field, button, field.type === "password"));
  // Browsers remember what was sent in fields of text.
  field.form?.addEventListener("submit", () => show(field, button, false));
}
