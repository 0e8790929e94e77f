/** Resolves at the first Ctrl-C or SIGTERM; a second Ctrl-C ends at once. */
export function untilStopped(): Promise<"stopped"> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.once("SIGINT", () => process.exit(130));
      resolve("stopped");
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}
