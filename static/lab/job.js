// The page of a running job: htmx requests its contents every two seconds and idiomorph updates what has changed.

/** A hidden page makes no requests; htmx makes one as soon as the page is visible again. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault();
});

/** @typedef {{beforeAttributeUpdated: (name: string, element: Element) => boolean}} Callbacks */
const { Idiomorph } = /** @type {{Idiomorph: {defaults: {callbacks: Callbacks}}}} */ (
  /** @type {unknown} */ (window)
);

/** Details that were opened or closed on this page stay as they are. */
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !(name === "open" && element instanceof HTMLDetailsElement);
