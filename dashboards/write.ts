import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generatedFiles } from "./files.ts";

/** Writes all that Grafana is provisioned from; what is no longer generated goes. */
const folder = join(import.meta.dirname, "grafana");
rmSync(folder, { recursive: true, force: true });
for (const [name, content] of generatedFiles()) {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
