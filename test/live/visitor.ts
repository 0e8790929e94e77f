import type { Running } from "./running.ts";

/** Somebody who has followed the one-time link that a server printed. */
export interface Visitor {
  get<T = Record<string, unknown>>(path: string): Promise<T>;
  post<T = Record<string, unknown>>(path: string, body: unknown): Promise<T>;
  /** The answer as it comes; rejects with its text when it is a refusal. */
  raw(path: string): Promise<Response>;
}

/** Signs in with the link that stands on the server's output. */
export async function visit(server: Running): Promise<Visitor> {
  const [, address = "", token = ""] = await server.says(/(http:\S+)\/sign-in#(\S+)/);
  const answer = await fetch(`${address}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (answer.status !== 201) throw new Error(`not signed in: ${answer.status} ${await answer.text()}`);
  const cookie = (answer.headers.get("set-cookie") ?? "").split(";", 1)[0] ?? "";
  const raw = async (path: string, more: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`${address}/api/v1${path}`, {
      ...more,
      headers: { cookie, "content-type": "application/json" },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const ask = async <T>(path: string, more: RequestInit = {}): Promise<T> =>
    (await (await raw(path, more)).json()) as T;
  return {
    get: (path) => ask(path),
    raw: (path) => raw(path),
    post: (path, body) => ask(path, { method: "POST", body: JSON.stringify(body) }),
  };
}
