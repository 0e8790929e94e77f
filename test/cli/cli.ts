import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The environment of a person who has set nothing. */
export const bare = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VIGIE_"))),
  LC_ALL: "C",
};

/** Runs the real `vigie` with these words until it ends, through pipes. */
export function vigie(...words: string[]): Answer {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "cli.ts"), ...words], {
    env: bare,
    encoding: "utf8",
    maxBuffer: 67_108_864,
  });
  return { code: status, out: stdout, err: stderr };
}
