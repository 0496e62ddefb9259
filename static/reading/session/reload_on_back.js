// A page that the browser restores from memory may be out of date: load it again.

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
