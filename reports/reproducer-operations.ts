import {
  type ConfigField,
  type DataElement,
  dataElementBytes,
  IRQ_INFO_BYTES,
  IRQ_SET_BYTES,
  isGuestOperation,
  isMdevOperation,
  type Operation,
  type RawOperation,
  type Scenario,
  type VfioGetIrqInfo,
  type VfioSetIrqs,
} from '#vocabulary';
import type { CALLS } from './reproducer-calls-c.ts';
import type { LOOKS } from './reproducer-looks-c.ts';

export type PartName = keyof typeof CALLS | keyof typeof LOOKS;

/** How an operation is done in C. */
export interface Doing {
  /** Declarations before it. */
  readonly declarations: readonly string[];
  /** A call that returns the result in words; null for what has no result but `ok`. */
  readonly result: string | null;
  /** What is done besides, after the call. */
  readonly statements: readonly string[];
  readonly parts: readonly PartName[];
}

/** Every operation of a scenario in C, with the raises that are armed for it. */
export function doings({ config, operations }: Scenario): readonly Doing[] {
  const armed: string[][] = config.devices.map(() => []);
  return operations.map((operation) => {
    const drops = 'device' in operation && config.devices[operation.device]?.whileOff === 'drops';
    const doing = doingOf(operation, drops ? 1 : 0);
    if (operation.kind === 'device.arm')
      armed[operation.device]?.push(raise(operation.device, operation.vector, drops ? 1 : 0));
    if (!operation.kind.startsWith('vfio.') || !('device' in operation)) return doing;
    const raises = armed[operation.device]?.splice(0) ?? [];
    if (raises.length === 0) return doing;
    return { ...doing, statements: [...doing.statements, ...raises], parts: [...doing.parts, 'raise'] };
  });
}

/** The name of a device of the Config in C. */
export function deviceName(device: number): string {
  return `&dev${device}`;
}

function raise(device: number, vector: number, drops: 0 | 1): string {
  return `raise_vector(${deviceName(device)}, ${unsigned(vector)}, ${drops});`;
}

function call(result: string, parts: readonly PartName[], declarations: readonly string[] = []): Doing {
  return { declarations, result, statements: [], parts };
}

function statement(text: string, part: PartName): Doing {
  return { declarations: [], result: null, statements: [text], parts: [part] };
}

function doingOf(operation: Operation, drops: 0 | 1): Doing {
  if (isGuestOperation(operation) || isMdevOperation(operation))
    throw new Error(`${operation.kind} was not refused before`);
  const at = 'device' in operation ? deviceName(operation.device) : '';
  switch (operation.kind) {
    case 'vfio.open':
      return call(`open_device(${at})`, []);
    case 'vfio.close':
      return call(`close_device(${at})`, ['close']);
    case 'vfio.getIrqInfo':
      return call(irqInfo(operation, at), ['irqInfo']);
    case 'vfio.setIrqs':
      return setIrqs(operation, at);
    case 'vfio.reset':
      return call(`reset(${at})`, ['reset']);
    case 'vfio.configRead':
    case 'vfio.configWrite':
      return field(operation, at);
    case 'vfio.tableRead':
    case 'vfio.tableWrite':
    case 'vfio.pbaRead':
      return region(operation, at);
    case 'vfio.mapBar':
      return call(`map_bar(${at})`, ['mapBar']);
    case 'vfio.unmapBar':
      return statement('unmap_bar();', 'unmapBar');
    case 'vfio.writeEventfd':
      return statement(`write_eventfd(${operation.eventfd});`, 'writeEventfd');
    case 'vfio.closeEventfd':
      return statement(`close(${operation.eventfd}), new_eventfd(&${operation.eventfd});`, 'eventfds');
    case 'device.raise':
      return statement(raise(operation.device, operation.vector, drops), 'raise');
    case 'device.arm':
      return { declarations: [], result: null, statements: [], parts: [] };
    case 'device.assertIntx':
      return statement(`set_intx(${at}, 1);`, 'intx');
    case 'device.deassertIntx':
      return statement(`set_intx(${at}, 0);`, 'intx');
    case 'device.wipe':
      return statement(`wipe_table(${at});`, 'wipe');
    case 'host.limitVectors':
      return statement(`ask("leave ${operation.count} interrupt vectors of this host free");`, 'ask');
    case 'host.failAllocation':
      return statement(`ask("make allocation ${operation.nth} of irqs from here on fail");`, 'ask');
  }
}

const INDICES = ['INTX', 'MSI', 'MSIX', 'ERR', 'REQ'];
const FLAGS = ['DATA_NONE', 'DATA_BOOL', 'DATA_EVENTFD', 'ACTION_MASK', 'ACTION_UNMASK', 'ACTION_TRIGGER'];

function unsigned(value: number): string {
  return value > 0x7fffffff ? `0x${value.toString(16)}u` : String(value);
}

function indexName(index: number): string {
  return INDICES[index] === undefined ? unsigned(index) : `VFIO_PCI_${INDICES[index]}_IRQ_INDEX`;
}

