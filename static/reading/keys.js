// The keys of the reading room. Digits 1 to 3 are verdicts and nothing else.

/** Command → keys, by `KeyboardEvent.key`; letters in lower case. Shown on "?" from this table. */
export const KEYS = {
  brighter: ["ArrowUp"],
  darker: ["ArrowDown"],
  wider: ["ArrowRight"],
  narrower: ["ArrowLeft"],
  preset: ["p"],
  invert: ["i"],
  zoomIn: ["+"],
  zoomOut: ["-"],
  fit: ["=", "f"],
  oneToOne: ["o"],
  panUp: ["Shift+ArrowUp"],
  panDown: ["Shift+ArrowDown"],
  panLeft: ["Shift+ArrowLeft"],
  panRight: ["Shift+ArrowRight"],
  reset: ["0"],
  tools: ["t"],
  help: ["?"],
};

const COMMANDS = new Map(Object.entries(KEYS).flatMap(([name, keys]) => keys.map((key) => [key, name])));
const REPEATABLE = /^(brighter|darker|wider|narrower|zoom|pan)/;
const SHOWN = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

/** @returns {string | null} the command that this key press asks for */
export function commandOf(event) {
  if (isElsewhere(event)) return null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const name = COMMANDS.get(event.shiftKey && key.startsWith("Arrow") ? `Shift+${key}` : key) ?? null;
  return event.repeat && !REPEATABLE.test(name ?? "") ? null : name;
}

/** @returns {number} the place (0, 1, 2) of the verdict asked for, or -1 */
export function verdictOf(event, count) {
  if (event.repeat || isElsewhere(event)) return -1;
  // By code as well: a French keyboard has its digits on the shifted layer.
  const digit = /^[123]$/.test(event.key) ? event.key : event.code.match(/^(?:Digit|Numpad)([123])$/)?.[1];
  const onControl = event.target.closest?.("button, a, input, select, summary");
  if (count === 1 && !onControl && (event.key === "Enter" || event.key === " ")) return 0;
  return digit && digit <= count ? digit - 1 : -1;
}

/** Fill the help table's cells `[data-keys=command]` from KEYS. */
export function showKeys(root) {
  for (const cell of root.querySelectorAll("[data-keys]"))
    for (const key of KEYS[cell.dataset.keys]) {
      const shown = document.createElement("kbd");
      shown.textContent = key.replace(/Arrow\w+/, (arrow) => SHOWN[arrow]).toUpperCase().replace("SHIFT+", "⇧ ");
      cell.append(shown, " ");
    }
}

function isElsewhere(event) {
  const typing = event.target.closest?.("input, textarea, select, dialog");
  return Boolean(typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
}
