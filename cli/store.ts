import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Language } from "#protocol/faults.ts";
import { systemClock } from "#server/ports/clock.ts";
import { type StoreAddress, storeAt } from "#server/store/address.ts";
import { type Copied, copyStore } from "#server/store/copy.ts";
import { type Describe, describeDevices } from "#server/store/describe.ts";
import { parseStore } from "./store-address.ts";
import { readTown } from "./territory.ts";
import type { Call } from "./verb.ts";

type CopySetting = "from" | "to" | "data" | "territory" | "store-user" | "store-password" | "store-token" | "json";

/**
 * Copies one store into another and compares them; 1 when they differ in the end. Started again after an interruption it
 * goes on where it was.
 */
export async function copy({ settings, terminal }: Call<CopySetting>): Promise<number> {
  const source = parseStore(settings.from, "--from", settings);
  const target = parseStore(settings.to, "--to", settings);
  const describe = descriptions(settings.territory, settings.data, [source, target]);
  const [from, to] = [await at(source, describe), await at(target, describe)];
  const number = new Intl.NumberFormat(terminal.language);
  const words = WORDS[terminal.language];
  try {
    await from.open();
    await to.open();
    const copied = await copyStore(from, to, (share, readings) => {
      if (!settings.json) terminal.progress(share, words.readings(number.format(readings)));
    });
    if (settings.json) terminal.out(JSON.stringify(copied));
    else terminal.out([words.done(copied, number), ...copied.differences.map((line) => `  ${line}`)].join("\n"));
    return copied.differences.length === 0 ? 0 : 1;
  } finally {
    await to.close();
    await from.close();
  }
}

const at = (address: StoreAddress, describe: Describe) => storeAt(address, { describe, clock: systemClock });

/** By the territory that is given, or else the one beside a DuckDB file, or else that of the data directory. */
function descriptions(given: string | undefined, data: string, stores: readonly StoreAddress[]): Describe {
  const beside = stores.flatMap((each) => (each.kind === "duckdb" ? [dirname(each.file)] : []));
  const kept = [...beside, data].map((directory) => join(directory, "territory.geojson"));
  return describeDevices(readTown(given ?? kept.find(existsSync) ?? join(data, "territory.geojson")).territory);
}

interface Words {
  readings(count: string): string;
  done(copied: Copied, number: Intl.NumberFormat): string;
}

const WORDS: Record<Language, Words> = {
  en: {
    readings: (count) => `${count} readings`,
    done: ({ readings, written, series, own, ownWritten, summedUp, summedUpWritten, differences }, number) =>
      `${number.format(readings)} readings of ${number.format(series)} series, ${number.format(written)} written now; ${number.format(summedUp)} quarters and hours summed up of readings that are gone, ${number.format(summedUpWritten)} written now; ${number.format(own)} values of the server’s own, ${number.format(ownWritten)} points written now: ${differences.length === 0 ? "count, first, last and sum of each are equal" : "they differ"}`,
  },
  fr: {
    readings: (count) => `${count} mesures`,
    done: ({ readings, written, series, own, ownWritten, summedUp, summedUpWritten, differences }, number) =>
      `${number.format(readings)} mesures de ${number.format(series)} séries, dont ${number.format(written)} écrites maintenant ; ${number.format(summedUp)} quarts d’heure et heures qui résument des mesures effacées, dont ${number.format(summedUpWritten)} écrits maintenant ; ${number.format(own)} valeurs du serveur, ${number.format(ownWritten)} points écrits maintenant : ${differences.length === 0 ? "nombre, première, dernière et somme de chacune sont égaux" : "elles diffèrent"}`,
  },
};
