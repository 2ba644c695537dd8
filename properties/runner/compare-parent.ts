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
import { type Kind, Sides } from './sides.ts';
import type { Told } from './told.ts';

const ENTRIES: Kind<ImsEntry> = {
  name: ({ entry }) => `entry ${entry}`,
  print: printImsEntry,
  unspoken: ({ entry }) => ({ entry, control: IMS_MASK, data: 0, device: -1, vector: -1, handle: false }),
};

const PASIDS: Kind<HostPasid> = {
  name: ({ pasid }) => `pasid ${pasid}`,
  print: printHostPasid,
  unspoken: ({ pasid }) => ({ pasid, state: 'free', vm: -1, guest: 0, references: 0 }),
};

const MDEVS: Kind<MdevState> = {
  name: ({ device }) => `mdev ${device}`,
  print: printMdevState,
  unspoken: ({ device }) => ({ device, life: 'gone', defaultPasid: 0 }),
};

const PERMS: Kind<MsixPerm> = {
  name: ({ device, vector }) => `MSIX_PERM @${device}.${vector}`,
  print: printMsixPerm,
  unspoken: ({ device, vector }) => ({ device, vector, value: 0 }),
};

const DESCRIPTORS: Kind<Descriptor> = {
  name: ({ descriptor }) => `descriptor ${descriptor}`,
  print: printDescriptor,
  unspoken: ({ descriptor }) => ({ descriptor, phase: 'over', device: -1, pasid: 0, entry: -1 }),
};

/** The parent of a machine's mdevs on both sides, as the observations so far add up. */
export class ParentSides {
  readonly #told: Told;
  readonly #entries: Sides<ImsEntry>;
  readonly #pasids: Sides<HostPasid>;
  readonly #mdevs: Sides<MdevState>;
  readonly #perms: Sides<MsixPerm>;
  readonly #descriptors: Sides<Descriptor>;

  constructor(told: Told) {
    this.#told = told;
    this.#entries = new Sides(told, 'parent', ENTRIES);
    this.#pasids = new Sides(told, 'parent', PASIDS);
    this.#mdevs = new Sides(told, 'parent', MDEVS);
    this.#perms = new Sides(told, 'parent', PERMS);
    this.#descriptors = new Sides(told, 'parent', DESCRIPTORS);
  }

  /** Both sides tell the same, and nothing that differs lasts. */
  agree({ entries, pasids, mdevs, perms, descriptors }: ParentObservation): void {
    this.#entries.agree(entries);
    this.#pasids.agree(pasids);
    this.#mdevs.agree(mdevs);
    this.#perms.agree(perms);
    this.#descriptors.agree(descriptors);
  }

  /** Where neither side has a parent there is nothing to compare. */
  compare(step: number, expected: ParentObservation | undefined, got: ParentObservation | undefined): void {
    if (expected === undefined && got === undefined) return;
    this.#told.register(step, 'parent', printSeen(expected), printSeen(got));
    if (expected === undefined || got === undefined) return;
    this.#entries.compare(step, expected.entries, got.entries);
    this.#pasids.compare(step, expected.pasids, got.pasids);
    this.#mdevs.compare(step, expected.mdevs, got.mdevs);
    this.#perms.compare(step, expected.perms, got.perms);
    this.#descriptors.compare(step, expected.descriptors, got.descriptors);
  }
}

function printSeen(observation: ParentObservation | undefined): string {
  return observation === undefined ? 'not seen' : 'seen';
}
