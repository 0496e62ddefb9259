// Decode a 16-bit grey PNG to its exact samples. The browser's own decoder keeps 8 bits only.

/**
 * @typedef {object} GreyImage
 * @property {number} width
 * @property {number} height
 * @property {Uint16Array} samples row by row
 */

const SIGNATURE = 0x89504e47;
const IHDR = 0x49484452;
const IDAT = 0x49444154;
const IEND = 0x49454e44;
const BYTES_PER_SAMPLE = 2;

/**
 * @param {ArrayBuffer} buffer the file; anything after IEND is padding and ignored
 * @returns {Promise<GreyImage>}
 * @throws {Error} if this is not a complete PNG of 16-bit grey without interlacing
 */
export async function decodePng16(buffer) {
  const { width, height, parts } = readChunks(buffer);
  const lines = await inflate(parts);
  const stride = BYTES_PER_SAMPLE * width;
  if (lines.length !== (stride + 1) * height) throw new Error("The picture is incomplete.");
  const samples = new Uint16Array(width * height);
  let above = new Uint8Array(stride);
  for (let row = 0; row < height; row++) {
    const start = row * (stride + 1);
    const line = lines.subarray(start + 1, start + 1 + stride);
    const undo = UNFILTER[lines[start]];
    if (!undo) throw new Error("The picture has an unknown line filter.");
    undo(line, above);
    for (let i = 0, o = row * width; i < stride; i += 2, o++) samples[o] = (line[i] << 8) | line[i + 1];
    above = line;
  }
  return { width, height, samples };
}

/** @param {ArrayBuffer} buffer */
function readChunks(buffer) {
  const view = new DataView(buffer);
  if (view.byteLength < 8 || view.getUint32(0) !== SIGNATURE) throw new Error("This is not a PNG.");
  const parts = [];
  let width = 0;
  let height = 0;
  for (let at = 8; at + 12 <= view.byteLength; ) {
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    const body = at + 8;
    if (type === IEND) return { width, height, parts };
    if (body + length > view.byteLength) break;
    if (type === IHDR) {
      width = view.getUint32(body);
      height = view.getUint32(body + 4);
      const [depth, colour, , , interlace] = new Uint8Array(buffer, body + 8, 5);
      if (depth !== 16 || colour !== 0 || interlace !== 0) throw new Error("The picture is not 16-bit grey.");
    } else if (type === IDAT) {
      parts.push(new Uint8Array(buffer, body, length));
    }
    at = body + length + 4;
  }
  throw new Error("The picture is cut off.");
}

/** @param {Uint8Array<ArrayBuffer>[]} parts of one zlib stream */
async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * The five filters of PNG (ISO/IEC 15948, clause 9), undone in place; `above` is zero for the first line.
 * @type {((line: Uint8Array, above: Uint8Array) => void)[]}
 */
const UNFILTER = [
  () => {},
  (line) => {
    for (let i = 2; i < line.length; i++) line[i] += line[i - 2];
  },
  (line, above) => {
    for (let i = 0; i < line.length; i++) line[i] += above[i];
  },
  (line, above) => {
    line[0] += above[0] >> 1;
    line[1] += above[1] >> 1;
    for (let i = 2; i < line.length; i++) line[i] += (line[i - 2] + above[i]) >> 1;
  },
  (line, above) => {
    line[0] += above[0];
    line[1] += above[1];
    for (let i = 2; i < line.length; i++) line[i] += paeth(line[i - 2], above[i], above[i - 2]);
  },
];

/**
 * @param {number} left
 * @param {number} up
 * @param {number} corner
 */
function paeth(left, up, corner) {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
