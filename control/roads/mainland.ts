import type { Road } from "./network.ts";

/**
 * Marks with 1 the nodes of the largest part of the network in which every node can reach every other (Tarjan 1972, with
 * its own stack because a town is deeper than the language's). What lies outside is an island, or a street of no return.
 */
export function mainland(
  nodes: number,
  firstOut: Int32Array,
  outgoing: Int32Array,
  roads: readonly Road[],
): Uint8Array {
  const order = new Int32Array(nodes).fill(-1);
  const lowest = new Int32Array(nodes);
  const part = new Int32Array(nodes).fill(-1);
  const next = firstOut.slice(0, nodes);
  const open: number[] = [];
  const sizes: number[] = [];
  let visited = 0;

  for (let root = 0; root < nodes; root++) {
    if (order[root] !== -1) continue;
    const trail = [root];
    for (let node = trail.at(-1); node !== undefined; node = trail.at(-1)) {
      if (order[node] === -1) {
        order[node] = lowest[node] = visited++;
        open.push(node);
      }
      const place = next[node] as number;
      if (place < (firstOut[node + 1] as number)) {
        next[node] = place + 1;
        const to = (roads[outgoing[place] as number] as Road).to;
        if (order[to] === -1) trail.push(to);
        else if (part[to] === -1) lowest[node] = Math.min(lowest[node] as number, order[to] as number);
        continue;
      }
      trail.pop();
      const above = trail.at(-1);
      if (above !== undefined) lowest[above] = Math.min(lowest[above] as number, lowest[node] as number);
      if (lowest[node] === order[node]) sizes.push(close(open, node, part, sizes.length));
    }
  }
  const largest = sizes.indexOf(Math.max(0, ...sizes));
  return Uint8Array.from(part, (each) => (each === largest ? 1 : 0));
}

/** Everything opened since `root` is one part; returns its size. */
function close(open: number[], root: number, part: Int32Array, name: number): number {
  let size = 0;
  for (let member = open.pop(); member !== undefined; member = open.pop()) {
    part[member] = name;
    size++;
    if (member === root) break;
  }
  return size;
}
