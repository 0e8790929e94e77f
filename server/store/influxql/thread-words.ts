import type { FieldType } from "./ast.ts";
import type { Catalogue, Slot, ValueTable } from "./catalogue.ts";
import type { AnswerForm, FieldValue, QueryOptions, StatementResult } from "./engine.ts";
import type { Value } from "./evaluate.ts";
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
  readonly isSilent: boolean;
}

/** A place in SQL where the thread that reads puts what is read, in the policy's form; see `relation` of Read. */
export interface ToldRelation {
  readonly policy: string;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly ids: readonly number[];
}

/** Stands around the number of a relation in SQL; no text of a question holds it. */
export const MARK = "\uE000";

/** What is told to the thread that answers, in the order in which it holds. */
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
  /** A piece of what was read for it, and that there is no more. */
  | { readonly word: "rows"; readonly number: number; readonly columns: readonly (readonly Value[])[] }
  | ({ readonly word: "ended"; readonly number: number } & Pick<Outcome, "refused" | "problem">)
  /** Answers in this form, or where there is none with the results themselves. */
  | {
      readonly word: "ask";
      readonly number: number;
      readonly text: string;
      readonly options: Omit<QueryOptions, "signal">;
      readonly form: AnswerForm | undefined;
    };

/** What the thread says. */
export type Said =
  | { readonly said: "ready" }
  /** To what has a number. */
  | ({ readonly said: "reply"; readonly number: number } & Outcome)
  /** Asks for what is not in memory, on behalf of a question. */
  | {
      readonly said: "fetch";
      readonly number: number;
      readonly question: number;
      readonly sql: string;
      /** By the numbers that stand between two marks. */
      readonly relations: ReadonlyMap<number, ToldRelation>;
    }
  /** A piece of that was taken. */
  | { readonly said: "taken"; readonly number: number };

export interface Outcome {
  readonly answer?: string | Uint8Array<ArrayBuffer> | StatementResult[];
  /** Whether it was answered from memory alone. */
  readonly isHeld?: boolean;
  readonly refused?: { readonly status: number; readonly message: string };
  /** What went wrong in the thread itself. */
  readonly problem?: string;
}

export const toldSlot = ({ series: { measurement, tags }, field, type, table, id, isSilent }: Slot): ToldSlot => ({
  measurement: measurement.name,
  tags: [...tags],
  field,
  type,
  table,
  id,
  isSilent,
});

/** Adds slots as they were told: each gets the number that it has where it was told from. */
export const addTold = (catalogue: Catalogue, slots: readonly ToldSlot[]): Slot[] =>
  slots.map(({ measurement, tags, field, type, table, id, isSilent }) => {
    const slot = catalogue.add(catalogue.seriesOf(measurement, tags), field, type, table, id);
    slot.isSilent = isSilent;
    return slot;
  });
