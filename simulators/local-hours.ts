import { HOUR } from "#protocol/units.ts";

/** Local time of a zone, asked of the system's tables once for each hour and kept. */
export interface LocalHours {
  /** Hour of the week by the clocks of the town, 0 is Monday from midnight to one. */
  hourOfWeek(at: number): number;
}

export function localHours(timeZone: string): LocalHours {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "short", hour: "2-digit", hourCycle: "h23" });
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  let known = -1;
  let answer = 0;
  return {
    hourOfWeek(at) {
      const hour = Math.floor(at / HOUR);
      if (hour === known) return answer;
      const parts = format.formatToParts(hour * HOUR);
      const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "";
      known = hour;
      answer = days.indexOf(part("weekday")) * 24 + Number(part("hour"));
      return answer;
    },
  };
}
