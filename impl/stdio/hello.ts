import {
  ADDRESS_0,
  ALLOCATED,
  ARMED,
  MSI_VECTORS,
  OPERATION_KINDS,
  type PciFunction,
  PENDING,
  type Precision,
  REGISTERS_MASK,
  type Support,
  UNMASKED,
  type VmmTraits,
} from '#vocabulary';
import { fields, flag, isRecord, list, oneOf, orElse, type Read, text, uint32, whole, wrong } from './shape.ts';

/** The version of PROTOCOL.md that is spoken here. */
export const PROTOCOL_VERSION = 1;

/** Who answers, and what it can be asked. */
export interface Hello {
  readonly name: string;
  readonly support: Support;
  readonly precision: Precision;
}

const SEES: Readonly<Record<string, number>> = {
  allocated: ALLOCATED,
  armed: ARMED,
  unmasked: UNMASKED,
  pending: PENDING,
  'address-0': ADDRESS_0,
};
const MESSAGE_CONTROL = 'message-control';
const REGISTERS = 'registers';
export const SEES_NAMES: readonly string[] = [...Object.keys(SEES), MESSAGE_CONTROL, REGISTERS];

const present: Read<true | undefined> = (value) => {
  if (value === true || value === undefined) return value;
  throw wrong('true, or nothing', value);
};

const functionFields = fields({
  msixVectors: whole(0, 2048),
  msiVectors: (value) => {
    if (value === undefined) return value;
    const vectors = MSI_VECTORS.find((size) => size === value);
    if (vectors === undefined) throw wrong(`one of ${MSI_VECTORS.join(', ')}`, value);
    return vectors;
  },
  intx: present,
  express: present,
  reset: present,
  powerManagement: present,
  silent: present,
});

/** A function without what was left out. */
const pciFunction: Read<PciFunction> = (value) => {
  const { msixVectors, ...others } = functionFields(value);
  const given = Object.entries(others).filter(([, entry]) => entry !== undefined);
  return { msixVectors, whileOff: 'latches', ...Object.fromEntries(given) };
};

const vmmTraits: Read<VmmTraits> = fields({
  allocation: oneOf(['vector-0-first', 'as-irq-info-says', 'all-at-enable']),
  delivery: oneOf(['userspace', 'irqfd']),
});

const helloFields = fields({
  seq: uint32,
  protocol: uint32,
  name: text,
  operations: list(oneOf(OPERATION_KINDS)),
  functions: (value) => (value === 'any' ? value : list(pciFunction)(value)),
  devices: orElse(whole(1, 16), 1),
  host: orElse(oneOf(['any', 'own']), 'own'),
  vmm: (value) => (isRecord(value) ? vmmTraits(value) : orElse(oneOf(['any', 'none']), 'none')(value)),
  withoutRemapping: orElse(flag, false),
  sees: orElse(list(oneOf(SEES_NAMES)), SEES_NAMES),
});

/** @throws ShapeError */
export function readHello(value: unknown): Hello {
  const hello = helloFields(value);
  if (hello.protocol !== PROTOCOL_VERSION) throw wrong(String(PROTOCOL_VERSION), hello.protocol, 'protocol');
  if (hello.operations.length === 0) throw wrong('one operation at least', hello.operations, 'operations');
  if (hello.functions !== 'any' && hello.functions.length === 0)
    throw wrong('"any", or one function at least', hello.functions, 'functions');
  const operations = new Set(hello.operations);
  if (hello.host === 'own' && hello.vmm === 'none')
    for (const kind of ['vfio.getIrqInfo', 'vfio.setIrqs'] as const)
      if (!operations.has(kind))
        throw wrong(`${kind}, by which a host of its own is asked how it behaves`, hello.operations, 'operations');
  if (hello.vmm === 'none' && !operations.has('vfio.setIrqs'))
    throw wrong('vfio.setIrqs, without which nothing is ever set up', hello.operations, 'operations');
  const seen = new Set(hello.sees);
  return {
    name: hello.name,
    support: {
      operations,
      functions: hello.functions,
      withoutRemapping: hello.withoutRemapping,
      vmm: hello.vmm === 'any' ? 'configured' : hello.vmm,
      devicesMax: hello.devices,
      host: hello.host === 'any' ? 'configured' : 'own',
    },
    precision: {
      vectorState: Object.entries(SEES).reduce((sum, [word, bit]) => sum + (seen.has(word) ? bit : 0), 0),
      messageControl: seen.has(MESSAGE_CONTROL),
      registers: seen.has(REGISTERS) ? REGISTERS_MASK : 0,
    },
  };
}
