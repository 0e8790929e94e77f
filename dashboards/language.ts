/** Dashboards are written once and come out in both languages. */
export const LANGUAGES = ["fr", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

/** One text in each language. */
export type Text = Readonly<Record<Language, string>>;

export const text = (en: string, fr: string): Text => ({ en, fr });
