// Stands in for what Cornerstone imports and the benchmark never reaches.
export const create = null;
export default {};
