import type { Hardware } from "./hardware.ts";

/** A board with nothing on it: for trying the line, the credentials and the commands before anything is wired. */
export const noHardware: Hardware = {
  read: () => undefined,
  write: () => {},
  watch: () => {},
  close: () => {},
};
