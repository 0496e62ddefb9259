// Renderer on the graphics card. It computes in the same integers as renderer_2d.js and so gives the same bytes.

import { halvingsAt, samplingOf, WEIGHTS } from "./sampling.js";

/** @import { Layer } from "./layer.js" */
/** @import { Placement } from "./viewport.js" */
/** @import { ColourTable } from "./window_level.js" */

const LARGEST = 8192; // pixels of a side, of canvas and picture

const CORNERS = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3 : -1, gl_VertexID == 2 ? 3 : -1, 0, 1); // one triangle over everything
}`;

const LEVELS = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D picture, columns, rows, spans;
uniform sampler2D table;
uniform ivec4 box; // from and to, of columns and of rows
uniform ivec2 counts; // of the samples that a pixel takes, in columns and in rows
uniform ivec2 last; // sample of columns and of rows
uniform bool isTurned, isShuttered;
uniform int height;
out vec4 colour;

uint level(uint column, uint row) {
  return texelFetch(picture, isTurned ? ivec2(row, column) : ivec2(column, row), 0).r;
}

uint weight(uvec4 taps, int tap) {
  return tap == 0 ? taps.y : tap == 1 ? taps.z : tap == 2 ? taps.w : ${WEIGHTS}u - taps.y - taps.z - taps.w;
}

bool isShut(uint column, uint row) {
  uvec2 span = texelFetch(spans, ivec2(int(row), 0), 0).rg;
  return column < span.x || column >= span.y;
}

void main() {
  ivec2 at = ivec2(int(gl_FragCoord.x), height - 1 - int(gl_FragCoord.y));
  if (at.x < box.x || at.x >= box.y || at.y < box.z || at.y >= box.w) discard;
  uvec4 column = texelFetch(columns, ivec2(at.x, 0), 0);
  uvec4 row = texelFetch(rows, ivec2(at.y, 0), 0);
  uint across = texelFetch(columns, ivec2(at.x, 1), 0).x;
  uint down = texelFetch(rows, ivec2(at.y, 1), 0).x;
  if (isShuttered && (isTurned ? isShut(down, across) : isShut(across, down))) {
    colour = vec4(0, 0, 0, 1);
    return;
  }
  uint sum = ${(WEIGHTS * WEIGHTS) / 2}u;
  for (int j = 0; j < counts.y; j++) {
    uint line = 0u;
    for (int i = 0; i < counts.x; i++)
      line += weight(column, i) * level(min(column.x + uint(i), uint(last.x)), min(row.x + uint(j), uint(last.y)));
    sum += weight(row, j) * line;
  }
  uint value = sum >> ${2 * Math.log2(WEIGHTS)}u;
  vec4 entry = texelFetch(table, ivec2(value & 255u, value >> 8u), 0);
  colour = vec4(entry.rgb * entry.a, entry.a);
}`;

// Software renderers. `failIfMajorPerformanceCaveat` alone lets them pass in some browsers.
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
/** @type {WebGLContextAttributes} */
const ATTRIBUTES = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: true };

/** The graphics card is missing or refused. */
export class NoGpu extends Error {}

/** Whether there is a graphics card. Tried on a canvas of its own: a canvas keeps the kind of its first context. */
export function hasGpu() {
  const gl = document.createElement("canvas").getContext("webgl2", ATTRIBUTES);
  if (!gl) return false;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  const isLarge = gl.getParameter(gl.MAX_TEXTURE_SIZE) >= LARGEST;
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return isLarge && !SOFTWARE.test(renderer);
}

export class RendererWebGL {
  isGpu = true;
  #canvas;
  #gl;
  #uniforms;
  #taps;
  #spans;
  /** @type {import("./outline.js").Outline | null} */
  #outline = null;
  /** @type {Map<Layer, {texture: WebGLTexture, samples: Uint16Array | null}>} */
  #pictures = new Map();
  /** @type {Map<ColourTable, {texture: WebGLTexture, version: number}>} */
  #tables = new Map();

  /**
   * @param {HTMLCanvasElement} canvas without a context yet
   * @throws {NoGpu}
   */
  constructor(canvas) {
    this.#canvas = canvas;
    const gl = canvas.getContext("webgl2", ATTRIBUTES);
    if (!gl) throw new NoGpu("no context");
    this.#gl = gl;
    this.#uniforms = this.#link();
    this.#taps = [this.#newTexture(), this.#newTexture()];
    this.#spans = this.#newTexture();
  }

