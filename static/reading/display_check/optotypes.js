// What the display check draws: letters and squares that differ from their ground by a few levels.

// Consonants that are not mistaken for each other, after Sloan's optotypes.
const LETTERS = "CDHKNRSVZ";

/** @returns {string} so many different letters, in an order that nobody can learn */
export function randomLetters(count) {
  const left = [...LETTERS];
  return Array.from({ length: count }, () => left.splice(randomBelow(left.length), 1)[0]).join("");
}

/**
 * Letters on a ground, the first with the most contrast. Drawn in device pixels.
 * @param {number} level of the ground, 0 to 255 @param {number[]} contrasts levels by which the letters differ
 */
export function drawLetters(canvas, text, level, contrasts) {
  const { context, width, height } = prepared(canvas, level);
  // An even ground is left around each letter; on the bright ground they are darker.
  const sign = level > 191 ? -1 : 1;
  context.font = `600 ${Math.round(height * 0.55)}px sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  [...text].forEach((letter, i) => {
    context.fillStyle = grey(level + sign * contrasts[i]);
    context.fillText(letter, (width * (i + 0.5)) / text.length, height * 0.52);
  });
}

/** A square in the middle of its ground. @param {[number, number]} levels of the ground and of the square */
export function drawSquare(canvas, [ground, square]) {
  const { context, width, height } = prepared(canvas, ground);
  const side = Math.round(height * 0.4);
  context.fillStyle = grey(square);
  context.fillRect(Math.round((width - side) / 2), Math.round((height - side) / 2), side, side);
}

function prepared(canvas, level) {
  const box = canvas.getBoundingClientRect();
  const width = (canvas.width = Math.round(box.width * devicePixelRatio));
  const height = (canvas.height = Math.round(box.height * devicePixelRatio));
  const context = canvas.getContext("2d");
  context.fillStyle = grey(level);
  context.fillRect(0, 0, width, height);
  return { context, width, height };
}

const grey = (level) => `rgb(${level} ${level} ${level})`;

function randomBelow(count) {
  return Math.floor((crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32) * count);
}
