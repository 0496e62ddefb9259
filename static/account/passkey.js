// Passkeys: the browser asks for one, and its answer is sent with the form. Without it, passwords and codes work.

/** @typedef {PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON} Options */

/**
 * The options that the server made: on the page, or, before anybody is known, at an address.
 * @param {HTMLFormElement} form
 * @returns {Promise<Options>}
 */
async function optionsOf(form) {
  const part = form.dataset.passkey === "create" ? "creation_options" : "request_options";
  const inPage = document.getElementById("passkey-options");
  if (inPage && form.dataset.address === undefined) return JSON.parse(inPage.textContent ?? "")[part].publicKey;
  const response = await fetch(form.dataset.address ?? "", { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json())[part].publicKey;
}

/**
 * @param {HTMLFormElement} form
 * @returns {Promise<Credential | null>}
 */
async function ask(form) {
  const options = await optionsOf(form);
  if (form.dataset.passkey !== "create") {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  }
  const alone = form.querySelector("[name=passwordless]");
  if (alone instanceof HTMLInputElement && alone.checked) {
    options.authenticatorSelection = {
      ...options.authenticatorSelection,
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required",
    };
  }
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const field = form.querySelector("[name=credential]");
  const failed = form.querySelector("[data-failed]");
  if (!(form instanceof HTMLFormElement) || !(field instanceof HTMLInputElement)) continue;
  if (!("PublicKeyCredential" in window) || !("parseRequestOptionsFromJSON" in PublicKeyCredential)) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const credential = await ask(form);
      if (!(credential instanceof PublicKeyCredential)) return;
      field.value = JSON.stringify(credential.toJSON());
      form.submit();
    } catch {
      // The person closed the browser's dialog, or has no passkey here.
      if (failed instanceof HTMLElement) failed.hidden = false;
    }
  });
}
