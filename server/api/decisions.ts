import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "./schema.ts";
import { Fault } from "#protocol/faults.ts";
import type { Instant } from "#protocol/units.ts";
import type { JournalEntry } from "../journal.ts";
import { POLICY_NAMES } from "../policies.ts";
import type { ApiContext } from "./context.ts";
import { numberOf, pageBelow } from "./pages.ts";
import { At, DecisionDetail, DecisionEntry, Id, Paging, Replay, Verification, pageOf } from "./resources.ts";

const Filter = {
  name: Type.Optional(Type.String({ maxLength: 64 })),
  subject: Type.Optional(Type.String({ maxLength: 100 })),
  because: Type.Optional(Type.String({ maxLength: 64, description: "the rule that decided" })),
  mode: Type.Optional(Type.Enum(["shadow", "pilot", "general", "hand"])),
  from: Type.Optional(At),
  to: Type.Optional(At),
};

/** /decisions: the journal, newest first; any entry can be computed again, and the chain walked. */
export const decisions =
  (context: ApiContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      "/decisions",
      {
        schema: {
          tags: ["decisions"],
          summary: "The journal, newest first",
          querystring: Type.Object({ ...Filter, ...Paging }),
          response: { 200: pageOf(DecisionEntry) },
        },
      },
      async ({ query }) => {
        const { name, subject, because, mode, from, to } = query;
        const filter = {
          ...(name !== undefined && { name }),
          ...(subject !== undefined && { subject }),
          ...(because !== undefined && { rule: because }),
          ...(mode !== undefined && { mode }),
          ...(from !== undefined && { from: from as Instant }),
          ...(to !== undefined && { to: to as Instant }),
        };
        return pageBelow(query, (limit, before) => context.parts().journal.list(filter, limit, before), entryOf);
      },
    );

    app.get(
      "/decisions/verify",
      {
        config: { rateLimit: { max: 10, timeWindow: 60_000 } },
        schema: { tags: ["decisions"], summary: "Walk the whole chain of hashes", response: { 200: Verification } },
      },
      async () => verified(context),
    );

    const params = Type.Object({ id: Id });
    app.get(
      "/decisions/:id",
      {
        schema: {
          tags: ["decisions"],
          summary: "A decision with its inputs",
          params,
          response: { 200: DecisionDetail },
        },
      },
      async ({ params }) => detailOf(context.parts().journal.show(numberOf(params.id, "decision"))),
    );

    app.post(
      "/decisions/:id/replay",
      {
        config: { role: "viewer", rateLimit: { max: 60, timeWindow: 60_000 } },
        schema: {
          tags: ["decisions"],
          summary: "Compute it again from its recorded inputs, and compare bit for bit",
          params,
          response: { 200: Replay },
        },
      },
      async ({ params }) => replayed(context, numberOf(params.id, "decision")),
    );
  };

/** A decision as lists and the event stream show it. */
export function entryOf({ id, at, name, subject, mode, acted, author, decision }: JournalEntry): DecisionEntry {
  return {
    id: String(id),
    at,
    name,
    subject,
    because: decision.because,
    mode,
    acted,
    author: author ?? null,
    validUntil: decision.validUntil,
  };
}

function detailOf(entry: JournalEntry): DecisionDetail {
  const { value, evidence, alternatives } = entry.decision;
  return {
    ...entryOf(entry),
    value,
    evidence,
    alternatives: [...alternatives],
    inputs: entry.inputs,
    hash: entry.hash,
    previous: entry.previous,
    replayable: (POLICY_NAMES as readonly string[]).includes(entry.name),
  };
}

function replayed(context: ApiContext, id: number): Replay {
  const { journal } = context.parts();
  try {
    return { id: String(id), same: true, hash: journal.replay(id).hash, recorded: null, now: null };
  } catch (fault) {
    // A difference is a verdict, and a serious one; the request itself went well.
    if (!(fault instanceof Fault) || fault.code !== "REPLAY_DIFFERS") throw fault;
    const { recorded, now } = fault.facts;
    return { id: String(id), same: false, hash: journal.show(id).hash, recorded: String(recorded), now: String(now) };
  }
}

function verified(context: ApiContext): Verification {
  const { journal } = context.parts();
  try {
    return { whole: true, ...journal.verify(), problem: null };
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== "JOURNAL_BROKEN") throw fault;
    return { whole: false, entries: journal.count(), head: journal.head(), problem: fault.message };
  }
}
