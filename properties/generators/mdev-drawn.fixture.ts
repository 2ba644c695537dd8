import type { Config, Operation, Platform, Scenario, Support } from '#vocabulary';
import { IMS_ENTRIES_MAX, isAskable, PASID_MAX, printOperation, WINDOWS } from '#vocabulary';
import { MDEV_PROFILE_NAMES, platformOf } from '../../model/profiles.ts';
import { ANYTHING, misusesNames } from './drawn.fixture.ts';
import type { MdevConfig } from './mdev-config.ts';
import type { ParentMemory } from './mdev-memory.ts';
import { emptyParentMemory } from './mdev-memory.ts';
import { rememberParent } from './mdev-remember.ts';

export const MDEV: Platform = platformOf('idxd-mdev');
export const MDEV_GUEST: Platform = platformOf('idxd-mdev+qemu-10.0');

/** Every driver, alone and with every VMM on top. */
export const MDEV_PLATFORMS: readonly (readonly [string, Platform])[] = MDEV_PROFILE_NAMES.map(
  (name) => [name, platformOf(name)] as const,
);

/** A system that can have few mdevs, and is asked little about them. */
export const FEW: Support = {
  ...ANYTHING,
  operations: new Set([
    ...(['vfio.setIrqs', 'guest.unmask', 'guest.submit', 'device.start', 'device.complete'] as const),
    ...(['guest.bindPasid', 'guest.msixPerm', 'host.crash', 'host.attach', 'vfio.open'] as const),
  ]),
  vmm: 'none',
  devicesMax: 2,
};

/** What no scenario with mdevs may have, in words. */
export function mdevMisfits({ config, operations }: Scenario): string[] {
  const { devices, parent } = config;
  const found: string[] = [];
  if (parent === undefined || config.mdev === undefined) return ['no parent'];
  const { entries, pasids, quota } = parent;
  if (entries < 1 || entries > IMS_ENTRIES_MAX || quota < 1 || quota > entries) found.push(JSON.stringify(parent));
  if (pasids < 1 || pasids > PASID_MAX) found.push(`${pasids} PASIDs`);
  for (const { msixVectors, whileOff, reset, mdev, ...more } of devices) {
    const isMdev = mdev !== undefined && mdev.vm >= 0 && whileOff === 'drops' && reset === true;
    if (!isMdev || msixVectors < 1 || Object.keys(more).length > 0) found.push(JSON.stringify(devices));
  }
  for (const of of operations) {
    if (!isAskable(config, of.kind) || !isInRange(of) || misusesNames(of)) found.push(printOperation(of));
    if ('device' in of && devices[of.device] === undefined) found.push(printOperation(of));
  }
  return found;
}

function isPasid(pasid: number, most: number): boolean {
  return Number.isInteger(pasid) && pasid >= 0 && pasid <= most;
}

/** What the guest asks its virtual IOMMU about has 32 bits; all else has the bits of a field. */
function isAnyNumber(kind: Operation['kind']): boolean {
  return kind === 'guest.bindPasid' || kind === 'guest.freePasid';
}

function isSmall(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= 0xffff;
}

/** As records have it. */
function isInRange(of: Operation): boolean {
  if ('vector' in of && !isSmall(of.vector)) return false;
  if ('descriptor' in of && !isSmall(of.descriptor)) return false;
  if ('pasid' in of && !isPasid(of.pasid, isAnyNumber(of.kind) ? 0xffffffff : PASID_MAX)) return false;
  if (of.kind === 'guest.submit') return isSmall(of.handle);
  if (of.kind === 'guest.releaseHandle') return isSmall(of.operand);
  if (of.kind === 'device.armDescriptor') return WINDOWS.includes(of.window);
  if (of.kind === 'host.crash') return isSmall(of.vm);
  return of.kind !== 'host.failAllocation' || of.nth >= 1;
}

/** The VM of an operation's device. */
export function vmOf({ config }: Scenario, of: Operation): number | undefined {
  return 'device' in of ? config.devices[of.device]?.mdev?.vm : undefined;
}

/** What was asked before an operation, and what may have come of it. */
export interface MdevSeen {
  readonly memory: ParentMemory;
  readonly before: readonly Operation[];
  readonly scenario: Scenario;
}

export type MdevLook = (of: Operation, seen: MdevSeen) => boolean;

/** Whether it looks so at some operation. */
export function meetsMdev(scenario: Scenario, look: MdevLook): boolean {
  const { mdev, parent } = scenario.config;
  if (mdev === undefined || parent === undefined) return false;
  const config: MdevConfig = { ...scenario.config, mdev, parent };
  const memory = emptyParentMemory(config);
  return scenario.operations.some((of, place) => {
    const isMet = look(of, { memory, before: scenario.operations.slice(0, place), scenario });
    rememberParent(memory, of);
    return isMet;
  });
}

/** A part of a story: an operation that goes on from those that told the parts before it. */
export type Part = (of: Operation, told: readonly Operation[], scenario: Scenario) => boolean;

/** Operations that may lie between two parts of a story. */
const FAR = 9;

/** Whether a story is told, part after part. */
export function tellsOf(scenario: Scenario, ...parts: readonly Part[]): boolean {
  const { operations } = scenario;
  const goesOn = (from: number, told: readonly Operation[]): boolean => {
    const part = parts[told.length];
    if (part === undefined) return true;
    return operations
      .slice(from, from + FAR)
      .some((of, skipped) => part(of, told, scenario) && goesOn(from + skipped + 1, [...told, of]));
  };
  return operations.some((of, place) => parts[0]?.(of, [], scenario) === true && goesOn(place + 1, [of]));
}

/** Equal for machines of mdevs that are the same: vectors, VM and virtual IOMMU of each, then what they share. */
export function describeMachine({ devices, parent }: Config): string {
  const mdevs = devices.map(({ msixVectors, mdev }) => `${msixVectors}/${mdev?.vm}${mdev?.viommu === true ? 'i' : ''}`);
  return `${mdevs.join(' ')}, ${parent?.entries} ${parent?.pasids} ${parent?.quota} ${parent?.handles}`;
}
