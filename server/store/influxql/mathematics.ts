/** InfluxQL's functions of one number; they work value by value. */
export const OF_ONE: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sqrt: Math.sqrt,
  floor: Math.floor,
  ceil: Math.ceil,
  // Half away from zero, where JavaScript rounds up.
  round: (value) => Math.sign(value) * Math.round(Math.abs(value)),
};

/** And of two. */
export const OF_TWO: Readonly<Record<string, (a: number, b: number) => number>> = {
  atan2: Math.atan2,
  pow: (base, exponent) => base ** exponent,
  log: (value, base) => Math.log(value) / Math.log(base),
};
