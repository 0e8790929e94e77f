/** What is wrong with a regular expression, in the words of Go's RE2; undefined: nothing. */
export function patternFault(source: string): string | undefined {
  try {
    new RegExp(source, "u");
    return undefined;
  } catch (problem) {
    return `error parsing regexp: ${(problem as Error).message}`;
  }
}
