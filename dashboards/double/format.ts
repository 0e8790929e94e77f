import type { FieldConfig } from "./provisioned.ts";

const SI: readonly (readonly [number, string])[] = [
  [1e9, " Md"],
  [1e6, " M"],
  [1e3, " k"],
];
const BYTES: readonly (readonly [number, string])[] = [
  [2 ** 30, " GiB"],
  [2 ** 20, " MiB"],
  [2 ** 10, " KiB"],
];
const SUFFIX: Readonly<Record<string, string>> = {
  kwatth: " kWh",
  currencyEUR: " €",
  ms: " ms",
  h: " h",
  d: " d",
  celsius: " °C",
  lengthkm: " km",
  masskg: " kg",
};

/** A value as a panel shows it: names of choices first, then the unit. */
export function shown(value: number | string | boolean | null, config: FieldConfig): string {
  if (value === null) return "–";
  const name = config.mappings?.[0]?.options[String(value)]?.text;
  if (name !== undefined) return name;
  if (typeof value !== "number") return String(value);
  const { unit = "none", decimals } = config;
  if (unit === "bool_yes_no") return value === 0 ? "no" : "yes";
  if (unit === "percentunit") return `${digits(value * 100, decimals ?? 0)} %`;
  if (unit.startsWith("suffix:")) return digits(value, decimals) + unit.slice("suffix:".length);
  if (unit === "s") return duration(value);
  if (unit === "bytes") return scaled(value, BYTES, " B", decimals);
  if (unit === "short") return scaled(value, SI, "", decimals);
  return digits(value, decimals) + (SUFFIX[unit] ?? "");
}

function scaled(value: number, steps: typeof SI, rest: string, decimals: number | undefined): string {
  const step = steps.find(([least]) => Math.abs(value) >= least);
  return step === undefined ? digits(value, decimals) + rest : digits(value / step[0], decimals ?? 1) + step[1];
}

function duration(value: number): string {
  if (Math.abs(value) >= 3600) return `${digits(value / 3600, 1)} h`;
  return Math.abs(value) >= 120 ? `${digits(value / 60, 1)} min` : `${digits(value, 1)} s`;
}

const digits = (value: number, decimals?: number): string =>
  decimals === undefined ? String(Number(value.toPrecision(3))) : value.toFixed(decimals);

/** The colour of a value by its thresholds. */
export function colourOf(value: number, config: FieldConfig): string {
  const step = config.thresholds?.steps.findLast((each) => each.value === null || value >= each.value);
  return COLOURS[step?.color ?? "blue"] ?? "#3274d9";
}

const COLOURS: Readonly<Record<string, string>> = {
  green: "#2e8b3d",
  orange: "#d9730d",
  red: "#c4162a",
  blue: "#3274d9",
};
/** For series, told apart by colour-blind people, too (Okabe and Ito 2008). */
export const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#7f7f7f"];
