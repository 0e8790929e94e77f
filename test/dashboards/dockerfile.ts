import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

/** What a Dockerfile comes to when its steps are carried out in directories instead of containers. */
export interface Built {
  /** The root of the last stage. */
  readonly directory: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
}

interface Stage {
  readonly directory: string;
  workdir: string;
  user: string;
  env: Record<string, string>;
  entrypoint: readonly string[];
  command: readonly string[];
  healthCheck: readonly string[];
}

/** Carries out FROM, WORKDIR, COPY, RUN, ENV, USER; what .dockerignore keeps out is not there to be copied. */
export function buildIn(directory: string, context: string): Built {
  const ignored = readFileSync(join(context, ".dockerignore"), "utf8").split("\n");
  const allowed = new Set(ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1)));
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  const here = (): Stage => {
    if (stage === undefined) throw new Error("a step before FROM");
    return stage;
  };
  const inside = (of: Stage, path: string): string => join(of.directory, resolve(of.workdir, path));
  for (const line of readFileSync(join(context, "Dockerfile"), "utf8").split("\n")) {
    const [word = "", rest = ""] = line.split(/ (.*)/s);
    switch (word) {
      case "":
      case "#":
      case "EXPOSE":
      case "VOLUME":
        break;
      case "FROM": {
        const name = / AS (\w+)$/.exec(rest)?.[1] ?? String(stages.size);
        stage = {
          directory: join(directory, name),
          workdir: "/",
          user: "root",
          env: {},
          entrypoint: [],
          command: [],
          healthCheck: [],
        };
        stages.set(name, stage);
        break;
      }
      case "WORKDIR":
        here().workdir = rest;
        mkdirSync(inside(here(), "."), { recursive: true });
        break;
      case "COPY": {
        const words = rest.split(" ");
        const flags = words.filter((each) => each.startsWith("--"));
        const paths = words.filter((each) => !each.startsWith("--"));
        const from = flags.find((flag) => flag.startsWith("--from="))?.slice("--from=".length);
        const to = paths.pop() as string;
        for (const path of paths) {
          if (from === undefined && !allowed.has(path)) throw new Error(`.dockerignore keeps ${path} out`);
          const source = from === undefined ? join(context, path) : join(stages.get(from)?.directory ?? "", path);
          const target = to.endsWith("/") ? join(inside(here(), to), basename(path)) : inside(here(), to);
          cpSync(source, target, { recursive: true, verbatimSymlinks: true });
        }
        break;
      }
      case "RUN":
        execFileSync("sh", ["-c", rest], { cwd: inside(here(), "."), stdio: "pipe" });
        break;
      case "ENV":
        for (const pair of rest.split(" ")) {
          const [name = "", value = ""] = pair.split("=");
          here().env[name] = value;
        }
        break;
      case "USER":
        here().user = rest;
        break;
      case "HEALTHCHECK":
        here().healthCheck = JSON.parse(rest.slice(rest.indexOf("["))) as string[];
        break;
      case "ENTRYPOINT":
        here().entrypoint = JSON.parse(rest) as string[];
        break;
      case "CMD":
        here().command = JSON.parse(rest) as string[];
        break;
      default:
        throw new Error(`the Dockerfile says ${word}, which this test does not know`);
    }
  }
  const last = here();
  return {
    directory: last.directory,
    workdir: inside(last, "."),
    env: last.env,
    user: last.user,
    command: [...last.entrypoint, ...last.command],
    healthCheck: last.healthCheck,
  };
}
