import type { Random } from 'fast-check';
import type { Config, GuestPlatform, PciFunction, Support } from '#vocabulary';
import { MSIX_VECTORS_MAX } from '#vocabulary';
import { drawWhileOff, SMALL_TABLE, WORD_SIZES } from './config.ts';
import { unusedFunctions } from './pci-function.ts';
import { chance, pick } from './random.ts';

/** A machine with a VMM. Its guest uses MSI-X and INTx alone: little depends on what else a function has. */
export function drawGuestConfig(random: Random, support: Support, { host, vmm }: GuestPlatform): Config {
  const count = support.devicesMax > 1 && chance(random, 15) ? 2 : 1;
  const devices: PciFunction[] = [];
  while (devices.length < count) {
    const left = support.functions === 'any' ? 'any' : unusedFunctions(support.functions, devices);
    if (left.length === 0) break;
    const pciFunction = left === 'any' ? drawFunction(random) : pickFunction(random, left);
    devices.push({ ...pciFunction, whileOff: drawWhileOff(random, pciFunction) });
  }
  return { host, vmm, devices };
}

/** Rarely one without MSI-X, of which there is nothing to see, or without events. */
function pickFunction(random: Random, functions: readonly PciFunction[]): PciFunction {
  const telling = functions.filter(({ msixVectors, silent }) => msixVectors > 0 && silent === undefined);
  if (telling.length === 0 || chance(random, 2)) return pick(random, functions);
  const small = telling.filter(({ msixVectors }) => msixVectors <= SMALL_TABLE);
  return pick(random, small.length > 0 && chance(random, 80) ? small : telling);
}

function drawFunction(random: Random): PciFunction {
  const hasMsix = !chance(random, 1);
  return {
    msixVectors: hasMsix ? drawMsixVectors(random) : 0,
    whileOff: 'latches',
    ...(!hasMsix || chance(random, 60) ? { intx: true } : {}),
    ...(chance(random, 10) ? { express: true } : {}),
    ...(chance(random, 50) ? { reset: true } : {}),
  };
}

/** A table that can grow, several times in a short scenario. */
function drawMsixVectors(random: Random): number {
  const choice = random.nextInt(0, 79);
  if (choice === 0) return MSIX_VECTORS_MAX;
  if (choice < 3) return 1;
  if (choice < 7) return random.nextInt(SMALL_TABLE + 1, 128);
  return choice < 17 ? pick(random, WORD_SIZES) : random.nextInt(2, SMALL_TABLE);
}
