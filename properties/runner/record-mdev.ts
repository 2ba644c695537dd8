import { z } from 'zod';
import {
  type Config,
  IMS_ENTRIES_MAX,
  type MdevOperation,
  type MdevTraits,
  PASID_MAX,
  type Parent,
  type ParentObservation,
  WINDOWS,
} from '#vocabulary';
import { device, uint16, uint32 } from './record-number.ts';

const pasid = z.int().min(0).max(PASID_MAX);
const vm = z.int().min(0);
/** A place in the Config, or a vector, or -1 for none. */
const orNone = z.int().min(-1);

/** What is asked of mediated devices alone. What is false or 0 mostly may be left out. */
export const mdevOperations = [
  z.strictObject({
    kind: z.literal('guest.msixPerm'),
    device,
    vector: uint32,
    pasidEnable: z.boolean(),
    pasid: pasid.default(0),
    ignore: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('guest.bindPasid'), device, pasid: uint32 }),
  z.strictObject({ kind: z.literal('guest.freePasid'), device, pasid: uint32 }),
  z.strictObject({
    kind: z.literal('guest.requestHandle'),
    device,
    vector: uint32,
    ims: z.literal(true, { error: 'expected true, or nothing' }).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('guest.releaseHandle'), device, operand: uint16 }),
  z.strictObject({
    kind: z.literal('guest.submit'),
    device,
    descriptor: uint32,
    queue: z.enum(['dedicated', 'shared']),
    pasid: pasid.default(0),
    handle: uint16,
    rci: z.literal(false, { error: 'expected false, or nothing' }).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('device.start'), descriptor: uint32 }),
  z.strictObject({ kind: z.literal('device.complete'), descriptor: uint32 }),
  z.strictObject({
    kind: z.literal('device.armDescriptor'),
    device,
    descriptor: uint32,
    window: z.enum(WINDOWS),
  }),
  z.strictObject({ kind: z.literal('host.createMdev'), device }),
  z.strictObject({ kind: z.literal('host.removeMdev'), device }),
  z.strictObject({ kind: z.literal('host.attach'), device }),
  z.strictObject({ kind: z.literal('host.detach'), device }),
  z.strictObject({ kind: z.literal('host.crash'), vm }),
] as const satisfies readonly z.ZodType<MdevOperation>[];

export const mdevTraits: z.ZodType<MdevTraits> = z.strictObject({
  allocation: z.enum(['per-vector', 'all-closed', 'all-default']),
  permSync: z.enum(['atEnable', 'atUnmask', 'immediate']),
  noTranslation: z.enum(['fail', 'closed', 'default']),
  defaultPasid: z.enum(['per-mdev', 'per-domain']),
  releaseBy: z.enum(['handle', 'index']),
});

export const parent: z.ZodType<Parent> = z.strictObject({
  entries: z.int().min(1).max(IMS_ENTRIES_MAX),
  pasids: z.int().min(1).max(PASID_MAX),
  quota: z.int().min(1).max(IMS_ENTRIES_MAX),
  handles: z.enum(['requested', 'index']),
});

export const mdevFacts = z.strictObject({
  vm,
  viommu: z.literal(true, { error: 'expected true, or nothing' }).exactOptional(),
});

/** What is wrong about the mdevs of a machine, or about their being there; undefined where nothing is. */
export function mdevFault({ mdev, parent: shared, devices }: Config): string | undefined {
  const mdevs = devices.filter((one) => one.mdev !== undefined);
  if (mdev === undefined && shared === undefined && mdevs.length === 0) return undefined;
  if (mdev === undefined || shared === undefined || mdevs.length < devices.length)
    return 'expected mdev, parent and devices that are all mdevs, or none of these';
  const isOdd = mdevs.some(
    ({ msixVectors, whileOff, reset, mdev: _, ...others }) =>
      msixVectors < 1 || whileOff !== 'drops' || reset !== true || Object.keys(others).length > 0,
  );
  return isOdd ? 'expected of an mdev one vector or more, "drops" while MSI-X is off, a reset and no more' : undefined;
}

export const parentObservation: z.ZodType<ParentObservation> = z.strictObject({
  entries: z.array(
    z.strictObject({
      entry: uint32,
      control: uint32,
      data: uint32,
      device: orNone,
      vector: orNone,
      handle: z.boolean(),
    }),
  ),
  pasids: z.array(
    z.strictObject({
      pasid: pasid.min(1),
      state: z.enum(['free', 'active', 'free-pending']),
      vm: orNone,
      guest: pasid,
      references: uint32,
    }),
  ),
  mdevs: z.array(
    z.strictObject({ device: z.int().min(0), life: z.enum(['gone', 'created', 'open']), defaultPasid: pasid }),
  ),
  perms: z.array(z.strictObject({ device: z.int().min(0), vector: uint32, value: uint32 })),
  descriptors: z.array(
    z.strictObject({
      descriptor: uint32,
      phase: z.enum(['queued', 'started', 'over']),
      device: orNone,
      pasid,
      entry: orNone,
    }),
  ),
});
