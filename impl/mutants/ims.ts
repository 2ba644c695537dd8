import { m1 } from './m1-guest-pasid-untranslated.ts';
import { m3 } from './m3-look-up-in-every-vm.ts';
import { m4 } from './m4-pasid-kept-at-free.ts';
import { m5 } from './m5-pasid-mixed-at-enable.ts';
import { m6 } from './m6-no-drain.ts';
import { m7 } from './m7-pending-kept-at-free.ts';
import { m8 } from './m8-freed-pasid-in-entry.ts';
import { m9 } from './m9-mask-writes-the-word.ts';
import { m10 } from './m10-mask-in-the-data.ts';
import { m13 } from './m13-pasid-after-request.ts';
import { m15 } from './m15-perm-ignored.ts';
import { m17 } from './m17-swap-keeps-pasid.ts';
import { m19 } from './m19-reset-of-the-shadow.ts';
import { m20 } from './m20-close-forgets.ts';
import { m22 } from './m22-moved-without-word.ts';
import { m24 } from './m24-errno-as-handle.ts';
import { m25 } from './m25-range-ends-at-count.ts';
import { m28 } from './m28-failed-enable-stays.ts';
import { m30 } from './m30-ignore-kept-at-free.ts';
import type { Mutant } from './mutant.ts';
import { s25 } from './s25-irq-ids-overlap.ts';
import { s27 } from './s27-release-of-the-neighbour.ts';

/** Faults of drivers of mediated devices, in the order of their numbers. */
export const IMS_MUTANTS: readonly Mutant[] = [
  m1,
  m3,
  m4,
  m5,
  m6,
  m7,
  m8,
  m9,
  m10,
  m13,
  m15,
  m17,
  m19,
  m20,
  m22,
  m24,
  m25,
  m28,
  m30,
  s25,
  s27,
];
