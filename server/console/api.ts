import type { Problem } from "../api/resources.ts";
import { language, say } from "./language.ts";

/** The way to /api/v1: JSON in, JSON out, and every refusal one sentence. */
export class Refusal extends Error {
  /** HTTP status; 0 when nobody answered. */
  readonly status: number;
  /** The code of the fault. */
  readonly code: string;
  constructor(status: number, code: string, text: string) {
    super(text);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
  }
}

export const API = "/api/v1";

export const read = <T>(path: string, signal?: AbortSignal): Promise<T> => call<T>("GET", path, undefined, signal);
export const send = <T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> =>
  call<T>(method, path, body);

/** Raises Refusal with the server's own sentence, in the page's language. */
async function call<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await fetch(API + path, {
    method,
    headers: {
      Accept: "application/json",
      "Accept-Language": language.get(),
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  }).catch((problem: unknown) => {
    if ((problem as Error).name === "AbortError") throw problem as Error;
    throw new Refusal(0, "NETWORK", say("problem.network"));
  });
  if (response.status === 204) return undefined as T;
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const problem = answer as Partial<Problem> | undefined;
    throw new Refusal(response.status, problem?.title ?? "UNKNOWN", problem?.detail ?? `${response.status}`);
  }
  return answer as T;
}

/** Does something that the server may refuse; `refused` is told its sentence. Other errors are ours and are raised. */
export async function attempt(work: () => Promise<void>, refused: (refusal: Refusal) => void): Promise<void> {
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    refused(problem);
  }
}

/** A path with a query; what is undefined or empty is left out. */
export function query(path: string, asked: Readonly<Record<string, string | number | undefined>>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === "" ? path : `${path}?${text}`;
}
