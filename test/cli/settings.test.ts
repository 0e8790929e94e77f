import { expect, test } from "vitest";
import { Fault } from "#protocol/faults.ts";
import { settle, SETTINGS } from "#cli/settings.ts";

const names = ["port", "data", "history", "speed", "town", "lang", "settings"] as const;
const settled = (line: string[], environment: Record<string, string> = {}, file?: string) =>
  settle(names, {
    verb: "start",
    arguments: line,
    environment,
    readFile(name) {
      if (file === undefined) throw new Fault("FILE_MISSING", { file: name });
      return file;
    },
  });

test("the command line wins over the environment, the environment over the file, the file over the default", () => {
  const file = '{"port": 1001, "speed": 3, "data": "kept"}';
  const environment = { VIGIE_PORT: "1002", VIGIE_SPEED: "4" };
  const { settings } = settled(["--port", "1003", "--settings", "file.json"], environment, file);
  expect(settings).toMatchObject({ port: 1003, speed: 4, data: "kept", town: SETTINGS.town.default });
});

test("durations are said in days, hours or minutes, and a flag can be denied", () => {
  expect(settled(["--history=48h", "--no-town"]).settings).toMatchObject({ history: 172_800, town: false });
  expect(settled(["--history", "0"]).settings).toMatchObject({ history: 0 });
});

const mistakes: [string, string[], Record<string, string>, string | undefined, string][] = [
  ["an option that does not exist", ["--prot", "1"], {}, undefined, "There is no option --prot. Did you mean --port?"],
  [
    "a port that is no number",
    ["--port", "http"],
    {},
    undefined,
    "--port is http; expected a whole number from 0 to 65535 (from the command line)",
  ],
  ["an empty port", ["--port="], {}, undefined, "--port is ; expected"],
  [
    "a port too high",
    [],
    { VIGIE_PORT: "70000" },
    undefined,
    "--port is 70000; expected a whole number from 0 to 65535 (from VIGIE_PORT)",
  ],
  ["a value left out", ["--port"], {}, undefined, "--port is nothing"],
  ["a duration without a unit", ["--history", "7"], {}, undefined, "a duration like 90m, 48h or 2d"],
  ["a denied option that is no flag", ["--no-port"], {}, undefined, "There is no option --no-port"],
  ["a settings file that is not there", ["--settings", "none.json"], {}, undefined, "There is no file none.json"],
  [
    "a settings file that is no JSON",
    ["--settings", "a.json"],
    {},
    "{\n  port: 1}",
    "--settings is a.json; expected JSON (from line 2, column 3).",
  ],
  [
    "a misspelt name in the settings file",
    ["--settings", "a.json"],
    {},
    '{"ports": 1}',
    "There is no option “ports” in a.json. Did you mean “port”?",
  ],
];
for (const [what, line, environment, file, says] of mistakes) {
  test(`${what} is answered by one sentence that names the thing, the place and what is expected`, () => {
    expect(() => settled(line, environment, file)).toThrow(says);
  });
}

test("no sentence is missing in either language", () => {
  for (const setting of Object.values(SETTINGS)) {
    expect(setting.en).not.toBe("");
    expect(setting.fr).not.toBe("");
  }
});

test("a secret that is too short is refused and not shown", () => {
  const environment = { VIGIE_READER_KEY: "hunter2" };
  const line = { verb: "start", arguments: [], environment, readFile: () => "" };
  expect(() => settle(["reader-key"], line)).toThrow(
    "--reader-key is 7 characters; expected a text of 32 characters or more (from VIGIE_READER_KEY)",
  );
  const long = { VIGIE_READER_KEY: "x".repeat(32) };
  expect(settle(["reader-key"], { ...line, environment: long }).settings["reader-key"]).toBe("x".repeat(32));
});
