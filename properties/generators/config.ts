import type { Random } from 'fast-check';
import type { Config, HostTraits, PciFunction, Support } from '#vocabulary';
import { MSI_VECTORS, MSIX_VECTORS_MAX } from '#vocabulary';
import { familiesOf, hasWhileOff, isMsixOnly, unusedFunctions } from './pci-function.ts';
import { chance, pick } from './random.ts';

/** A table that meets its edges all the time. */
export const SMALL_TABLE = 10;

/** Sizes around the ends of words in a bit map. */
export const WORD_SIZES: readonly number[] = [31, 32, 33, 63, 64, 65];

/** One in so many of a list's functions with more than MSI-X is drawn without regard to how slow its reset is. */
const RESET_ONE_IN = 20;

const SEVERAL_VECTORS: readonly number[] = MSI_VECTORS.filter((vectors) => vectors > 1);

export function drawConfig(random: Random, support: Support, host: HostTraits): Config {
  const count = support.devicesMax > 1 && chance(random, 20) ? 2 : 1;
  const devices: PciFunction[] = [];
  while (devices.length < count) {
    const left = support.functions === 'any' ? 'any' : unusedFunctions(support.functions, devices);
    if (left.length === 0) break;
    const pciFunction = left === 'any' ? drawFunction(random) : pickFunction(random, left);
    devices.push({ ...pciFunction, whileOff: drawWhileOff(random, pciFunction) });
  }
  const msiVectors = Math.max(...devices.map((device) => device.msiVectors ?? 0));
  const isBare = support.withoutRemapping && msiVectors > 0 && random.nextInt(1, msiVectors > 1 ? 12 : 60) === 1;
  return isBare ? { host, interruptRemapping: false, devices } : { host, devices };
}

/** Half of all functions have MSI-X and nothing else: it has the most to show, and needs the most room. */
function pickFunction(random: Random, functions: readonly PciFunction[]): PciFunction {
  const plain = functions.filter(isMsixOnly);
  const others = functions.filter((pciFunction) => !isMsixOnly(pciFunction));
  if (plain.length === 0 || (others.length > 0 && chance(random, 50))) return pickOther(random, others);
  const small = plain.filter(({ msixVectors }) => msixVectors <= SMALL_TABLE);
  return pick(random, small.length > 0 && random.nextInt(0, 15) < 11 ? small : plain);
}

/** A real function takes 100 ms for each reset (PCIe 6.0, 6.6.2), and it is reset when it is opened and closed. */
function pickOther(random: Random, functions: readonly PciFunction[]): PciFunction {
  const quick = functions.filter(({ reset }) => reset === undefined);
  return quick.length > 0 && random.nextInt(1, RESET_ONE_IN) > 1 ? pick(random, quick) : pick(random, functions);
}

function drawFunction(random: Random): PciFunction {
  if (chance(random, 50)) return { msixVectors: drawMsixVectors(random), whileOff: 'latches' };
  const pciFunction = drawOther(random);
  return chance(random, 5) ? { ...pciFunction, silent: true } : pciFunction;
}

/** Functions like those of real devices, and any mixture. */
function drawOther(random: Random): PciFunction {
  const whileOff = 'latches';
  switch (pick(random, ['edu', 'xhci', 'nvme', 'everything', 'intx', 'mixture', 'mixture'] as const)) {
    case 'edu':
      return { msixVectors: 0, whileOff, msiVectors: 1, intx: true };
    case 'xhci':
      return { msixVectors: 0, whileOff, msiVectors: pick(random, SEVERAL_VECTORS), intx: true, express: true };
    case 'nvme':
      return {
        ...{ msixVectors: drawMsixVectors(random), whileOff },
        ...{ intx: true, express: true, reset: true, powerManagement: true },
      };
    case 'everything':
      return {
        ...{ msixVectors: drawMsixVectors(random), whileOff, msiVectors: pick(random, MSI_VECTORS) },
        ...{ intx: true, express: true, reset: true, powerManagement: true },
      };
    case 'intx':
      return { msixVectors: 0, whileOff, intx: true, ...(chance(random, 50) ? { powerManagement: true } : {}) };
    case 'mixture':
      return drawMixture(random);
  }
}

function drawMixture(random: Random): PciFunction {
  const mixture: PciFunction = {
    msixVectors: chance(random, 60) ? drawMsixVectors(random) : 0,
    whileOff: 'latches',
    ...(chance(random, 60) ? { msiVectors: pick(random, MSI_VECTORS) } : {}),
    ...(chance(random, 50) ? { intx: true } : {}),
    ...(chance(random, 50) ? { express: true } : {}),
    ...(chance(random, 50) ? { reset: true } : {}),
    ...(chance(random, 50) ? { powerManagement: true } : {}),
  };
  return familiesOf(mixture).length > 0 ? mixture : { ...mixture, intx: true };
}

/** A function without events, or without a pending bit to keep them in, has no choice. */
export function drawWhileOff(random: Random, pciFunction: PciFunction): PciFunction['whileOff'] {
  return hasWhileOff(pciFunction) ? pick(random, ['latches', 'drops'] as const) : 'latches';
}

/** Mostly small: a fault that needs a large table is rare, and a small one meets its edges all the time. */
function drawMsixVectors(random: Random): number {
  const choice = random.nextInt(0, 15);
  if (choice < 11) return random.nextInt(1, SMALL_TABLE);
  if (choice < 14) return pick(random, WORD_SIZES);
  return choice === 14 ? random.nextInt(11, 128) : MSIX_VECTORS_MAX;
}
