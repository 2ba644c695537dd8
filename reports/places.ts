import { counted, grouped } from './layout.ts';
import { printable } from './printable.ts';

/** A profile in its two parts: a host, and the VMM on top of it if there is one. */
export function profileParts(profile: string): { readonly host: string; readonly vmm: string | undefined } {
  const plus = profile.indexOf('+');
  return plus === -1
    ? { host: profile, vmm: undefined }
    : { host: profile.slice(0, plus), vmm: profile.slice(plus + 1) };
}

/** What stands for the VMM where the host is alone. */
export const ALONE = 'alone';

/** Something counted under one profile. */
export interface Counted {
  readonly profile: string;
  readonly count: number;
}

/** What was counted on one host, alone and under each VMM. */
export interface HostCounts {
  readonly host: string;
  readonly counts: readonly { readonly vmm: string | undefined; readonly count: number }[];
}

/** The counts of each host, in the order in which they are first met. */
export function byHost(places: readonly Counted[]): readonly HostCounts[] {
  const hosts = new Map<string, { vmm: string | undefined; count: number }[]>();
  for (const { profile, count } of places) {
    const { host, vmm } = profileParts(profile);
    const counts = hosts.get(host) ?? [];
    hosts.set(host, counts);
    counts.push({ vmm, count });
  }
  return [...hosts].map(([host, counts]) => ({ host, counts }));
}

/** `34 scenarios`, or `alone 34, qemu-7.2 4 scenarios`. */
export function countWords({ counts }: HostCounts): string {
  const [first, ...others] = counts;
  if (first === undefined) return '';
  const alone = first.vmm === undefined ? '' : `${printable(first.vmm)} `;
  if (others.length === 0) return `${alone}${counted(first.count, 'scenario')}`;
  return `${counts.map(({ vmm, count }) => `${printable(vmm ?? ALONE)} ${grouped(count)}`).join(', ')} scenarios`;
}

/** `not found`, or `qemu-7.2, qemu-10.0 not found`. */
export function notFoundWords({ counts }: HostCounts): string {
  const names = counts.map(({ vmm }) => printable(vmm ?? ALONE));
  return names.length === 1 && counts[0]?.vmm === undefined ? 'not found' : `${names.join(', ')} not found`;
}
