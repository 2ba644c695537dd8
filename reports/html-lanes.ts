import { type Content, type Markup, markup } from './markup.ts';
import type { Fate, Raise } from './raises.ts';
import type { Actor, Answer, TimelineRow } from './timeline.ts';

/** A lane of the picture: an actor, or the VMM, which asks nothing but what its guest makes it ask. */
export type Lane = Actor | 'vmm';

/** From the user of the interface outwards. An actor without a lane does not compile. */
const LANES = Object.keys({ guest: 0, vmm: 0, vfio: 0, host: 0, device: 0 } satisfies Record<
  Lane,
  0
>) as readonly Lane[];

export const LANE_WORDS: Readonly<Record<Lane, string>> = {
  guest: 'guest',
  vmm: 'VMM',
  vfio: 'VFIO',
  host: 'host',
  device: 'device',
};

/** What is on a machine besides vfio and devices. */
export interface Machine {
  readonly hasMdevs: boolean;
  readonly hasVmm: boolean;
}

/** The lanes of a machine; the host has one where it does something. */
export function lanesOf(machine: Machine, actors: ReadonlySet<Actor>): readonly Lane[] {
  return LANES.filter((lane) => isShown(lane, machine, actors));
}

function isShown(lane: Lane, { hasMdevs, hasVmm }: Machine, actors: ReadonlySet<Actor>): boolean {
  switch (lane) {
    case 'guest':
      return hasVmm || hasMdevs;
    case 'vmm':
      return hasVmm;
    case 'host':
      return actors.has('host');
    case 'vfio':
    case 'device':
      return true;
  }
}

/** Pixels of the picture before it is scaled: the width of a lane, the height of a line of arrows. */
const LANE_PIXELS = 44;
const LINE_PIXELS = 18;
/** Lines of interrupts in one row; more are counted. */
const LINES_MAX = 4;

/** An arrow of the picture: an interrupt on its way, in a row. */
interface Ray {
  readonly kind: Fate['kind'];
  /** The vector; undefined for what is not a raise. */
  readonly vector: number | undefined;
}

/** The picture of one row: who asks, what a VMM calls for it, and where interrupts go. */
export function laneCell(lanes: readonly Lane[], row: TimelineRow, answer: Answer | undefined): Markup {
  const rays = answer === undefined ? [] : raysOf(row, answer);
  const shown = rays.slice(0, LINES_MAX);
  const height = LINE_PIXELS * (shown.length + 1) + 6;
  const width = LANE_PIXELS * lanes.length;
  return markup`<td class="lanes">${trails(lanes, row, answer)}<svg viewBox="0 0 ${width} ${height}" role="img"
aria-label="${pictureWords(row, answer)}">${askedMarkup(lanes, row, answer)}${shown.map((ray, line) =>
    rayMarkup(lanes, ray, LINE_PIXELS * (line + 1.5) + 3),
  )}${moreMarkup(rays.length - shown.length, width, height)}</svg></td>`;
}

/** Where a lane is in the middle. */
function xOf(lanes: readonly Lane[], lane: Lane): number {
  return LANE_PIXELS * (Math.max(0, lanes.indexOf(lane)) + 0.5);
}

/** Raises of the row, raises from before that end here, and deliveries that nothing was raised for. */
function raysOf(row: TimelineRow, answer: Answer): readonly Ray[] {
  const raised = answer.events.flatMap(({ raise }) => (raise === undefined ? [] : [raise]));
  const ended = row.waiting.filter(({ fate }) => fate.kind !== 'pending' && fate.at === row.index);
  const rays = [
    ...ended.map(({ vector, fate }) => ({ kind: fate.kind, vector })),
    ...raised.map(({ vector, fate }) => ({ kind: kindHere(fate, row.index), vector })),
  ];
  const isFree = !rays.some(({ kind }) => kind === 'delivered');
  const others = answer.events.filter(({ raise, actor }) => raise === undefined && actor !== 'device');
  return isFree ? [...rays, ...others.map(() => ({ kind: 'delivered' as const, vector: undefined }))] : rays;
}

/** How a raise stands at the end of its own row. */
function kindHere(fate: Fate, index: number): Fate['kind'] {
  return fate.kind === 'pending' || fate.at === index ? fate.kind : 'pending';
}

/** The operation at its actor, and the way of the calls that a VMM makes for it. */
function askedMarkup(lanes: readonly Lane[], { actor }: TimelineRow, answer: Answer | undefined): Content {
  const x = xOf(lanes, actor);
  const y = LINE_PIXELS / 2 + 3;
  const dot = markup`<circle class="asks" cx="${x}" cy="${y}" r="5"/>`;
  const calls = answer?.calls.length ?? 0;
  if (actor !== 'guest' || !lanes.includes('vmm')) return dot;
  const toVmm = markup`<path class="way" d="M${x} ${y}H${xOf(lanes, 'vmm')}"/>`;
  if (calls === 0) return [toVmm, dot];
  const end = xOf(lanes, 'vfio');
  return [
    markup`<path class="way" d="M${x} ${y}H${end - 7}"/>`,
    markup`<path class="head" d="M${end} ${y}l-8 -4v8z"/>`,
    dot,
  ];
}

