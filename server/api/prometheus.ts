/** One family of samples for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, 0.0.4). */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export const gauge = (name: string, help: string, value: number): Family => ({
  name,
  help,
  type: "gauge",
  samples: [{ value }],
});

/** The families as text; samples that are no finite number are left out. */
export function exposition(families: readonly Family[]): string {
  let text = "";
  for (const { name, help, type, samples } of families) {
    const known = samples.filter(({ value }) => Number.isFinite(value));
    if (known.length === 0) continue;
    text += `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value } of known) text += `${name}${labelText(labels)} ${value}\n`;
  }
  return text;
}

function labelText(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => {
    const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
