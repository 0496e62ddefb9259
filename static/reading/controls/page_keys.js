// The keys of the commands that every form of images has.

/** @type {Record<string, string[]>} command → keys, as in the form's */
export const PAGE_KEYS = {
  mark: ["x"],
  fullScreen: ["f"],
  pause: ["b", "Pause"],
  report: ["e"],
  tools: ["t"],
  help: ["?"],
};
