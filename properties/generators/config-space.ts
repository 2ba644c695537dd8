import type { Random } from 'fast-check';
import type {
  ConfigField,
  PciFunction,
  VfioConfigRead,
  VfioConfigWrite,
  VfioPbaRead,
  VfioTableRead,
  VfioTableWrite,
} from '#vocabulary';
import { CONFIG_FIELDS } from '#vocabulary';
import type { Memory } from './memory.ts';
import { deviceMemory } from './memory.ts';
import { chance, pick, pickWeighted } from './random.ts';
import { drawVector } from './vector.ts';

/** Enable and Function Mask of MSI-X Message Control, in all combinations. */
const MSIX_CONTROLS: readonly number[] = [0, 0x8000, 0xc000, 0x4000];

/** D0, and D3hot twice as often. */
const POWERS: readonly number[] = [0, 3, 3];

/** The mask bit, no mask, and what no mask is. */
const VECTOR_CONTROLS: readonly number[] = [0, 0, 1, 1, 0xfffffffe, 0xffffffff];

export function drawConfigRead(random: Random, memory: Memory, device: number): VfioConfigRead {
  return { kind: 'vfio.configRead', device, field: drawField(random, deviceMemory(memory, device).pciFunction) };
}

export function drawConfigWrite(random: Random, memory: Memory, device: number): VfioConfigWrite {
  const field = drawField(random, deviceMemory(memory, device).pciFunction);
  return { kind: 'vfio.configWrite', device, field, value: drawValue(random, field) };
}

/** A write that changes what an event does: most that are drawn alone write what is there. */
export function drawUpset(random: Random, memory: Memory, device: number): VfioConfigWrite {
  const { pciFunction, enabled } = deviceMemory(memory, device);
  const field = pickWeighted<ConfigField>(random, {
    intxDisable: pciFunction.intx === undefined ? 0 : enabled === 'intx' ? 8 : 1,
    memory: 1,
    busMaster: enabled === 'intx' ? 1 : 3,
    power: pciFunction.powerManagement === true ? 4 : 0,
    msiEnable: enabled === 'msi' ? 6 : 0,
    msixControl: 0,
  });
  return { kind: 'vfio.configWrite', device, field, value: upsetValue(field) };
}

function upsetValue(field: ConfigField): number {
  switch (field) {
    case 'intxDisable':
      return 1;
    case 'power':
      return 3;
    case 'memory':
    case 'busMaster':
    case 'msiEnable':
    case 'msixControl':
      return 0;
  }
}

/** A field that the function has, rarely another. */
function drawField(random: Random, { msixVectors, msiVectors, intx, powerManagement }: PciFunction): ConfigField {
  if (chance(random, 5)) return pick(random, CONFIG_FIELDS);
  return pickWeighted<ConfigField>(random, {
    intxDisable: intx === true ? 8 : 1,
    memory: 2,
    busMaster: 3,
    power: powerManagement === true ? 5 : 0,
    msiEnable: msiVectors === undefined ? 0 : 5,
    msixControl: msixVectors > 0 ? 3 : 0,
  });
}

function drawValue(random: Random, field: ConfigField): number {
  switch (field) {
    case 'power':
      return pick(random, POWERS);
    case 'msixControl':
      return pick(random, MSIX_CONTROLS);
    case 'intxDisable':
    case 'memory':
    case 'busMaster':
    case 'msiEnable':
      return random.nextInt(0, 1);
  }
}

export function drawTableRead(random: Random, memory: Memory, device: number): VfioTableRead {
  return { kind: 'vfio.tableRead', device, vector: drawVector(random, deviceMemory(memory, device).msix) };
}

export function drawTableWrite(random: Random, memory: Memory, device: number): VfioTableWrite {
  const vector = drawVector(random, deviceMemory(memory, device).msix);
  return { kind: 'vfio.tableWrite', device, vector, value: pick(random, VECTOR_CONTROLS) };
}

export function drawPbaRead(random: Random, memory: Memory, device: number): VfioPbaRead {
  return { kind: 'vfio.pbaRead', device, vector: drawVector(random, deviceMemory(memory, device).msix) };
}
