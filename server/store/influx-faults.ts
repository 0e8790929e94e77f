import { Fault } from "#protocol/faults.ts";
import type { Seconds } from "#protocol/units.ts";

/** What a client of InfluxDB has thrown, as a fault with the address and the next step. */
export function influxFault(problem: unknown, address: string): Fault {
  if (problem instanceof Fault) return problem;
  const text = wordsOf(problem);
  const status = statusOf(problem, text);
  if (status === 401 || status === 403 || /not authorized|authorization failed|unauthorized/i.test(text)) {
    return new Fault("STORE_REFUSED", { address, problem: text });
  }
  // "No host available" is the 1.x client's own word for a server it has just failed to reach.
  if (codeOf(problem) !== undefined || /no host available|timed out|socket hang up|aborted/i.test(text)) {
    return new Fault("STORE_UNREACHABLE", { address, problem: codeOf(problem) ?? text });
  }
  return new Fault("STORE_FAILED", { problem: `${address} says: ${text}` });
}

/** No answer within the time given. */
export const silent = (address: string, timeout: Seconds): Fault =>
  new Fault("STORE_UNREACHABLE", { address, problem: `no answer within ${timeout} s` });

/**
 * Points older than the retention that an operator has set on the server are not taken, and never will be: nobody wants
 * them, and to fail for their sake would stop every reading that comes after them. The others of the request are kept.
 */
export const onlyTooOld = (problem: unknown): boolean => /points beyond retention policy/i.test(wordsOf(problem));

function wordsOf(problem: unknown): string {
  if (!(problem instanceof Error)) return "something that is no error";
  const { body } = problem as { body?: unknown };
  const text = (typeof body === "string" && body) || problem.message || problem.name;
  // Both clients leave the server's JSON as it came, the one behind words of its own.
  const json = /\{.*\}/s.exec(text)?.[0];
  if (json === undefined) return text;
  try {
    const { error, message } = JSON.parse(json) as { error?: string; message?: string };
    return message ?? error ?? text;
  } catch {
    return text;
  }
}

function statusOf(problem: unknown, text: string): number | undefined {
  const { statusCode, res } = problem as { statusCode?: number; res?: { statusCode?: number } };
  return statusCode ?? res?.statusCode ?? (/^A (\d{3}) /.test(text) ? Number(text.slice(2, 5)) : undefined);
}

/** ECONNREFUSED, ECONNRESET, ENOTFOUND…: the line, not the server. */
function codeOf(problem: unknown): string | undefined {
  const { code, errors } = problem as { code?: unknown; errors?: readonly { code?: unknown }[] };
  const found = code ?? errors?.[0]?.code;
  return typeof found === "string" && /^E[A-Z]/.test(found) ? found : undefined;
}