  /** @param {string} colour of the whole canvas, as #rrggbb or #rgb */
  fill(colour) {
    const gl = this.#gl;
    const digits = colour.slice(1);
    const size = digits.length / 3;
    const part = (/** @type {number} */ i) =>
      parseInt(digits.slice(i * size, (i + 1) * size).repeat(3 - size), 16) / 255;
    gl.viewport(0, 0, this.#canvas.width, this.#canvas.height);
    gl.clearColor(part(0), part(1), part(2), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  /** Nothing to prepare: the card samples while it draws. */
  prepare() {}

  /**
   * @param {Layer[]} layers the lowest first, all of one size
   * @param {Placement} placement
   */
  draw(layers, placement) {
    const gl = this.#gl;
    this.fill("#000");
    const halvings = halvingsAt(placement.zoom);
    this.#sample(samplingOf(placement, this.#canvas, layers[0].halved(halvings), halvings));
    for (const layer of layers) {
      const textures = [this.#pictureOf(layer, halvings), this.#tableOf(layer.colours)];
      this.#shut(layer.shutter);
      textures.forEach((texture, unit) => this.#bind(unit, texture));
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }

  /** @param {import("./sampling.js").Sampling} sampling */
  #sample({ columns, rows, isTurned }) {
    const gl = this.#gl;
    [columns, rows].forEach(({ taps, centres }, i) => {
      const { length } = centres;
      const data = new Uint16Array(8 * length); // the taps, and in a second row the centres
      data.set(taps);
      centres.forEach((centre, pixel) => (data[4 * (length + pixel)] = centre));
      this.#bind(2 + i, this.#taps[i]);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16UI, length, 2, 0, gl.RGBA_INTEGER, gl.UNSIGNED_SHORT, data);
    });
    gl.uniform4i(this.#uniforms.box, columns.from, columns.to, rows.from, rows.to);
    gl.uniform2i(this.#uniforms.counts, columns.count, rows.count);
    gl.uniform2i(this.#uniforms.last, columns.size - 1, rows.size - 1);
    gl.uniform1i(this.#uniforms.isTurned, Number(isTurned));
    gl.uniform1i(this.#uniforms.height, this.#canvas.height);
  }

  /** @param {import("./outline.js").Outline | null} outline outside of which the layer is black */
  #shut(outline) {
    const gl = this.#gl;
    gl.uniform1i(this.#uniforms.isShuttered, Number(outline !== null));
    this.#bind(4, this.#spans);
    if (!outline || outline === this.#outline) return;
    this.#outline = outline;
    const { spans } = outline;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG16UI, spans.length / 2, 1, 0, gl.RG_INTEGER, gl.UNSIGNED_SHORT, spans);
  }

  /**
   * @param {Layer} layer
   * @param {number} halvings
   */
  #pictureOf(layer, halvings) {
    const gl = this.#gl;
    const { width, height, samples } = layer.halved(halvings);
    const held = this.#pictures.get(layer) ?? { texture: this.#newTexture(), samples: null };
    this.#pictures.set(layer, held);
    if (held.samples === samples) return held.texture;
    held.samples = samples;
    this.#bind(0, held.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, samples);
    return held.texture;
  }

  /** @param {ColourTable} colours */
  #tableOf(colours) {
    const gl = this.#gl;
    const held = this.#tables.get(colours) ?? { texture: this.#newTexture(), version: -1 };
    this.#tables.set(colours, held);
    if (held.version === colours.version) return held.texture;
    held.version = colours.version;
    this.#bind(1, held.texture);
    const bytes = new Uint8Array(colours.table.buffer);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 256, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    return held.texture;
  }

  /**
   * @param {number} unit
   * @param {WebGLTexture} texture
   */
  #bind(unit, texture) {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
  }

  #newTexture() {
    const gl = this.#gl;
    const texture = gl.createTexture();
    this.#bind(0, texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    return texture;
  }

  #link() {
    const gl = this.#gl;
    const program = gl.createProgram();
    this.#attach(program, gl.VERTEX_SHADER, CORNERS);
    this.#attach(program, gl.FRAGMENT_SHADER, LEVELS);
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new NoGpu(gl.getProgramInfoLog(program) ?? "");
    gl.useProgram(program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2); // rows of an odd number of samples
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const units = ["picture", "table", "columns", "rows", "spans"];
    units.forEach((name, unit) => gl.uniform1i(gl.getUniformLocation(program, name), unit));
    return {
      box: gl.getUniformLocation(program, "box"),
      counts: gl.getUniformLocation(program, "counts"),
      last: gl.getUniformLocation(program, "last"),
      isTurned: gl.getUniformLocation(program, "isTurned"),
      isShuttered: gl.getUniformLocation(program, "isShuttered"),
      height: gl.getUniformLocation(program, "height"),
    };
  }

  /**
   * @param {WebGLProgram} program
   * @param {number} kind
   * @param {string} source
   */
  #attach(program, kind, source) {
    const gl = this.#gl;
    const shader = gl.createShader(kind);
    if (!shader) throw new NoGpu("no shader");
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
}
