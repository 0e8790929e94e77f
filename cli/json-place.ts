const BLANK = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4})|[\u007f-\u009f])*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;

/**
 * Where a text stops being JSON (RFC 8259), counted from line 1 and column 1; undefined when all of it is JSON. Node's own
 * parser does not always say it.
 */
export function mistakeIn(text: string): { readonly line: number; readonly column: number } | undefined {
  let at = 0;
  const skip = (): void => {
    BLANK.lastIndex = at;
    at += BLANK.exec(text)?.[0].length ?? 0;
  };
  const take = (mark: string): boolean => {
    skip();
    const there = text[at] === mark;
    if (there) at++;
    return there;
  };
  const scalar = (): boolean => {
    skip();
    SCALAR.lastIndex = at;
    const found = SCALAR.exec(text);
    if (found !== null) at += found[0].length;
    return found !== null;
  };
  const several = (end: string, one: () => boolean): boolean => {
    if (take(end)) return true;
    do if (!one()) return false;
    while (take(","));
    return take(end);
  };
  const value = (): boolean => {
    if (take("[")) return several("]", value);
    if (take("{")) return several("}", () => (skip(), text[at] === '"') && scalar() && take(":") && value());
    return scalar();
  };
  const whole = value();
  skip();
  if (whole && at === text.length) return undefined;
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
