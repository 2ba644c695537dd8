import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRecorded } from '../properties/runner/record.ts';
import type { Finding } from '../properties/runner/verdict.ts';

/** The findings that are kept with every form in which they can be told, by the names of their files. */
export const GOLDEN_FINDINGS = [
  // Recorded on Linux 6.12: a refused MSI request takes the trigger that there was.
  'noresize-msi',
  // Recorded on Linux 6.1, with a device that drops events while MSI-X is off.
  'lost-interrupt',
  // QEMU 7.2 on Linux 6.1, as the model has them: the guest loses an interrupt while its vectors grow.
  'lost-interrupt-guest',
  // A mutant that writes a guest's PASID into an IMS entry as it is.
  'foreign-pasid',
] as const;

export type GoldenFinding = (typeof GOLDEN_FINDINGS)[number];

/** Those whose operations are calls of vfio. */
export const GOLDEN_PROGRAMS = ['noresize-msi', 'lost-interrupt'] as const satisfies readonly GoldenFinding[];

/** The path of one, as a person in the repository would type it. */
export function goldenFile(name: GoldenFinding): string {
  return `reports/golden/findings/${name}.jsonl`;
}

export function goldenFinding(name: GoldenFinding): Finding {
  const file = goldenFile(name);
  const recorded = readRecorded(readFileSync(join(import.meta.dirname, '..', file), 'utf8'), file);
  if (recorded.kind !== 'finding') throw new Error(`${file} is no finding`);
  return recorded.finding;
}
