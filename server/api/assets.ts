import { createHash } from "node:crypto";
import { stripTypeScriptTypes } from "node:module";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Fault } from "#protocol/faults.ts";
import type { PageFiles } from "./files.ts";

/** Modules and sheets of others, by the name under which the page asks for them. Nothing comes from another server. */
const VENDOR: Readonly<Record<string, string>> = {
  "preact.mjs": "package:preact/dist/preact.mjs",
  "preact-hooks.mjs": "package:preact/hooks/dist/hooks.mjs",
  "maplibre-gl.mjs": "package:maplibre-gl/dist/maplibre-gl.mjs",
  "maplibre-gl-worker.mjs": "package:maplibre-gl/dist/maplibre-gl-worker.mjs",
  "maplibre-gl-shared.mjs": "package:maplibre-gl/dist/maplibre-gl-shared.mjs",
  "maplibre-gl.css": "package:maplibre-gl/dist/maplibre-gl.css",
  "uplot.mjs": "package:uplot/dist/uPlot.esm.js",
  "uplot.css": "package:uplot/dist/uPlot.min.css",
};

/** Folders of the package whose modules the page may ask for; types are stripped on the way. */
const FOLDERS: Readonly<Record<string, string>> = {
  "/console/protocol/": "protocol/",
  "/console/control/": "control/",
  "/console/": "server/console/",
};

const TYPES: Readonly<Record<string, string>> = {
  ts: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  woff2: "font/woff2",
};

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly brotli: Buffer | undefined;
  readonly gzip: Buffer | undefined;
  /** The page's own policy, with the hash of its import map. */
  readonly policy?: string;
}

/** Below this a compressed answer is not smaller in packets. */
const COMPRESS_FROM_B = 1000;

const compressed = { brotli: promisify(brotliCompress), gzip: promisify(gzip) };

/**
 * Serves the page: `/` and every address that is not the API's answer with index.html, whose links carry the version
 * that `version` names, so that a browser keeps them for ever and asks again after an update.
 */
export function serveConsole(app: FastifyInstance, files: PageFiles, version: string): void {
  const kept = new Map<string, Promise<Asset | undefined>>();
  const asset = (path: string, make: () => Promise<Asset | undefined>): Promise<Asset | undefined> => {
    let found = kept.get(path);
    if (found === undefined) {
      found = make();
      kept.set(path, found);
      // What is missing or failed is not remembered: the names that can be asked for are without end.
      found.then((made) => made ?? kept.delete(path)).catch(() => kept.delete(path));
    }
    return found;
  };

  // A page that was opened before a restart asks under its old version: it gets the new files, but does not keep them.
  const versioned = /^\/(console|vendor)\/@([A-Za-z0-9.-]+)\//;
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const asked = decoded(request.url.split("?")[0] ?? "/");
    const path = asked.replace(versioned, "/$1/");
    const file = fileOf(path);
    if (file === undefined) throw new Fault("NOT_FOUND", { thing: "address", id: asked.slice(0, 200) });
    const found = await asset(file, () => makeAsset(files, file));
    if (found === undefined) throw new Fault("NOT_FOUND", { thing: "address", id: asked.slice(0, 200) });
    const current = versioned.exec(asked)?.[2] === version;
    return send(request, reply, found, current ? "public, max-age=31536000, immutable" : "no-cache");
  };
  const hidden = { schema: { hide: true } };
  app.get("/console/*", hidden, serve);
  app.get("/vendor/*", hidden, serve);

  app.get("/*", hidden, async (request, reply) => {
    const path = request.url.split("?")[0] ?? "/";
    if (path.startsWith("/api/") || /\.[a-z0-9]{1,5}$/i.test(path)) {
      throw new Fault("NOT_FOUND", { thing: "address", id: path.slice(0, 200) });
    }
    const page = await asset("index.html", () => makePage(files, version));
    if (page === undefined) throw new Fault("NOT_FOUND", { thing: "address", id: "server/console/index.html" });
    return send(request, reply, page, "no-cache");
  });
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}

