import type { Applied, Command, Reading, Status } from "#protocol/messages.ts";
import { applied, encodeMessage, parseBatch, parseMessage, status } from "#protocol/messages.ts";
import { down, maySubscribe, parseTopic } from "#protocol/topics.ts";
import type { Broker } from "#server/broker.ts";

/** What one batch said, as it arrived. */
export interface Received {
  readonly station: string;
  readonly reading: Reading;
  readonly number: number;
}

/**
 * The other end of the line, as simple as the contract allows: takes a batch when it has everything before it, drops
 * what it knows, answers with its mark, and keeps what stations say.
 */
export function office(broker: Broker, territory: string, streets: ReadonlySet<string>) {
  const received: Received[] = [];
  const statuses: { station: string; status: Status }[] = [];
  const answers: Applied[] = [];
  const marks = new Map<string, { epoch: string; upTo: number }>();
  let batches = 0;
  let silent = false;

  function readings(station: string, payload: Uint8Array): void {
    const batch = parseBatch(payload);
    batches++;
    let mark = marks.get(station);
    if (mark?.epoch !== batch.epoch) mark = { epoch: batch.epoch, upTo: 0 };
    if (batch.after <= mark.upTo) {
      for (const [index, reading] of batch.readings.entries()) {
        const number = batch.first + index;
        if (number > mark.upTo) received.push({ station, reading, number });
      }
      mark.upTo = Math.max(mark.upTo, batch.first + batch.readings.length - 1);
    }
    marks.set(station, mark);
    if (!silent) broker.publish(down(territory, station, "receipt"), encodeMessage(mark));
  }

  return {
    received,
    statuses,
    answers,
    marks,
    /** While true no receipt is given. */
    set silent(value: boolean) {
      silent = value;
    },
    get batches(): number {
      return batches;
    },
    open: () =>
      broker.start({
        authenticate: (station, password) => password === `password of ${station}`,
        mayPublish: (station, topic) => {
          const address = parseTopic(topic);
          return address?.tree === "street" || (address?.tree === "up" && address.station === station);
        },
        maySubscribe: (station, filter) => maySubscribe(filter, territory, station, streets),
        onMessage(station, topic, payload) {
          const address = parseTopic(topic);
          const leaf = address?.tree === "up" ? address.leaf : undefined;
          if (leaf === "readings") readings(station, payload);
          if (leaf === "status") statuses.push({ station, status: parseMessage(status, payload) });
          if (leaf === "applied") answers.push(parseMessage(applied, payload));
          return Promise.resolve();
        },
      }),
    command: (command: Command): void =>
      broker.publish(down(territory, command.station, "command"), encodeMessage(command)),
    /** The values of one measure, in the order in which they arrived. */
    values: (device: string, measure: string): number[] =>
      received
        .filter(({ reading }) => reading.device === device && reading.measure === measure)
        .map(({ reading }) => reading.value),
  };
}
