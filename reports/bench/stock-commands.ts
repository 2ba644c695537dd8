import fc from 'fast-check';
import type { DataElement, Operation, PciFunction, RawOperation, VfioSetIrqs } from '#vocabulary';
import {
  CONFIG_FIELDS,
  isGuestOperation,
  isMdevOperation,
  VFIO_IRQ_SET_ACTION_MASK,
  VFIO_IRQ_SET_ACTION_TRIGGER,
  VFIO_IRQ_SET_ACTION_UNMASK,
  VFIO_IRQ_SET_DATA_BOOL,
  VFIO_IRQ_SET_DATA_EVENTFD,
  VFIO_IRQ_SET_DATA_NONE,
  VFIO_PCI_MSIX_IRQ_INDEX,
} from '#vocabulary';
import { EVENTFDS, INDICES, UINT32_MAX, valuesOf } from '../../properties/generators/uniform.ts';

/** A kind of operation; of VFIO_DEVICE_SET_IRQS, which is half of all, by what its data is, or that it turns off. */
export type Form = Exclude<RawOperation['kind'], 'vfio.setIrqs'> | 'eventfds' | 'bools' | 'none' | 'disable';

/** @throws Error for an operation of a guest or of mdevs, which have no form here. */
export function formOf(operation: Operation): Form {
  if (isGuestOperation(operation) || isMdevOperation(operation)) throw new Error(`${operation.kind} is not drawn here`);
  if (operation.kind !== 'vfio.setIrqs') return operation.kind;
  if ((operation.flags & VFIO_IRQ_SET_DATA_EVENTFD) !== 0) return 'eventfds';
  if ((operation.flags & VFIO_IRQ_SET_DATA_BOOL) !== 0) return 'bools';
  return operation.count === 0 ? 'disable' : 'none';
}

/** How often each form occurs, the most frequent first: that is how fast-check's `oneof` looks through them. */
export function formsOf(operations: readonly Operation[]): ReadonlyMap<Form, number> {
  const counts = new Map<Form, number>();
  for (const operation of operations) {
    const form = formOf(operation);
    counts.set(form, (counts.get(form) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, left], [, right]) => right - left));
}

/** What becomes of an operation once its arguments are drawn. */
type Make<T> = (operation: RawOperation) => T;

/**
 * Commands for one function with MSI-X, as one writes them down with what fast-check has: an arbitrary for each form,
 * made once, and one of them by weight. Each argument is anywhere in its range or one beyond, but for what would
 * have next to every request refused: flags, index and descriptors are mostly good, and a range ends in the table.
 */
export function stockCommands<T>(
  forms: ReadonlyMap<Form, number>,
  { msixVectors: size }: PciFunction,
  make: Make<T>,
): fc.Arbitrary<T> {
  return fc.oneof(...[...forms].map(([form, weight]) => ({ arbitrary: stockCommand(form, size, make), weight })));
}

/** Mostly eventfds. */
const DESCRIPTORS: readonly DataElement[] = [...Array(10).fill(EVENTFDS).flat(), -1, -1, -1, 'bad', 'notEventfd'];

/** Elements of data, as many in the mean as our own ranges have. */
const ELEMENTS_MAX = 5;

const LIMIT_MAX = 6;
const FAILING_MAX = 6;

const CONFIG_WRITES = CONFIG_FIELDS.flatMap((field) => valuesOf(field).map((value) => ({ field, value })));

const device = 0;

function stockCommand<T>(form: Form, size: number, make: Make<T>): fc.Arbitrary<T> {
  const vectors = fc.integer({ min: 0, max: size });
  switch (form) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'vfio.mapBar':
    case 'vfio.unmapBar':
    case 'device.assertIntx':
    case 'device.deassertIntx':
    case 'device.wipe':
      return fc.constant(make({ kind: form, device }));
    case 'vfio.getIrqInfo':
      return fc.integer({ min: 0, max: INDICES }).map((index) => make({ kind: form, device, index }));
    case 'vfio.configWrite':
      return fc.constantFrom(...CONFIG_WRITES).map(({ field, value }) => make({ kind: form, device, field, value }));
    case 'vfio.configRead':
      return fc.constantFrom(...CONFIG_FIELDS).map((field) => make({ kind: form, device, field }));
    case 'vfio.tableRead':
    case 'vfio.pbaRead':
    case 'device.raise':
      return vectors.map((vector) => make({ kind: form, device, vector }));
    case 'vfio.tableWrite':
      return fc
        .tuple(vectors, fc.integer({ min: 0, max: UINT32_MAX }))
        .map(([vector, value]) => make({ kind: form, device, vector, value }));
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return fc.constantFrom(...EVENTFDS).map((eventfd) => make({ kind: form, eventfd }));
    case 'device.arm':
      return vectors.map((vector) => make({ kind: form, device, vector, window: 'teardown-gap' }));
    case 'host.limitVectors':
      return fc.integer({ min: 0, max: LIMIT_MAX }).map((count) => make({ kind: form, count }));
    case 'host.failAllocation':
      return fc.integer({ min: 1, max: FAILING_MAX }).map((nth) => make({ kind: form, nth }));
    case 'eventfds':
      return stockRange(VFIO_IRQ_SET_DATA_EVENTFD, size, fc.constantFrom(...DESCRIPTORS), make);
    case 'bools':
      return stockRange(VFIO_IRQ_SET_DATA_BOOL, size, fc.integer({ min: 0, max: 255 }), make);
    case 'none':
      return fc
        .tuple(headers(VFIO_IRQ_SET_DATA_NONE), vectors, fc.integer({ min: 1, max: ELEMENTS_MAX }))
        .map(([header, start, count]) => make(request(header, Math.min(start, size - count), count, [])));
    case 'disable':
      return headers(VFIO_IRQ_SET_DATA_NONE).map((header) => make(request(header, 0, 0, [])));
  }
}

type Header = Pick<VfioSetIrqs, 'flags' | 'index'>;

function request({ flags, index }: Header, start: number, count: number, data: VfioSetIrqs['data']): VfioSetIrqs {
  return { kind: 'vfio.setIrqs', device, flags, index, start, count, data };
}

/** Mostly a trigger of MSI-X. */
function headers(dataFlag: number): fc.Arbitrary<Header> {
  const trigger = { flags: dataFlag | VFIO_IRQ_SET_ACTION_TRIGGER, index: VFIO_PCI_MSIX_IRQ_INDEX };
  const otherActions = [VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK];
  return fc.constantFrom<Header[]>(
    ...Array<Header>(60).fill(trigger),
    ...otherActions.map((action) => ({ ...trigger, flags: dataFlag | action })),
    ...[0, 1, 3, 4, INDICES].map((index) => ({ ...trigger, index })),
  );
}

function stockRange<T>(
  dataFlag: number,
  size: number,
  element: fc.Arbitrary<DataElement>,
  make: Make<T>,
): fc.Arbitrary<T> {
  return fc
    .tuple(headers(dataFlag), fc.integer({ min: 0, max: size }), fc.array(element, { maxLength: ELEMENTS_MAX }))
    .map(([header, start, data]) => make(request(header, Math.min(start, size - data.length), data.length, data)));
}
