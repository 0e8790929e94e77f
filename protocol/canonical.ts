/**
 * Canonical JSON: keys sorted, no spaces, numbers as JavaScript writes them (RFC 8785 in effect for what we store).
 * Two equal values have one text, so that it can be signed, hashed and compared. Undefined fields are left out.
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError("a number that is not finite has no canonical form");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each ?? null)).join(",")}]`;
  if (typeof value === "object") {
    const fields = Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`);
    return `{${fields.join(",")}}`;
  }
  throw new TypeError(`${typeof value} has no canonical form`);
}