function flagNames(flags: number): string {
  const names = FLAGS.filter((_, bit) => (flags & (1 << bit)) !== 0).map((name) => `VFIO_IRQ_SET_${name}`);
  const rest = (flags & ~0x3f) >>> 0;
  return [...names, ...(rest === 0 && names.length > 0 ? [] : [`0x${rest.toString(16)}`])].join(' | ');
}

function irqInfo({ index, argsz, unreadable }: VfioGetIrqInfo, at: string): string {
  const size = argsz === undefined ? 'sizeof(struct vfio_irq_info)' : unsigned(argsz);
  return argumentsOf('irq_info', [
    at,
    indexName(index),
    argsz === IRQ_INFO_BYTES ? '16' : size,
    unreadable ? '1' : '0',
  ]);
}

function setIrqs(operation: VfioSetIrqs, at: string): Doing {
  const { index, flags, start, count, data, argsz, unreadable } = operation;
  const width = dataElementBytes(flags);
  const elements = width === 0 ? [] : data.map(width === 4 ? descriptor : byte);
  const type = width === 4 ? '__s32' : '__u8';
  const listed = elements.map((element) => ` ${element}`).join(',\0');
  const declarations = elements.length === 0 ? [] : [`const ${type} data[] = {\0${listed} };`];
  const range = [at, indexName(index), flagNames(flags), unsigned(start), unsigned(count)];
  const passed = elements.length === 0 ? ['NULL', '0'] : ['data', 'sizeof(data)'];
  const pipe: readonly PartName[] = width === 4 && data.includes('notEventfd') ? ['pipe'] : [];
  if (argsz === undefined && unreadable === undefined)
    return call(argumentsOf('set_irqs', [...range, ...passed]), ['setIrqs', ...pipe], declarations);
  const size = unsigned(argsz ?? IRQ_SET_BYTES + elements.length * width);
  const raw = argumentsOf('set_irqs_raw', [...range, ...passed, size, unreadable ? '1' : '0']);
  return call(raw, ['setIrqsRaw', ...pipe], declarations);
}

function descriptor(element: DataElement): string {
  if (element === 'bad') return 'NOT_OPEN';
  if (element === 'notEventfd') return 'a_pipe';
  if (typeof element === 'string') return element;
  return (element | 0) < 0 ? String(element | 0) : 'NOT_OPEN';
}

function byte(element: DataElement): string {
  return String(typeof element === 'number' ? element & 0xff : 1);
}

/** The capability of a field, its place there, and its bits. */
const FIELDS: Readonly<Record<ConfigField, readonly [capability: string | null, at: string, mask: string]>> = {
  intxDisable: [null, 'PCI_COMMAND', 'PCI_COMMAND_INTX_DISABLE'],
  memory: [null, 'PCI_COMMAND', 'PCI_COMMAND_MEMORY'],
  busMaster: [null, 'PCI_COMMAND', 'PCI_COMMAND_MASTER'],
  power: ['PCI_CAP_ID_PM', '4', '3'],
  msiEnable: ['PCI_CAP_ID_MSI', 'PCI_MSI_FLAGS', 'PCI_MSI_FLAGS_ENABLE'],
  msixControl: ['PCI_CAP_ID_MSIX', 'PCI_MSIX_FLAGS', '0xffff'],
};

type FieldAccess = Extract<RawOperation, { kind: 'vfio.configRead' | 'vfio.configWrite' }>;

function field(operation: FieldAccess, at: string): Doing {
  const [capability, offset, mask] = FIELDS[operation.field];
  const place = capability === null ? offset : `capability(${at}, ${capability}) + ${offset}`;
  const value = operation.kind === 'vfio.configWrite' ? unsigned(operation.value) : '0';
  const writes = operation.kind === 'vfio.configWrite' ? '1' : '0';
  const parts: readonly PartName[] = capability === null ? ['field'] : ['field', 'capability'];
  return call(argumentsOf('access_field', [at, place, mask, writes, value]), parts);
}

type RegionAccess = Extract<RawOperation, { kind: 'vfio.tableRead' | 'vfio.tableWrite' | 'vfio.pbaRead' }>;

function region(operation: RegionAccess, at: string): Doing {
  const { kind, vector } = operation;
  const [table, offset] =
    kind === 'vfio.pbaRead' ? ['PCI_MSIX_PBA', Math.floor(vector / 32) * 4] : ['PCI_MSIX_TABLE', vector * 16 + 12];
  const value = kind === 'vfio.tableWrite' ? '&value' : 'NULL';
  const declarations = kind === 'vfio.tableWrite' ? [`const __u32 value = ${unsigned(operation.value)};`] : [];
  return call(
    argumentsOf('access_region', [at, `msix_address(${at}, ${table})`, String(offset), value]),
    ['region'],
    declarations,
  );
}

/** A call whose arguments may be broken over lines at the marks. */
function argumentsOf(name: string, values: readonly string[]): string {
  return `${name}(${values.join(',\0 ')})`;
}
