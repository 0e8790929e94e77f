#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

// What one start has stripped of types and compiled, the next one takes over: half a second of work and 20 MB of compiler.
enableCompileCache(join(import.meta.dirname, "node_modules/.cache/vigie"));
// Loading makes little garbage. Without this a server's young generation grows to 16 MB meanwhile, and never shrinks again.
if (process.argv[2] === "start") setFlagsFromString("--semi-space-growth-factor=1");
const { main } = await import("#cli/main.ts");
process.exitCode = await main(process.argv.slice(2));
