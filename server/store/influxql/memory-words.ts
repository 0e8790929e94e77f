import type { FieldType } from "./ast.ts";
import type { Catalogue, Slot, ValueTable } from "./catalogue.ts";
import type { AnswerForm, FieldValue, QueryOptions, StatementResult } from "./engine.ts";
import type { PastRows } from "./recent.ts";

/** Of whom values are: of our own devices, or points of others and of the server itself. */
export type Kind = "readings" | "points";

/** A slot as it is told where there is no catalogue yet. */
export interface ToldSlot {
  readonly measurement: string;
  readonly tags: readonly (readonly [string, string])[];
  readonly field: string;
  readonly type: FieldType;
  readonly table: ValueTable;
  readonly id: number;
}

/** What is told to the thread that answers from memory, in the order in which it holds. */
export type Word =
  /** Slots as they came into the catalogue. */
  | { readonly word: "slots"; readonly slots: readonly ToldSlot[] }
  /** The newest values of slots, by their numbers. */
  | {
      readonly word: "newest";
      readonly slots: readonly number[];
      readonly times_ns: readonly bigint[];
      readonly values: readonly FieldValue[];
    }
  /** From now on values are written to it, and it is handed the past. */
  | { readonly word: "hold"; readonly kind: Kind; readonly most_B: number }
  /** Nothing of one kind is held any more. */
  | { readonly word: "drop"; readonly kind: Kind }
  | ({ readonly word: "written"; readonly kind: Kind } & PastRows)
  | { readonly word: "refused"; readonly kind: Kind; readonly id: number }
  | { readonly word: "expect"; readonly kind: Kind; readonly counts: ReadonlyMap<number, number> }
  | ({ readonly word: "past"; readonly kind: Kind; readonly number: number } & PastRows)
  | { readonly word: "begin"; readonly kind: Kind; readonly from: number }
  /** What is before `at` may be gone. */
  | { readonly word: "forget"; readonly at: number }
  /** Answers in this form, or where there is none with the results themselves. */
  | {
      readonly word: "ask";
      readonly number: number;
      readonly text: string;
      readonly options: Omit<QueryOptions, "signal">;
      readonly form: AnswerForm | undefined;
    };

/** The reply to what has a number. */
export type Reply = { readonly number: number } & Outcome;

/** Nothing: it was taken, or is not to be answered from memory. */
export interface Outcome {
  readonly answer?: string | Uint8Array<ArrayBuffer> | StatementResult[];
  readonly refused?: { readonly status: number; readonly message: string };
  /** What went wrong in the thread itself. */
  readonly problem?: string;
}

export const toldSlot = ({ series: { measurement, tags }, field, type, table, id }: Slot): ToldSlot => ({
  measurement: measurement.name,
  tags: [...tags],
  field,
  type,
  table,
  id,
});

/** Adds slots as they were told: each gets the number that it has where it was told from. */
export function addTold(catalogue: Catalogue, slots: readonly ToldSlot[]): void {
  for (const { measurement, tags, field, type, table, id } of slots) {
    catalogue.add(catalogue.seriesOf(measurement, tags), field, type, table, id);
  }
}
