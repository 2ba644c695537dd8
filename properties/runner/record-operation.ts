import { z } from 'zod';
import {
  CONFIG_FIELDS,
  CONFIG_WIDTHS,
  type Config,
  type ConfigField,
  type DataElement,
  type EventfdName,
  MSI_VECTORS,
  MSIX_CAPABILITY_BYTES,
  MSIX_ENTRY_BYTES,
  MSIX_VECTORS_MAX,
  type Operation,
  TABLE_WIDTHS,
  type VfioReset,
  type VfioSetIrqs,
  WINDOWS,
} from '#vocabulary';
import { mdevFacts, mdevFault, mdevOperations, mdevTraits, parent } from './record-mdev.ts';
import { device, uint16, uint32 } from './record-number.ts';

export const eventfdName = z.custom<EventfdName>(
  (value) => typeof value === 'string' && /^e(0|[1-9]\d{0,5})$/.test(value),
  {
    message: 'expected an eventfd such as e0',
  },
);
const dataElement: z.ZodType<DataElement> = z.union(
  [eventfdName, z.literal('bad'), z.literal('notEventfd'), z.int().min(-0x80000000).max(0xffffffff)],
  { error: 'expected e0 to e999999, "bad", "notEventfd" or a 32-bit number' },
);
/** Left out rather than undefined, as the types have it. */
const present = z.literal(true, { error: 'expected true, or nothing' }).exactOptional();
const argument = { argsz: uint32.exactOptional(), unreadable: z.literal(true).exactOptional() };

const FIELD_VALUES: Readonly<Record<ConfigField, readonly number[] | 'any'>> = {
  intxDisable: [0, 1],
  memory: [0, 1],
  busMaster: [0, 1],
  power: [0, 3],
  msiEnable: [0, 1],
  msixControl: 'any',
};
const configWrite = z
  .strictObject({ kind: z.literal('vfio.configWrite'), device, field: z.enum(CONFIG_FIELDS), value: uint16 })
  .check(({ value: { field, value }, issues }) => {
    const allowed = FIELD_VALUES[field];
    if (allowed === 'any' || allowed.includes(value)) return;
    issues.push({
      code: 'custom',
      input: value,
      path: ['value'],
      message: `expected ${allowed.join(' or ')} for ${field}, got ${value}`,
    });
  });

const setIrqs = z.strictObject({
  kind: z.literal('vfio.setIrqs'),
  device,
  flags: uint32,
  index: uint32,
  start: uint32,
  count: uint32,
  data: z.array(dataElement).max(MSIX_VECTORS_MAX + 1),
  ...argument,
});
const reset = z.strictObject({ kind: z.literal('vfio.reset'), device });

/** What a VMM asks of vfio. */
export const vmmOperation: z.ZodType<VfioSetIrqs | VfioReset> = z.discriminatedUnion('kind', [setIrqs, reset]);

const tableWrite = z
  .strictObject({
    kind: z.literal('guest.tableWrite'),
    device,
    vector: uint32,
    offset: z
      .int()
      .min(0)
      .max(MSIX_ENTRY_BYTES - 1),
    width: z.literal(TABLE_WIDTHS),
    value: uint32,
    high: uint32.exactOptional(),
  })
  .check(({ value: { width, high }, issues }) => {
    if (high === undefined || width === 8) return;
    const message = `expected nothing beside a width of ${width}, got ${high}`;
    issues.push({ code: 'custom', input: high, path: ['high'], message });
  });

/** What a guest does. */
const guestOperations = [
  z.strictObject({
    kind: z.literal('guest.msixControl'),
    device,
    enable: z.boolean(),
    functionMask: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal('guest.configWrite'),
    device,
    offset: z
      .int()
      .min(0)
      .max(MSIX_CAPABILITY_BYTES - 1),
    width: z.literal(CONFIG_WIDTHS),
    value: uint32,
  }),
  z.strictObject({ kind: z.literal('guest.mask'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('guest.unmask'), device, vector: uint32 }),
  tableWrite,
  z.strictObject({ kind: z.literal('guest.tableRead'), device, vector: uint32, offset: z.literal([0, 4, 8, 12]) }),
  z.strictObject({ kind: z.literal('guest.readPba'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('guest.busMaster'), device, enable: z.boolean() }),
  z.strictObject({ kind: z.literal('guest.reset'), device }),
] as const;

export const operation: z.ZodType<Operation> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('vfio.open'), device }),
  z.strictObject({ kind: z.literal('vfio.close'), device }),
  z.strictObject({ kind: z.literal('vfio.getIrqInfo'), device, index: uint32, ...argument }),
  setIrqs,
  reset,
  configWrite,
  z.strictObject({ kind: z.literal('vfio.configRead'), device, field: z.enum(CONFIG_FIELDS) }),
  z.strictObject({ kind: z.literal('vfio.tableRead'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('vfio.tableWrite'), device, vector: uint32, value: uint32 }),
  z.strictObject({ kind: z.literal('vfio.pbaRead'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('vfio.mapBar'), device }),
  z.strictObject({ kind: z.literal('vfio.unmapBar'), device }),
  z.strictObject({ kind: z.literal('vfio.writeEventfd'), eventfd: eventfdName }),
  z.strictObject({ kind: z.literal('vfio.closeEventfd'), eventfd: eventfdName }),
  z.strictObject({ kind: z.literal('device.raise'), device, vector: uint32 }),
  z.strictObject({ kind: z.literal('device.arm'), device, vector: uint32, window: z.enum(WINDOWS) }),
  z.strictObject({ kind: z.literal('device.assertIntx'), device }),
  z.strictObject({ kind: z.literal('device.deassertIntx'), device }),
  z.strictObject({ kind: z.literal('device.wipe'), device }),
  z.strictObject({ kind: z.literal('host.limitVectors'), count: uint32 }),
  z.strictObject({ kind: z.literal('host.failAllocation'), nth: z.int().min(1).max(0xffffffff) }),
  ...guestOperations,
  ...mdevOperations,
]);

const machine: z.ZodType<Config> = z.strictObject({
  host: z.strictObject({
    dynamicMsix: z.boolean(),
    rangeCheck: z.enum(['whole-range-first', 'vector-by-vector']),
    belowMinusOne: z.enum(['ignored', 'refused']),
  }),
  mdev: mdevTraits.exactOptional(),
  vmm: z
    .strictObject({
      allocation: z.enum(['vector-0-first', 'as-irq-info-says', 'all-at-enable']),
      delivery: z.enum(['userspace', 'irqfd']),
    })
    .exactOptional(),
  interruptRemapping: z.literal(false, { error: 'expected false, or nothing' }).exactOptional(),
  parent: parent.exactOptional(),
  devices: z
    .array(
      z.strictObject({
        msixVectors: z.int().min(0).max(MSIX_VECTORS_MAX),
        whileOff: z.enum(['latches', 'drops']),
        msiVectors: z.literal(MSI_VECTORS).exactOptional(),
        intx: present,
        express: present,
        reset: present,
        powerManagement: present,
        silent: present,
        mdev: mdevFacts.exactOptional(),
      }),
    )
    .min(1),
});

/** A machine of functions that are passed through, or of mdevs with what they share. */
export const config: z.ZodType<Config> = machine.check(({ value, issues }) => {
  const message = mdevFault(value);
  if (message !== undefined) issues.push({ code: 'custom', input: value, message });
});
