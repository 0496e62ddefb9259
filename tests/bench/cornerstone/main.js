// Cornerstone3D behind three calls, so that the benchmark can ask of it what it asks of our viewer.

import {
  cache,
  Enums,
  imageLoader,
  init,
  metaData,
  RenderingEngine,
  setUseCPURendering,
  utilities,
} from "@cornerstonejs/core";

const VIEWPORT = "yardstick";
let viewport = null;
let element = null;

/** @param {HTMLElement} target @param {boolean} cpu its own 2D path instead of WebGL */
async function start(target, cpu) {
  init();
  setUseCPURendering(cpu);
  element = target;
  imageLoader.registerImageLoader("bench", (imageId) => ({ promise: Promise.resolve(imageOf(imageId)) }));
  metaData.addProvider(factsOf, 10_000);
  const engine = new RenderingEngine("bench");
  engine.enableElement({ viewportId: VIEWPORT, type: Enums.ViewportType.STACK, element });
  viewport = engine.getViewport(VIEWPORT);
}

const pictures = new Map();

/** Hand over a decoded picture; `hold` fills its cache, as prefetching does. */
async function hold(name, picture) {
  pictures.set(`bench:${name}`, picture);
  await imageLoader.loadAndCacheImage(`bench:${name}`);
}

/** Show a held picture in a window; resolves when Cornerstone says that it is rendered. */
async function show(name, window) {
  const rendered = next(Enums.Events.IMAGE_RENDERED);
  await viewport.setStack([`bench:${name}`]);
  viewport.setProperties({ voiRange: window });
  viewport.render();
  await rendered;
}

/** Another window for the picture on screen; the rendering is asked for as its tools ask for it. */
function setWindow(window) {
  viewport.setProperties({ voiRange: window });
  viewport.render();
}

function forget(name) {
  cache.removeImageLoadObject(`bench:${name}`, { force: true });
  pictures.delete(`bench:${name}`);
}

function next(event) {
  return new Promise((resolve) => element.addEventListener(event, resolve, { once: true }));
}

function imageOf(imageId) {
  const { width, height, samples } = pictures.get(imageId);
  const scalarData = samples;
  return {
    imageId,
    minPixelValue: 0,
    maxPixelValue: 65535,
    slope: 1,
    intercept: 0,
    windowCenter: 32768,
    windowWidth: 65536,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    rows: height,
    columns: width,
    height,
    width,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    columnPixelSpacing: 1,
    rowPixelSpacing: 1,
    invert: false,
    photometricInterpretation: "MONOCHROME2",
    sizeInBytes: samples.byteLength,
    dataType: "Uint16Array",
    getPixelData: () => scalarData,
    voxelManager: utilities.VoxelManager.createImageVoxelManager({
      width,
      height,
      numberOfComponents: 1,
      scalarData,
    }),
  };
}

function factsOf(type, imageId) {
  const picture = pictures.get(imageId);
  if (!picture) return undefined;
  const { width, height } = picture;
  return {
    imagePixelModule: {
      bitsAllocated: 16,
      bitsStored: 16,
      highBit: 15,
      pixelRepresentation: 0,
      samplesPerPixel: 1,
      photometricInterpretation: "MONOCHROME2",
      rows: height,
      columns: width,
    },
    generalSeriesModule: { modality: "MG", seriesNumber: 1, seriesInstanceUID: "1" },
    imagePlaneModule: {
      frameOfReferenceUID: "1",
      rows: height,
      columns: width,
      imageOrientationPatient: [1, 0, 0, 0, 1, 0],
      rowCosines: [1, 0, 0],
      columnCosines: [0, 1, 0],
      imagePositionPatient: [0, 0, 0],
      pixelSpacing: [1, 1],
      rowPixelSpacing: 1,
      columnPixelSpacing: 1,
    },
    voiLutModule: { windowCenter: [32768], windowWidth: [65536] },
    modalityLutModule: { rescaleSlope: 1, rescaleIntercept: 0 },
  }[type];
}

window.yardstick = { start, hold, show, setWindow, forget };
