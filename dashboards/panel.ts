import type { Text } from "./language.ts";
import type { Query, Worded } from "./query.ts";

/** One panel of a dashboard, before it is said in a language and drawn by Grafana. */
export interface Panel {
  readonly title: Text;
  readonly description: Text;
  /** A unit of Grafana's, or `suffix:…`. */
  readonly unit: string;
  readonly view: View;
  readonly queries: readonly (Query | Worded)[];
  readonly levels: Levels;
  /** Columns of 24, rows of 30 px. */
  readonly size: readonly [width: number, height: number];
  /** What it says when there is nothing, where nothing is good news. */
  readonly nothing?: Text;
  /** The shortest step of a chart, where readings come no oftener. */
  readonly interval?: string;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  /** Where a click on a value leads in the console. */
  readonly link?: Link;
  /** Names of the values of a choice. */
  readonly names?: readonly Text[];
  /** How single columns differ from the rest. */
  readonly columns?: Readonly<Record<string, Column>>;
}

export interface Column {
  readonly unit?: string;
  readonly title?: Text;
  readonly hidden?: true;
  readonly levels?: Levels;
}

export type View =
  | { readonly kind: "figure"; readonly of: "last" | "sum" | "min" | "max" | "mean" }
  | { readonly kind: "lines"; readonly stacked?: true; readonly band?: readonly [below: Text, above: Text] }
  | { readonly kind: "bars" }
  | { readonly kind: "points" }
  | { readonly kind: "ranking"; readonly of: "last" | "sum" }
  | { readonly kind: "table"; readonly sort?: string }
  | { readonly kind: "map"; readonly value: string }
  | { readonly kind: "states" };

/** The thing whose drawer opens, by a column of the row or a tag of the series. */
export type Link = { readonly why: string } | { readonly decision: string } | { readonly view: "alarms" | "rounds" };

export interface Levels {
  readonly better: "lower" | "higher" | "neither";
  /** From where on it wants attention, and from where on it is bad. */
  readonly attention?: number;
  readonly bad?: number;
}

export const lower = (attention: number, bad: number): Levels => ({ better: "lower", attention, bad });
export const higher = (attention: number, bad: number): Levels => ({ better: "higher", attention, bad });
/** A quantity that is neither good nor bad: one colour, said on purpose. */
export const NEITHER: Levels = { better: "neither" };

/** How the modes of a decision are called in legends. */
export const MODES: Readonly<Record<string, Column>> = {
  general: { title: { en: "everywhere", fr: "partout" } },
  pilot: { title: { en: "pilot group", fr: "groupe pilote" } },
  shadow: { title: { en: "shadow", fr: "à blanc" } },
  hand: { title: { en: "by hand", fr: "à la main" } },
};
