import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The files of the page as they lie in the package; undefined for one that is not there. */
export interface PageFiles {
  read(path: string): Promise<Uint8Array | undefined>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const require = createRequire(import.meta.url);

/**
 * Reads below the root of the package (`server/console/app.ts`) and, after `package:`, the files of an installed package
 * (`package:preact/dist/preact.mjs`), wherever npm has put it.
 */
export const packageFiles: PageFiles = {
  async read(path) {
    const file = path.startsWith("package:") ? inPackage(path.slice(8)) : join(ROOT, path);
    if (!path.startsWith("package:") && !file.startsWith(ROOT.endsWith(sep) ? ROOT : ROOT + sep)) return undefined;
    try {
      return await readFile(file);
    } catch (problem) {
      const { code } = problem as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
      throw problem;
    }
  },
};

function inPackage(path: string): string {
  const [name = "", ...rest] = path.split("/");
  const manifest = require.resolve.paths(name)?.map((folder) => join(folder, name)) ?? [];
  for (const folder of manifest) {
    try {
      return join(dirname(require.resolve(`${folder}/package.json`)), ...rest);
    } catch {
      // Not in this folder of packages: the next one up may have it.
    }
  }
  return join(ROOT, "node_modules", path);
}
