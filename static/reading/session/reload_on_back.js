// A list restored from the browser's memory may be out of date: ask the server again.

addEventListener("pageshow", (event) => event.persisted && location.reload());
