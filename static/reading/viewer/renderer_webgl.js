// Layers drawn by the graphics card, in the same integers as surface2d.js, hence with the same bytes.

import { halvingsAt, samplingOf, WEIGHTS } from "./sampling.js";

const LARGEST = 8192; // pixels of a side, of canvas and picture

const CORNERS = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3 : -1, gl_VertexID == 2 ? 3 : -1, 0, 1); // one triangle over everything
}`;

const LEVELS = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D picture, columns, rows;
uniform sampler2D table;
uniform ivec4 box; // from and to, of columns and of rows
uniform bool isTurned;
uniform int height;
out vec4 colour;

uint level(uint column, uint row) {
  return texelFetch(picture, isTurned ? ivec2(row, column) : ivec2(column, row), 0).r;
}

uint mixed(uint first, uint second, uint share) {
  return first * (${WEIGHTS}u - share) + second * share;
}

void main() {
  ivec2 at = ivec2(int(gl_FragCoord.x), height - 1 - int(gl_FragCoord.y));
  if (at.x < box.x || at.x >= box.y || at.y < box.z || at.y >= box.w) discard;
  uvec4 column = texelFetch(columns, ivec2(at.x, 0), 0);
  uvec4 row = texelFetch(rows, ivec2(at.y, 0), 0);
  uint above = mixed(level(column.x, row.x), level(column.y, row.x), column.z);
  uint below = mixed(level(column.x, row.y), level(column.y, row.y), column.z);
  uint value = (mixed(above, below, row.z) + ${(WEIGHTS * WEIGHTS) / 2}u) >> ${2 * Math.log2(WEIGHTS)}u;
  vec4 found = texelFetch(table, ivec2(value & 255u, value >> 8u), 0);
  colour = vec4(found.rgb * found.a, found.a);
}`;

// Renderers that are no graphics card. `failIfMajorPerformanceCaveat` alone lets them pass in some browsers.
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;
const ATTRIBUTES = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: true };

let answer = null;

/** Whether a graphics card is there to draw with. Asked on a canvas of its own: a canvas keeps its kind of context. */
export function hasGpu() {
  return (answer ??= askGpu());
}

function askGpu() {
  const gl = document.createElement("canvas").getContext("webgl2", ATTRIBUTES);
  if (!gl) return false;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  const isLarge = gl.getParameter(gl.MAX_TEXTURE_SIZE) >= LARGEST;
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return isLarge && !SOFTWARE.test(renderer);
}

/** The graphics card refused. */
export class NoGpu extends Error {}

export class SurfaceGL {
  gpu = true;
  #canvas;
  #gl;
  #uniforms;
  #taps = [];
  #pictures = new Map();
  #tables = new Map();

  /** @param {HTMLCanvasElement} canvas without a context yet */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#gl = canvas.getContext("webgl2", ATTRIBUTES);
    if (!this.#gl) throw new NoGpu("no context");
    this.#uniforms = this.#link();
    this.#taps = [this.#texture(), this.#texture()];
  }

  /** @param {string} colour of the whole canvas, as #rrggbb or #rgb */
  fill(colour) {
    const gl = this.#gl;
    const digits = colour.slice(1);
    const per = digits.length / 3;
    const parts = [0, 1, 2].map((i) => parseInt(digits.slice(i * per, (i + 1) * per).repeat(3 - per), 16) / 255);
    gl.viewport(0, 0, this.#canvas.width, this.#canvas.height);
    gl.clearColor(...parts, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  /** The card works it out while it draws. */
  prepare() {}

  /**
   * @param {import("./layer.js").Layer[]} layers the lowest first, all of one size
   * @param {ReturnType<import("./viewport.js").View["place"]>} place
   */
  draw(layers, place) {
    const gl = this.#gl;
    this.fill("#000");
    const halvings = halvingsAt(place.zoom);
    this.#sample(samplingOf(place, this.#canvas, layers[0].halved(halvings), halvings));
    for (const layer of layers) {
      const textures = [this.#pictureOf(layer, halvings), this.#tableOf(layer.tone)];
      textures.forEach((texture, unit) => this.#bind(unit, texture));
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }

  #sample({ columns, rows, isTurned }) {
    const gl = this.#gl;
    [columns, rows].forEach(({ taps }, i) => {
      this.#bind(2 + i, this.#taps[i]);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16UI, taps.length / 4, 1, 0, gl.RGBA_INTEGER, gl.UNSIGNED_SHORT, taps);
    });
    gl.uniform4i(this.#uniforms.box, columns.from, columns.to, rows.from, rows.to);
    gl.uniform1i(this.#uniforms.isTurned, isTurned);
    gl.uniform1i(this.#uniforms.height, this.#canvas.height);
  }

  #pictureOf(layer, halvings) {
    const gl = this.#gl;
    const { width, height, samples } = layer.halved(halvings);
    let held = this.#pictures.get(layer);
    if (!held) this.#pictures.set(layer, (held = { texture: this.#texture() }));
    if (held.samples === samples) return held.texture;
    held.samples = samples;
    this.#bind(0, held.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, samples);
    return held.texture;
  }

  #tableOf(tone) {
    const gl = this.#gl;
    let held = this.#tables.get(tone);
    if (!held) this.#tables.set(tone, (held = { texture: this.#texture() }));
    if (held.version === tone.version) return held.texture;
    held.version = tone.version;
    this.#bind(1, held.texture);
    const colours = new Uint8Array(tone.table.buffer);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 256, 0, gl.RGBA, gl.UNSIGNED_BYTE, colours);
    return held.texture;
  }

  #bind(unit, texture) {
    const gl = this.#gl;
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
  }

  #texture() {
    const gl = this.#gl;
    const texture = gl.createTexture();
    this.#bind(0, texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    return texture;
  }

  #link() {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, LEVELS]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new NoGpu(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2); // rows of an odd number of samples
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    ["picture", "table", "columns", "rows"].forEach((name, i) => gl.uniform1i(gl.getUniformLocation(program, name), i));
    const names = ["box", "isTurned", "height"];
    return Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
  }
}
