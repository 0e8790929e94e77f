import { constants, setPriority } from "node:os";
import { type MessagePort, parentPort } from "node:worker_threads";
import { MemoryEngine } from "./memory-engine.ts";
import type { Outcome, Reply, Word } from "./memory-words.ts";

/**
 * The thread that answers from memory: it is told what is written, and asked; one after the other. It gives way to the thread
 * that takes readings.
 */

/** A longer text is handed over as the bytes that are sent: what is copied is copied here. */
const LONG = 4096;
const encoder = new TextEncoder();

// Only Linux gives each thread a priority of its own; elsewhere this would slow down the whole process.
if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const port = parentPort as MessagePort;
const engine = new MemoryEngine();

port.on("message", (word: Word) => {
  if (word.word !== "ask") {
    engine.take(word);
    if (word.word === "past") reply(word.number, {});
    return;
  }
  engine.ask(word).then(
    (outcome) => reply(word.number, outcome),
    (problem: Error) => reply(word.number, { problem: problem.stack ?? problem.message }),
  );
});

function reply(number: number, outcome: Outcome): void {
  const { answer } = outcome;
  if (typeof answer !== "string" || answer.length < LONG) {
    port.postMessage({ number, ...outcome } satisfies Reply);
    return;
  }
  const bytes = encoder.encode(answer);
  port.postMessage({ number, answer: bytes } satisfies Reply, [bytes.buffer]);
}
