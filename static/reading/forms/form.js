// The interface between the reading page and the images that it shows. A form (still pictures; later traces and stacks)
// is a folder beside this file: its form.js exports a `Form`, its decode_worker.js decodes a file. index.js lists the
// forms.

/**
 * One form of images.
 * @template Image what the form's decode_worker.js makes of a file
 * @typedef {object} Form
 * @property {Keys} keys of the commands that only this form has
 * @property {(root: HTMLElement, display: Display) => Opened<Image>} open on the elements of the form's templates below
 *   `root`
 */

/**
 * What is known of the reader's display.
 * @typedef {object} Display
 * @property {() => number | null} pixelsPerMm CSS pixels per millimetre as measured on this screen; null: not measured
 */

/**
 * A form on the page.
 * @template Image
 * @typedef {object} Opened
 * @property {Stage<Image>} stage
 * @property {Tools} tools
 */

/**
 * @typedef {object} Keys
 * @property {Record<string, string[]>} standard command → keys, by `KeyboardEvent.key`; letters in lower case
 * @property {string[]} repeated commands that a held key repeats
 * @property {string} stored name under which this browser has the reader's own keys until the server has them
 */

/**
 * Where the images of a presentation are shown. Dispatches "act" with the name of what the reader did by pointer.
 * @template Image
 * @typedef {EventTarget & StageMembers<Image>} Stage
 */

/**
 * @template Image
 * @typedef {object} StageMembers
 * @property {boolean} hasImages whether the reader sees images now, so that commands have something to act on
 * @property {Marking} marks on the leading image
 * @property {Record<string, unknown>} settings how the reader sees the images now, to be stored with the verdict
 * @property {(images: Record<string, Image>, hanging: Hanging) => Promise<Visible>} show as new, in the standard view
 * @property {(images: Record<string, Image>, hanging: Hanging) => void} prepare the next images, to show them sooner
 * @property {() => Promise<number>} showGrey until the next show(), never brighter than the images; when drawn
 * @property {(line: string) => void} say a line of text below the images until the next ones; "": none
 * @property {() => void} clear remove the images
 * @property {() => void} hide remove the images from the screen at once; those that are shown meanwhile stay hidden too
 * @property {() => void} unhide undo hide()
 */

/**
 * How the images of a presentation are shown.
 * @typedef {object} Hanging
 * @property {boolean} [flip] whether they hang mirrored left to right
 * @property {string} [sentence] how the image of a triptych was altered; "" or missing: only that it was
 * @property {number | null} [fullColour] share of the grey scale that full colour of a difference stands for
 * @property {boolean} [hasLine] whether room is left for a line of text below a triptych
 */

/**
 * When images were first visible.
 * @typedef {object} Visible
 * @property {number} onset timestamp of the second animation frame after the drawing, which brackets the paint
 * @property {number} frame length of that frame, both in milliseconds
 */

/**
 * The positions that answer a question. Dispatches "change".
 * @typedef {EventTarget & MarkingMembers} Marking
 */

/**
 * @typedef {object} MarkingMembers
 * @property {boolean} isActive whether marks are accepted now
 * @property {number} count
 * @property {number} maximum
 * @property {(maximum: number) => void} start accepting marks, beginning with none
 * @property {() => [number, number][]} stop remove the marks and return them: x, y in pixels of the file
 * @property {() => void} addAtCentre for those who move the image by keys
 */

/**
 * What the keys and buttons of the form do. Dispatches "change" when another button is to be shown as pressed.
 * @typedef {EventTarget & ToolsMembers} Tools
 */

/**
 * @typedef {object} ToolsMembers
 * @property {Actions} actions of all commands in the form's keys and on its buttons
 * @property {Record<string, string | null>} pressed value of the pressed button, by group; null: none
 */

/**
 * @typedef {object} Action
 * @property {string | null} act under which it is counted in the paradata; null: not counted
 * @property {(event?: KeyboardEvent) => unknown} run returns `false` if nothing happened
 * @property {(heldMs: number) => void} [release] called when its key is released
 */
/** @typedef {Record<string, Action>} Actions by command */

export {};
