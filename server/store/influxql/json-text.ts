/** As Go writes JSON: safe to put into HTML, too. */
export const quoted = (text: string): string =>
  PLAIN.test(text)
    ? `"${text}"`
    : JSON.stringify(text).replace(/[<>&\u2028\u2029]|\\./g, (found) => GO_ESCAPES[found] ?? found);
/** What needs no escape at all: most names and tags. */
const PLAIN = /^[\w \-./:%()]*$/;
const GO_ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\\b": "\\u0008",
  "\\f": "\\u000c",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};