function rayMarkup(lanes: readonly Lane[], { kind, vector }: Ray, y: number): Markup {
  const from = xOf(lanes, 'device');
  const number = vector === undefined ? '' : markup`<text x="${from + 7}" y="${y + 4}">${vector}</text>`;
  return markup`<g class="ray ${kind}">${rayEnd(lanes, kind, from, y)}${number}</g>`;
}

function rayEnd(lanes: readonly Lane[], kind: Fate['kind'], from: number, y: number): Markup {
  const lost = from - LANE_PIXELS / 2 - 4;
  switch (kind) {
    case 'delivered': {
      const to = xOf(lanes, lanes.includes('guest') ? 'guest' : 'vfio');
      return markup`<path d="M${from} ${y}H${to + 7}"/><path class="head" d="M${to} ${y}l8 -4v8z"/><circle
cx="${from}" cy="${y}" r="3.5"/>`;
    }
    case 'pending':
      return markup`<circle class="ring" cx="${from}" cy="${y}" r="5"/>`;
    case 'lost':
      return markup`<path d="M${from} ${y}H${lost + 6}"/><path class="cross" d="M${lost - 6} ${y - 6}l12 12m0 -12l-12
12"/><circle cx="${from}" cy="${y}" r="3.5"/>`;
    case 'unheard':
      return markup`<path d="M${from} ${y}H${lost}m0 -5v10"/><circle cx="${from}" cy="${y}" r="3.5"/>`;
  }
}

function moreMarkup(count: number, width: number, height: number): Content {
  return count <= 0 ? '' : markup`<text class="more" x="${width - 2}" y="${height - 1}">+${count}</text>`;
}

/** What is pending runs down the lane of the device until it ends. */
function trails(lanes: readonly Lane[], row: TimelineRow, answer: Answer | undefined): Content {
  const goesOn = row.waiting.some(({ fate }) => fate.kind === 'pending' || fate.at > row.index);
  const kinds = [
    ...(!goesOn && staysPending(row, answer) ? ['begins'] : []),
    ...(goesOn ? ['goes-on'] : []),
    ...(row.waiting.length > 0 && !goesOn ? ['ends'] : []),
  ];
  return kinds.map((kind) => trail(lanes, kind));
}

function trail(lanes: readonly Lane[], kind: string): Markup {
  const left = (100 * (lanes.indexOf('device') + 0.5)) / lanes.length;
  return markup`<i class="trail ${kind}" style="left:${left.toFixed(2)}%"></i>`;
}

/** Whether something is pending after the row. */
function staysPending(row: TimelineRow, answer: Answer | undefined): boolean {
  const isRaised = (answer?.events ?? []).some(
    ({ raise }) => raise !== undefined && kindHere(raise.fate, row.index) === 'pending',
  );
  return isRaised || row.waiting.some(({ fate }) => fate.kind === 'pending' || fate.at > row.index);
}

/** The lanes beside what is said of a row. */
export function laneGap(lanes: readonly Lane[], row: TimelineRow): Markup {
  return markup`<td class="lanes">${staysPending(row, row.got) ? trail(lanes, 'goes-on') : ''}</td>`;
}

/** The picture in words. */
function pictureWords({ actor, index, waiting }: TimelineRow, answer: Answer | undefined): string {
  if (answer === undefined) return `${LANE_WORDS[actor]} was not asked`;
  const calls = answer.calls.length === 0 ? [] : ['the VMM calls VFIO'];
  const raises = answer.events.flatMap(({ raise }) => raise ?? []);
  const ended = waiting.filter(({ fate }) => fate.kind !== 'pending' && fate.at === index);
  const words = [...ended, ...raises].map((raise: Raise) => `interrupt ${raise.vector} ${kindHere(raise.fate, index)}`);
  return [`${LANE_WORDS[actor]} acts`, ...calls, ...words].join(', ');
}

/** What the signs of a picture mean, those that it has. */
export function legendMarkup(rows: readonly TimelineRow[], { hasVmm }: Machine): Markup {
  const kinds = new Set(
    rows.flatMap((row) => {
      const { got } = row;
      return got === undefined ? [] : raysOf(row, got).map(({ kind }) => kind);
    }),
  );
  const fates = (['delivered', 'pending', 'lost', 'unheard'] as const).filter((kind) => kinds.has(kind));
  const asks = hasVmm
    ? 'an operation, at who acts; the arrow from a guest goes as far as its VMM, or through it to VFIO'
    : 'an operation, at who acts';
  return markup`<ul class="key">
<li><svg viewBox="0 0 44 18" aria-hidden="true"><circle class="asks" cx="22" cy="9" r="5"/></svg> ${asks}</li>
${fates.map(
  (
    kind,
  ) => markup`<li class="${kind}"><svg viewBox="0 0 44 18" aria-hidden="true">${keyRay(kind)}</svg> ${FATES[kind]}</li>
`,
)}</ul>`;
}

function keyRay(kind: Fate['kind']): Markup {
  const lanes: readonly Lane[] = kind === 'delivered' ? ['vfio', 'device'] : ['device'];
  return markup`<g class="ray ${kind}">${rayEnd(lanes, kind, kind === 'pending' ? 22 : 38, 9)}</g>`;
}

const FATES: Readonly<Record<Fate['kind'], string>> = {
  delivered: 'an interrupt, raised by the device and delivered (the number is its vector)',
  pending: 'kept in a pending bit; the dotted line leads to where it ends',
  lost: 'lost: it was owed, was never delivered, and is not pending',
  unheard: 'nobody had asked for it',
};
