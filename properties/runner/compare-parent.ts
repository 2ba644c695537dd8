import {
  type Descriptor,
  type HostPasid,
  IMS_MASK,
  type ImsEntry,
  type MdevState,
  type MsixPerm,
  type ParentObservation,
  printDescriptor,
  printHostPasid,
  printImsEntry,
  printMdevState,
  printMsixPerm,
} from '#vocabulary';
import { Told } from './told.ts';
import type { Divergence } from './verdict.ts';

/** The parent of a machine's mdevs on both sides, as the observations so far add up. */
export class ParentSides {
  readonly #told = new Told();
  readonly #entries = new Lists<ImsEntry>(
    this.#told,
    ({ entry }) => `parent entry ${entry}`,
    printImsEntry,
    ({ entry }) => ({ entry, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false }),
  );
  readonly #pasids = new Lists<HostPasid>(
    this.#told,
    ({ pasid }) => `parent pasid ${pasid}`,
    printHostPasid,
    ({ pasid }) => ({ pasid, state: 'free', vm: -1, guest: 0, references: 0 }),
  );
  readonly #mdevs = new Lists<MdevState>(
    this.#told,
    ({ device }) => `parent mdev ${device}`,
    printMdevState,
    ({ device }) => ({ device, life: 'gone', defaultPasid: 0 }),
  );
  readonly #perms = new Lists<MsixPerm>(
    this.#told,
    ({ device, vector }) => `parent MSIX_PERM @${device}.${vector}`,
    printMsixPerm,
    ({ device, vector }) => ({ device, vector, value: 0 }),
  );
  readonly #descriptors = new Lists<Descriptor>(
    this.#told,
    ({ descriptor }) => `parent descriptor ${descriptor}`,
    printDescriptor,
    ({ descriptor }) => ({ descriptor, phase: 'over', device: -1, pasid: 0, entry: -1 }),
  );

  /** Where neither side has a parent there is nothing to compare. */
  compare(
    step: number,
    expected: ParentObservation | undefined,
    got: ParentObservation | undefined,
    found: Divergence[],
  ): void {
    if (expected === undefined && got === undefined) return;
    this.#told.register(step, 'parent', printSeen(expected), printSeen(got), found);
    if (expected === undefined || got === undefined) return;
    this.#entries.compare(step, expected.entries, got.entries, found);
    this.#pasids.compare(step, expected.pasids, got.pasids, found);
    this.#mdevs.compare(step, expected.mdevs, got.mdevs, found);
    this.#perms.compare(step, expected.perms, got.perms, found);
    this.#descriptors.compare(step, expected.descriptors, got.descriptors, found);
  }
}

function printSeen(observation: ParentObservation | undefined): string {
  return observation === undefined ? 'not seen' : 'seen';
}

/** One of the lists of a parent on both sides. */
class Lists<Item extends object> {
  readonly #told: Told;
  readonly #path: (item: Item) => string;
  readonly #print: (item: Item) => string;
  readonly #unspoken: (item: Item) => Item;
  readonly #reference = new Map<string, Item>();
  readonly #subject = new Map<string, Item>();

  /** @param unspoken the item as it is before any observation has spoken of it */
  constructor(told: Told, path: (item: Item) => string, print: (item: Item) => string, unspoken: (item: Item) => Item) {
    this.#told = told;
    this.#path = path;
    this.#print = print;
    this.#unspoken = unspoken;
  }

  compare(step: number, expected: readonly Item[], got: readonly Item[], found: Divergence[]): void {
    if (expected.length === 0 && got.length === 0) return;
    const spoken = new Map<string, Item>();
    this.#note(expected, this.#reference, spoken);
    this.#note(got, this.#subject, spoken);
    for (const [path, item] of spoken) {
      const left = this.#reference.get(path) ?? this.#unspoken(item);
      const right = this.#subject.get(path) ?? this.#unspoken(item);
      // Looks before anything is printed: nearly always they are the same.
      if (this.#told.isEmpty && isSame(left, right)) continue;
      this.#told.register(step, path, this.#print(left), this.#print(right), found);
    }
  }

  #note(items: readonly Item[], side: Map<string, Item>, spoken: Map<string, Item>): void {
    for (const item of items) {
      const path = this.#path(item);
      side.set(path, item);
      spoken.set(path, item);
    }
  }
}

function isSame<Item extends object>(left: Item, right: Item): boolean {
  return (Object.keys(left) as (keyof Item)[]).every((key) => left[key] === right[key]);
}
