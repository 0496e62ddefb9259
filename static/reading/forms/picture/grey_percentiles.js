// Percentiles of an image's grey levels, from which windows are computed. All images follow one rule, real and
// adversarial alike: otherwise the window would reveal which is which.

const LOW = 0.01;
const BRIGHT = 0.998;
// Air fills more than half of many images. The upper end is taken from what is brighter than air: else the brightest
// two thousandths of the whole image would be white, and that can be the size of a finding.
const TO_AIR = 20; // a twentieth of the range from dark to bright counts as air
const HIGH = 0.9999;
const CHANGED = 0.999;
const NO_CHANGE = 32768;

/**
 * @typedef {object} GreyPercentiles
 * @property {number} low the 1st percentile
 * @property {number} high the 99.99th percentile of the samples above air, which are those more than a twentieth of
 *   the way from the 1st to the 99.8th percentile of all samples
 * @property {number} change for difference images: the 99.9th percentile of the distance from 32768 among the samples
 *   that are not 32768; 0 if there are none
 */

/**
 * @param {Uint16Array} samples
 * @returns {GreyPercentiles}
 */
export function greyPercentiles(samples) {
  const histogram = new Uint32Array(65536);
  for (let i = 0; i < samples.length; i++) histogram[samples[i]]++;
  const distances = new Uint32Array(NO_CHANGE + 1);
  for (let v = 0; v < 65536; v++) if (v !== NO_CHANGE) distances[Math.abs(v - NO_CHANGE)] += histogram[v];
  // Among the changed samples only: a small change is a small share of the whole image.
  const changed = samples.length - histogram[NO_CHANGE];
  const low = quantile(histogram, LOW, samples.length);
  const bright = quantile(histogram, BRIGHT, samples.length);
  const air = low + Math.floor((bright - low) / TO_AIR);
  let inAir = 0;
  for (let v = 0; v <= air; v++) inAir += histogram[v];
  const above = samples.length - inAir;
  return {
    low,
    high: above === 0 ? bright : quantileAbove(histogram, air, HIGH, above),
    change: quantile(distances, CHANGED, changed),
  };
}

/**
 * Return the smallest value that at least the share `q` of the samples do not exceed.
 * @param {Uint32Array} histogram
 * @param {number} q from 0 to 1
 * @param {number} count of samples
 */
function quantile(histogram, q, count) {
  return quantileAbove(histogram, -1, q, count);
}

/**
 * The same among the samples above a level.
 * @param {Uint32Array} histogram
 * @param {number} level
 * @param {number} q from 0 to 1
 * @param {number} count of samples above the level
 */
function quantileAbove(histogram, level, q, count) {
  const needed = Math.ceil(q * count);
  if (needed === 0) return 0;
  let sum = 0;
  for (let v = level + 1; v < histogram.length; v++) {
    sum += histogram[v];
    if (sum >= needed) return v;
  }
  return histogram.length - 1;
}
