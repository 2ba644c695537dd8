import {
  type Descriptor,
  type HostPasid,
  IMS_MASK,
  type ImsEntry,
  type MdevState,
  type MsixPerm,
  type Observation,
  type ParentObservation,
  printHostPasid,
  printImsEntry,
  printVectorState,
} from '#vocabulary';

/** What is known of a machine with mediated devices after some steps: every difference told so far, put together. */
export interface MdevPicture {
  readonly entries: Map<number, ImsEntry>;
  readonly pasids: Map<number, HostPasid>;
  readonly mdevs: Map<number, MdevState>;
  readonly descriptors: Map<number, Descriptor>;
  /** By `vector@device`. */
  readonly perms: Map<string, MsixPerm>;
  /** By `vector@device`: the bits of an observation. */
  readonly vectors: Map<string, number>;
}

export function emptyPicture(): MdevPicture {
  return {
    entries: new Map(),
    pasids: new Map(),
    mdevs: new Map(),
    descriptors: new Map(),
    perms: new Map(),
    vectors: new Map(),
  };
}

/** Adds what an observation says. */
export function look(picture: MdevPicture, observation: Observation, parent: ParentObservation | undefined): void {
  observation.forEach(({ changes }, device) => {
    for (const { vector, state } of changes) picture.vectors.set(`${vector}@${device}`, state);
  });
  for (const entry of parent?.entries ?? []) picture.entries.set(entry.entry, entry);
  for (const pasid of parent?.pasids ?? []) picture.pasids.set(pasid.pasid, pasid);
  for (const mdev of parent?.mdevs ?? []) picture.mdevs.set(mdev.device, mdev);
  for (const perm of parent?.perms ?? []) picture.perms.set(`${perm.vector}@${perm.device}`, perm);
  for (const descriptor of parent?.descriptors ?? []) picture.descriptors.set(descriptor.descriptor, descriptor);
}

/**
 * Answers a question of a script:
 * `entry I`: `of @0.1: unmasked pasid 3 irq 0x101`, or `free: masked`; whether it has a handle is left out.
 * `handle I`: `yes` where descriptors may name the entry.
 * `pasid P`: `active, guest 5 of VM 0, 2 references`, or `free`.
 * `perm V`, `vector V`: the register, `0x5008`; the state, `allocated armed`. Of another device with `@1` behind.
 * `mdev D`: `open, default 1`. `descriptor N`: `queued, pasid 1`, `started, pasid 1, entry 0`, or `over`.
 * `owned`: the entries that are somebody's. `unclean`: the entries that are nobody's and not clean.
 * `used pasids`: those that are not free. Each a list of numbers, or `none`.
 * @throws Error for any other question
 */
export function ask(picture: MdevPicture, question: string): string {
  const [, what = '', words = '', device = '0'] = /^([a-z]+(?: pasids)?)(?: (\d+))?(?: @(\d+))?$/.exec(question) ?? [];
  const answer = ANSWERS[what];
  if (answer === undefined) throw new Error(`no picture of a machine answers: ${question}`);
  return answer(picture, Number(words), `${words}@${device}`);
}

/** By what is asked for: its number, and the same with the device. */
const ANSWERS: Readonly<Record<string, (picture: MdevPicture, number: number, place: string) => string>> = {
  entry: ({ entries }, number) => entryInWords(entries.get(number)),
  handle: ({ entries }, number) => (entries.get(number)?.handle === true ? 'yes' : 'no'),
  pasid: ({ pasids }, number) => pasidInWords(pasids.get(number)),
  perm: ({ perms }, _, place) => `0x${(perms.get(place)?.value ?? 0).toString(16)}`,
  vector: ({ vectors }, _, place) => printVectorState(vectors.get(place) ?? 0),
  mdev: ({ mdevs }, number) => mdevInWords(mdevs.get(number)),
  descriptor: ({ descriptors }, number) => descriptorInWords(descriptors.get(number)),
  owned: ({ entries }) => list([...entries.values()].filter(isOwned).map(({ entry }) => entry)),
  unclean: ({ entries }) => list([...entries.values()].filter(isUnclean).map(({ entry }) => entry)),
  'used pasids': ({ pasids }) => list([...pasids.values()].filter(isUsed).map(({ pasid }) => pasid)),
};

function entryInWords(entry: ImsEntry | undefined): string {
  return entry === undefined ? 'free: masked' : printImsEntry({ ...entry, handle: false }).replace(/^entry \d+ /, '');
}

function pasidInWords(pasid: HostPasid | undefined): string {
  return pasid === undefined ? 'free' : printHostPasid(pasid).replace(/^pasid \d+ /, '');
}

function mdevInWords(mdev: MdevState | undefined): string {
  return `${mdev?.life ?? 'gone'}, default ${mdev?.defaultPasid ?? 0}`;
}

function descriptorInWords(descriptor: Descriptor | undefined): string {
  if (descriptor === undefined || descriptor.phase === 'over') return 'over';
  const { phase, pasid, entry } = descriptor;
  return `${phase}, pasid ${pasid}${entry === -1 ? '' : `, entry ${entry}`}`;
}

function isOwned({ device }: ImsEntry): boolean {
  return device !== -1;
}

function isUnclean({ device, control, data, handle }: ImsEntry): boolean {
  return device === -1 && (control !== IMS_MASK || data !== 0 || handle);
}

function isUsed({ state }: HostPasid): boolean {
  return state !== 'free';
}

function list(numbers: readonly number[]): string {
  return numbers.length === 0 ? 'none' : [...numbers].sort((left, right) => left - right).join(' ');
}
