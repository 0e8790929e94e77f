import type { Static } from "@fastify/type-provider-typebox";
import { Type } from "../schema.ts";
import { At, AtOrNull, Evidence, Id, TextOrNull } from "./parts.ts";

export const ALARM_STATES = ["open", "acknowledged", "in-progress", "resolved", "closed"] as const;
export const SEVERITIES = ["critical", "major", "minor"] as const;

/** One cause, one alarm: many lamps of one feeder are one, and `devices` names them. */
export const Alarm = Type.Object({
  id: Id,
  /** What is wrong, as a key: its sentence is `alarm.{key}` in the dictionary, filled from `facts`. */
  key: Type.String(),
  facts: Evidence,
  /** The same sentence in the language asked for. */
  sentence: Type.String(),
  severity: Type.Enum([...SEVERITIES]),
  state: Type.Enum([...ALARM_STATES]),
  /** What it is about: a device, a station, a feeder or a part of the server. */
  subject: Type.String(),
  devices: Type.Array(Type.String()),
  owner: TextOrNull,
  since: At,
  changed: At,
  /** When the cause went; null while it is still there. */
  cleared: AtOrNull,
  /** The states a person may put it into. */
  next: Type.Array(Type.Enum([...ALARM_STATES])),
  count: Type.Integer({ description: "how often the cause was seen" }),
  notes: Type.Array(Type.Object({ at: At, author: Type.String(), text: Type.String() })),
});
export type Alarm = Static<typeof Alarm>;

export const AlarmChange = Type.Object(
  {
    state: Type.Optional(Type.Enum([...ALARM_STATES])),
    note: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    owner: Type.Optional(Type.Unsafe<string | null>({ type: ["string", "null"], maxLength: 64 })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type AlarmChange = Static<typeof AlarmChange>;

export const ROLES = ["viewer", "operator", "administrator"] as const;
export const Role = Type.Enum([...ROLES]);
export type Role = (typeof ROLES)[number];

const AccountName = Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9][A-Za-z0-9._@-]*$" });
const Password = Type.String({ minLength: 10, maxLength: 200 });

export const Session = Type.Object({
  account: Type.String(),
  role: Role,
  /** How it was proven: a cookie from signing in, or an API key. */
  by: Type.Enum(["session", "api-key"]),
  expires: AtOrNull,
});
export type Session = Static<typeof Session>;

/** Name and password, or the token of a one-time link. */
export const SignIn = Type.Union([
  Type.Object(
    { name: Type.String({ minLength: 1, maxLength: 64 }), password: Type.String({ minLength: 1, maxLength: 200 }) },
    { additionalProperties: false },
  ),
  Type.Object({ token: Type.String({ minLength: 16, maxLength: 200 }) }, { additionalProperties: false }),
]);
export type SignIn = Static<typeof SignIn>;

export const Account = Type.Object({ name: Type.String(), role: Role, created: At });
export type Account = Static<typeof Account>;

export const NewAccount = Type.Object(
  { name: AccountName, role: Role, password: Password },
  { additionalProperties: false },
);
export type NewAccount = Static<typeof NewAccount>;

export const AccountChange = Type.Object(
  { role: Type.Optional(Role), password: Type.Optional(Password) },
  { additionalProperties: false, minProperties: 1 },
);
export type AccountChange = Static<typeof AccountChange>;

export const ApiKey = Type.Object({
  id: Id,
  label: Type.String(),
  role: Role,
  created: At,
  createdBy: Type.String(),
});
export type ApiKey = Static<typeof ApiKey>;

export const NewApiKey = Type.Object(
  { label: Type.String({ minLength: 1, maxLength: 100 }), role: Role },
  { additionalProperties: false },
);
export type NewApiKey = Static<typeof NewApiKey>;

/** The key itself is said once, and never again. */
export const IssuedApiKey = Type.Object({ ...ApiKey.properties, key: Type.String() });
export type IssuedApiKey = Static<typeof IssuedApiKey>;
