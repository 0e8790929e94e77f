/** One Ctrl-C may come twice: from the terminal, and from npm, which passes it on. */
const SAME_KEY_MS = 1000;

/** Resolves at the first Ctrl-C or SIGTERM; a second Ctrl-C ends at once. */
export function untilStopped(): Promise<"stopped"> {
  return new Promise((resolve) => {
    let since: number | undefined;
    process.on("SIGINT", () => {
      if (since !== undefined && performance.now() - since > SAME_KEY_MS) process.exit(130);
      since ??= performance.now();
      resolve("stopped");
    });
    process.once("SIGTERM", () => resolve("stopped"));
  });
}
