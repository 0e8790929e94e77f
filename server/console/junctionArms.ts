/** Where a junction's arms lie and where their names go, in the units of the plan: plain sums, apart from the drawing. */
export interface Arm {
  /** Where its vehicles come from, clockwise from north. */
  readonly bearing_deg: number;
  readonly width: number;
}

/** From the junction's middle: `out` along the arm, `aside` to its right as one looks out. */
export interface OnArm {
  readonly out: number;
  readonly aside: number;
}

export interface Name {
  /** The inner end of the words, on their middle line. */
  readonly at: OnArm;
  /** The words run outwards; otherwise inwards, so that nobody reads them upside down. */
  readonly outwards: boolean;
  readonly length: number;
}

/** Nearer to the middle people wait at the crossings. */
const NEAREST = 88;
/** From the road's edge to the middle of the words, and what a name of either arm takes of the land between two. */
const BESIDE = 12;
const NAME = 20;
/** A letter of 13 px is about so wide; a little more, so that nothing is cut off. */
const LETTER = 6.8;

/**
 * A name lies along its arm on the side where there is more land, as far out as the arm goes: where the land between two
 * arms is narrow it begins where both names fit, and never lies over a road, its arrows or a crossing.
 */
export function nameOf(arm: Arm, others: readonly Arm[], text: string, end: number): Name {
  const right = landBeside(arm, others, 1);
  const left = landBeside(arm, others, -1);
  // People wait on the left: in doubt a name lies on the right.
  const [side, land] = left.angle_rad > right.angle_rad + 0.02 ? [-1, left] : [1, right];
  const half = Math.sin(Math.min(Math.PI, land.angle_rad) / 2);
  const free = (arm.width / 2 + land.width / 2 + 2 * NAME) / (2 * Math.max(0.1, half));
  const length = text.length * LETTER;
  return {
    at: { out: Math.max(NEAREST, free, end - length), aside: side * (arm.width / 2 + BESIDE) },
    outwards: Math.sin(radians(arm.bearing_deg)) > -0.02,
    length,
  };
}

/** The angle to the next arm on one side, and how wide that one is. */
function landBeside(
  arm: Arm,
  others: readonly Arm[],
  side: 1 | -1,
): { readonly angle_rad: number; readonly width: number } {
  let nearest = { angle_rad: 2 * Math.PI, width: 0 };
  for (const other of others) {
    const angle_rad = radians((side * (other.bearing_deg - arm.bearing_deg) + 720) % 360);
    if (angle_rad > 0 && angle_rad < nearest.angle_rad) nearest = { angle_rad, width: other.width };
  }
  return nearest;
}

/** A place on an arm on the page, from the middle: x to the right, y down. */
export function onPage(bearing_deg: number, { out, aside }: OnArm): { readonly x: number; readonly y: number } {
  const [east, north] = [Math.sin(radians(bearing_deg)), Math.cos(radians(bearing_deg))];
  return { x: out * east + aside * north, y: aside * east - out * north };
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;
