import type { Mutant } from './mutant.ts';
import { s01 } from './s01-range-armed-then-disarmed.ts';
import { s04 } from './s04-growth-arms-masked.ts';
import { s05 } from './s05-first-use-forgets.ts';
import { s06 } from './s06-range-ends-at-count.ts';
import { s07 } from './s07-pending-mask-of-32-bits.ts';
import { s08 } from './s08-failure-undoes-the-range.ts';
import { s09 } from './s09-refused-growth-kills-all.ts';
import { s10 } from './s10-event-in-the-gap-dropped.ts';
import { s11 } from './s11-function-unmask-forgets.ts';
import { s13 } from './s13-unused-index-not-released.ts';
import { s14 } from './s14-enable-replays-nothing.ts';
import { s15 } from './s15-mask-not-passed-on.ts';
import { s16 } from './s16-failed-enable-released-twice.ts';
import { s18 } from './s18-one-slot-for-all.ts';
import { s19 } from './s19-loopback-after-disarm.ts';
import { s20 } from './s20-message-under-mask-ignored.ts';
import { s21 } from './s21-disarm-keeps-the-pointer.ts';
import { s22 } from './s22-disabled-first-leaks.ts';
import { s23 } from './s23-entries-of-the-last-owner.ts';
import { s24 } from './s24-event-without-route-consumed.ts';
import { s26 } from './s26-function-mask-left-set.ts';
import { s28 } from './s28-range-wraps.ts';
import { s29 } from './s29-reset-leaves-unmasked.ts';
import { s30 } from './s30-mask-from-the-whole-word.ts';

/** Faults in vfio-pci, what lies below it and the VMMs above it, in the order of the catalogue. */
export const HISTORIC_MUTANTS: readonly Mutant[] = [
  s01,
  s04,
  s05,
  s06,
  s07,
  s08,
  s09,
  s10,
  s11,
  s13,
  s14,
  s15,
  s16,
  s18,
  s19,
  s20,
  s21,
  s22,
  s23,
  s24,
  s26,
  s28,
  s29,
  s30,
];
