import { connect, type Socket } from "node:net";
import type { Send } from "../dashboards/double/look.ts";

const HEAD_ENDS = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

/**
 * Sends over one connection that stays open, one request after the other, and reads no more of an answer than where it ends:
 * what is timed is the server's work and hardly any of ours.
 */
export function plainSend(url: string, key?: string): Send & { close(): void } {
  const { hostname, port, host } = new URL(url);
  const signed = key === undefined ? "" : `authorization: Basic ${btoa(`grafana:${key}`)}\r\n`;
  let socket: Socket | undefined;
  let heard = "";
  let answered: { resolve: (body: string) => void; reject: (problem: Error) => void } | undefined;
  const connected = (): Socket => {
    if (socket !== undefined) return socket;
    const opened = connect(Number(port), hostname).setNoDelay().setEncoding("latin1");
    opened.on("data", (piece: string) => {
      heard += piece;
      if (!isWhole(heard)) return;
      const body = Buffer.from(bodyOf(heard), "latin1").toString("utf8");
      heard = "";
      answered?.resolve(body);
    });
    opened.once("error", (problem) => answered?.reject(problem));
    opened.once("close", () => {
      socket = undefined;
      answered?.reject(new Error(`${host} closed the connection`));
    });
    return (socket = opened);
  };
  const send: Send = ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      answered = { resolve, reject };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const length = body === undefined ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
      connected().write(
        `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${lines.join("")}${signed}${length}\r\n${body ?? ""}`,
      );
    });
  return Object.assign(send, { close: () => void socket?.destroy() });
}

const lengthIn = (head: string): number | undefined => {
  const found = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  return found === undefined ? undefined : Number(found);
};

function isWhole(text: string): boolean {
  const end = text.indexOf(HEAD_ENDS);
  if (end < 0) return false;
  const head = text.slice(0, end);
  const length = lengthIn(head) ?? (/^HTTP\/1.1 204/.test(head) ? 0 : undefined);
  return length === undefined ? text.endsWith(LAST_CHUNK) : text.length >= end + HEAD_ENDS.length + length;
}

function bodyOf(text: string): string {
  const end = text.indexOf(HEAD_ENDS);
  const body = text.slice(end + HEAD_ENDS.length);
  if (lengthIn(text.slice(0, end)) !== undefined) return body;
  let out = "";
  for (let at = 0; ;) {
    const line = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.slice(at, line), 16);
    if (!(size > 0)) return out;
    out += body.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
