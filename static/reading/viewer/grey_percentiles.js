// The grey levels that windows are made from. One rule for every picture, or the window itself would tell.

const LOW = 0.01;
const HIGH = 0.998;
const CHANGED = 0.999;
const NO_CHANGE = 32768;

/**
 * @param {Uint16Array} samples
 * @returns {{low: number, high: number, change: number}} the 1st and 99.8th percentile; and, for differences,
 *   the 99.9th percentile of the distance from 32768 among the samples that are not 32768 (0 if none is)
 */
export function measureLevels(samples) {
  const histogram = new Uint32Array(65536);
  for (let i = 0; i < samples.length; i++) histogram[samples[i]]++;
  const distances = new Uint32Array(NO_CHANGE + 1);
  for (let v = 0; v < 65536; v++) if (v !== NO_CHANGE) distances[Math.abs(v - NO_CHANGE)] += histogram[v];
  // Among the changed only: a lesion of a few pixels is a small share of the whole picture.
  const changed = samples.length - histogram[NO_CHANGE];
  return {
    low: quantile(histogram, LOW, samples.length),
    high: quantile(histogram, HIGH, samples.length),
    change: quantile(distances, CHANGED, changed),
  };
}

/** The smallest value that at least the share `q` of the samples do not exceed. */
function quantile(histogram, q, count) {
  const wanted = Math.ceil(q * count);
  if (wanted === 0) return 0;
  let seen = 0;
  for (let v = 0; v < histogram.length; v++) {
    seen += histogram[v];
    if (seen >= wanted) return v;
  }
  return histogram.length - 1;
}
