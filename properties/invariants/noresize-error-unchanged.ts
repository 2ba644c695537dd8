import { isEventfdName, printRegisters } from '#vocabulary';
import type { Call } from './calls.ts';
import { type Breach, type Invariant, KEPT, type Watch } from './invariant.ts';
import { interrupts } from './irq-info-honest.ts';
import { canGrow, type DeviceView, type Moment, ownTransitions } from './moment.ts';

/** The promise whose fate the cover letter of dynamic MSI-X asks about. */
export const noresizeErrorUnchanged: Invariant = {
  id: 'noresize-error-unchanged',
  promise: 'Where NORESIZE is reported, a request beyond the allocation fails and changes nothing.',
  source: 'VFIO_IRQ_INFO_NORESIZE, include/uapi/linux/vfio.h; the cover letter of dynamic MSI-X for vfio-pci, 2023',
  start: (): Watch => watchNoresizeErrors,
};

function watchNoresizeErrors(moment: Moment): readonly Breach[] {
  const { arming, device, step, index } = moment;
  if (device === undefined || arming === null || !goesBeyond(device, arming)) return KEPT;
  const breach = step.outcome.kind === 'errno' ? changed(moment, device) : grew(device, arming);
  return breach === null ? KEPT : [{ step: index, causes: [index], message: breach }];
}

/** Whether the call leaves what was allocated, on an index that says it cannot grow. */
function goesBeyond({ before, config }: DeviceView, call: Call): boolean {
  const end = call.start + call.count;
  return (
    !canGrow(before) &&
    before.type === call.type &&
    call.count > 0 &&
    end > before.allocated &&
    end <= interrupts(config, call.index)
  );
}

function changed({ step }: Moment, device: DeviceView): string | null {
  const vectors = ownTransitions(device).map(({ vector }) => vector);
  const { before, after } = device;
  if (before.registers !== after.registers) {
    const [from, to] = [printRegisters(before.registers), printRegisters(after.registers)];
    return `the request failed and yet the registers went from ${from} to ${to}`;
  }
  if (vectors.length > 0) return `the request failed and yet changed vectors ${vectors.join(', ')}`;
  if (device.raised.length === 0 && step.events.length > 0) return 'the request failed and yet signalled an eventfd';
  return null;
}

function grew({ before }: DeviceView, { start, data }: Call): string | null {
  const place = data.findIndex((element, at) => start + at >= before.allocated && isEventfdName(element));
  return place === -1 ? null : `NORESIZE is reported and yet vector ${start + place} was added`;
}
