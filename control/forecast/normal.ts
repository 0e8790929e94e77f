/** The normal distribution: the share below `z` standard deviations (Abramowitz and Stegun 1964, 7.1.26; 1.5e-7 right). */
export function normalBelow(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const above = (series * Math.exp(-x * x)) / 2;
  return z > 0 ? 1 - above : above;
}

/** How many standard deviations the share `p` lies below: the inverse of `normalBelow`, by halving. */
export function normalQuantile(p: number): number {
  let low = -8;
  let high = 8;
  for (let turn = 0; turn < 40; turn++) {
    const middle = (low + high) / 2;
    if (normalBelow(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
