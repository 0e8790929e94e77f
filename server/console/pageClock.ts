/** The browser's own clock: the one file of the console that reads it, and hears of its network. Times of the town come from the server. */

/** Milliseconds since the page was opened; never goes back. */
export const sinceOpened = (): number => performance.now();

/** Calls `work` every `period_ms` while the page is visible; returns the function that ends it. */
export function every(period_ms: number, work: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") work();
  }, period_ms);
  return () => clearInterval(timer);
}

/** Calls `work` once, after `delay_ms`; returns the function that calls it off. */
export function after(delay_ms: number, work: () => void): () => void {
  const timer = setTimeout(work, delay_ms);
  return () => clearTimeout(timer);
}

/** Calls `work` when this device loses its network or has it back; returns the function that ends it. */
export function whenNetworkTurns(work: () => void): () => void {
  const end = new AbortController();
  for (const turn of ["online", "offline"]) addEventListener(turn, work, { signal: end.signal });
  return () => end.abort();
}

/** Calls `work` before the next frame is drawn; returns the function that calls it off. */
export function nextFrame(work: (at_ms: number) => void): () => void {
  const frame = requestAnimationFrame(work);
  return () => cancelAnimationFrame(frame);
}
