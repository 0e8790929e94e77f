import { constants, setPriority } from "node:os";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { InfluxError } from "./engine.ts";
import type { Value } from "./evaluate.ts";
import { ThreadEngine } from "./thread-engine.ts";
import type { Outcome, Said, Word } from "./thread-words.ts";

/** The thread that answers: it is told what is written, and asked. It gives way to the thread that takes readings. */

/** A longer text is handed over as the bytes that are sent: what is copied is copied here. */
const LONG = 4096;
const encoder = new TextEncoder();

// Only Linux gives each thread a priority of its own; elsewhere this would slow down the whole process.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

interface Fetching {
  readonly take: (columns: readonly (readonly Value[])[]) => void;
  readonly resolve: () => void;
  readonly reject: (problem: Error) => void;
}

const port = parentPort as MessagePort;
const fetching = new Map<number, Fetching>();
let fetches = 0;
const say = (said: Said, handedOver: ArrayBuffer[] = []): void => port.postMessage(said, handedOver);

const engine = new ThreadEngine(workerData as boolean, (question, sql, relations, take) => {
  const number = ++fetches;
  return new Promise((resolve, reject) => {
    fetching.set(number, { take, resolve, reject });
    say({ said: "fetch", number, question, sql, relations });
  });
});

port.on("message", (word: Word) => {
  if (word.word === "ask") {
    engine.ask(word).then(
      (outcome) => reply(word.number, outcome),
      (problem: Error) => reply(word.number, { problem: problem.stack ?? problem.message }),
    );
  } else if (word.word === "rows") takeRows(word.number, word.columns);
  else if (word.word === "ended") endFetch(word);
  else {
    engine.take(word);
    if (word.word === "past") reply(word.number, {});
  }
});
say({ said: "ready" });

function takeRows(number: number, columns: readonly (readonly Value[])[]): void {
  const fetch = fetching.get(number);
  try {
    fetch?.take(columns);
  } catch (problem) {
    fetching.delete(number);
    fetch?.reject(problem as Error);
  }
  say({ said: "taken", number });
}

function endFetch({ number, refused, problem }: Extract<Word, { readonly word: "ended" }>): void {
  const fetch = fetching.get(number);
  fetching.delete(number);
  if (refused !== undefined) fetch?.reject(new InfluxError(refused.status, refused.message));
  else if (problem !== undefined) fetch?.reject(new Error(problem));
  else fetch?.resolve();
}

function reply(number: number, outcome: Outcome): void {
  const { answer } = outcome;
  if (typeof answer !== "string" || answer.length < LONG) {
    say({ said: "reply", number, ...outcome });
    return;
  }
  const bytes = encoder.encode(answer);
  say({ said: "reply", number, ...outcome, answer: bytes }, [bytes.buffer]);
}