/** Where an address lies in the package; undefined for one that leads elsewhere. */
function fileOf(path: string): string | undefined {
  if (path.startsWith("/vendor/")) {
    const name = path.slice("/vendor/".length);
    return Object.hasOwn(VENDOR, name) ? VENDOR[name] : undefined;
  }
  for (const [prefix, folder] of Object.entries(FOLDERS)) {
    if (!path.startsWith(prefix)) continue;
    const rest = path.slice(prefix.length);
    // One plain name after another: no way up, no hidden file, no configuration.
    const plain = /^(?:[A-Za-z0-9_-]+\/)*[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:ts|css|svg|png|woff2)$/.test(rest);
    return plain ? folder + rest : undefined;
  }
  return undefined;
}

async function makeAsset(files: PageFiles, file: string): Promise<Asset | undefined> {
  const bytes = await files.read(file);
  if (bytes === undefined) return undefined;
  const name = file.replace(/\.js$/, ".mjs");
  const extension = name.slice(name.lastIndexOf(".") + 1);
  const content = extension === "ts" ? stripped(Buffer.from(bytes).toString("utf8")) : Buffer.from(bytes);
  return compress(content, TYPES[extension] ?? "application/octet-stream");
}

function stripped(source: string): Buffer {
  // Node says once that this function is experimental, in the middle of the terminal's calm lines; it is called here only.
  const emitWarning = Reflect.get(process, "emitWarning");
  process.emitWarning = () => {};
  try {
    return Buffer.from(stripTypeScriptTypes(source, { mode: "strip" }), "utf8");
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function makePage(files: PageFiles, version: string): Promise<Asset | undefined> {
  const bytes = await files.read("server/console/index.html");
  if (bytes === undefined) return undefined;
  const html = Buffer.from(bytes)
    .toString("utf8")
    .replaceAll(/(["'])\/(console|vendor)\//g, `$1/$2/@${version}/`);
  const hashes = [...html.matchAll(/<script type="importmap">([\s\S]*?)<\/script>/g)].map(
    ([, map = ""]) => `'sha256-${createHash("sha256").update(map).digest("base64")}'`,
  );
  return { ...(await compress(Buffer.from(html, "utf8"), TYPES["html"] as string)), policy: pagePolicy(hashes) };
}

/** What the page may load: its own files and nothing else; images that it draws itself; no frame around it. */
function pagePolicy(scriptHashes: readonly string[]): string {
  return [
    "default-src 'none'",
    ["script-src 'self'", ...scriptHashes].join(" "),
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

async function compress(plain: Buffer, type: string): Promise<Asset> {
  const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 27)}"`;
  const small = plain.length < COMPRESS_FROM_B || type === "image/png" || type === "font/woff2";
  if (small) return { type, etag, plain, brotli: undefined, gzip: undefined };
  // Quality 5: a tenth of the time of the best, for a few percent more bytes.
  const brotli = compressed.brotli(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
  return { type, etag, plain, brotli: await brotli, gzip: await compressed.gzip(plain) };
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset, cacheControl: string): FastifyReply {
  reply.header("cache-control", cacheControl).header("etag", asset.etag).header("vary", "accept-encoding");
  if (asset.policy !== undefined) reply.header("content-security-policy", asset.policy);
  if (request.headers["if-none-match"] === asset.etag) return reply.code(304).send();
  reply.type(asset.type);
  const accepted = request.headers["accept-encoding"] ?? "";
  if (asset.brotli !== undefined && /\bbr\b/.test(accepted)) {
    return reply.header("content-encoding", "br").send(asset.brotli);
  }
  if (asset.gzip !== undefined && /\bgzip\b/.test(accepted)) {
    return reply.header("content-encoding", "gzip").send(asset.gzip);
  }
  return reply.send(asset.plain);
}
