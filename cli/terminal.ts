import type { Language } from "#protocol/faults.ts";

/** What a verb says and where: a person's terminal or a pipe, in English or French. */
export interface Terminal {
  readonly language: Language;
  /** A person reads along: progress may redraw its line. Through a pipe there are no control characters. */
  readonly interactive: boolean;
  readonly columns: number;
  /** A line of the answer itself. */
  out(text: string): void;
  /** A line beside the answer: progress, remarks. */
  say(text: string): void;
  /** Draws progress in place on a terminal, and every tenth of the way on a pipe. */
  progress(share: number, text: string): void;
}

interface Streams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
}

const BAR = 24;

export function terminal({ stdout, stderr }: Streams, language: Language): Terminal {
  const interactive = stderr.isTTY === true;
  const columns = stderr.columns ?? 80;
  let drawn = false;
  let tenths = -1;
  const clear = (): void => {
    if (drawn) stderr.write("\r\u001b[K");
    drawn = false;
  };
  return {
    language,
    interactive,
    columns,
    out(text) {
      clear();
      stdout.write(`${text}\n`);
    },
    say(text) {
      clear();
      stderr.write(`${text}\n`);
    },
    progress(share, text) {
      const percent = `${Math.floor(share * 100)}`.padStart(3);
      if (interactive) {
        const filled = Math.round(share * BAR);
        const line = `  ${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${percent} %  ${text}`;
        stderr.write(`\r\u001b[K${line.slice(0, columns - 1)}`);
        drawn = true;
        if (share >= 1) {
          stderr.write("\n");
          drawn = false;
        }
      } else if (Math.floor(share * 10) > tenths) {
        tenths = Math.floor(share * 10);
        stderr.write(`  ${percent} %  ${text}\n`);
      }
    },
  };
}

/** The language asked for with --lang, else that of the environment, else English. */
export function languageOf(
  asked: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Language {
  if (asked === "fr" || asked === "en") return asked;
  const locale = environment["LC_ALL"] || environment["LC_MESSAGES"] || environment["LANG"] || "";
  return locale.toLowerCase().startsWith("fr") ? "fr" : "en";
}
