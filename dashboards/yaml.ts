/** Plain data as YAML: every string in quotes, so that none is taken for anything else. */
export function yaml(value: object): string {
  return `# Written by npm run dashboards: change the code in dashboards/ instead.\n${lines(value).join("\n")}\n`;
}

function lines(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => nested("- ", each));
  return Object.entries(value as object).flatMap(([key, each]) => nested(`${key}:`, each));
}

function nested(head: string, value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [`${head.trimEnd()} ${JSON.stringify(value)}`];
  const inner = lines(value);
  if (inner.length === 0) return [`${head.trimEnd()} ${Array.isArray(value) ? "[]" : "{}"}`];
  if (head !== "- ") return [head, ...inner.map((line) => `  ${line}`)];
  return inner.map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));
}
