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

/** VMMs on one host that are told one by one; more are told together. */
export const VMMS_TOLD_MAX = 4;
/** Hosts that are told one by one; of more each is one number. */
const HOSTS_TOLD_MAX = 3;

/** A line about a host. */
export interface PlaceTold {
  readonly host: string;
  readonly words: string;
}

/** What was counted, a line for each host; one line for many hosts, which are `6 hosts` then. */
export function placesTold(places: readonly Counted[]): readonly PlaceTold[] {
  const hosts = byHost(places);
  if (hosts.length <= HOSTS_TOLD_MAX) return hosts.map((host) => ({ host: host.host, words: countWords(host) }));
  const totals = hosts.map(({ host, counts }) => `${printable(host)} ${grouped(total(counts))}`);
  return [{ host: `${hosts.length} hosts`, words: `${totals.join(', ')} scenarios` }];
}

/** `34 scenarios`, `alone 34, qemu-7.2 4 scenarios`, or where there are many VMMs `alone 34, 6 VMMs 21 scenarios`. */
function countWords({ counts }: HostCounts): string {
  const [first, ...others] = vmmsTold(counts);
  if (first === undefined) return '';
  const alone = first.vmm === undefined ? '' : `${printable(first.vmm)} `;
  if (others.length === 0) return `${alone}${counted(first.count, 'scenario')}`;
  const words = [first, ...others].map(({ vmm, count }) => `${printable(vmm ?? ALONE)} ${grouped(count)}`);
  return `${words.join(', ')} scenarios`;
}

/** The counts of one host with those of many VMMs as one. */
export function vmmsTold(counts: HostCounts['counts']): HostCounts['counts'] {
  const vmms = counts.filter(({ vmm }) => vmm !== undefined);
  if (vmms.length <= VMMS_TOLD_MAX) return counts;
  return [...counts.filter(({ vmm }) => vmm === undefined), { vmm: `${vmms.length} VMMs`, count: total(vmms) }];
}

function total(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

/** What was not found, a line for each host: `not found`, or `qemu-7.2, qemu-10.0 not found`. */
export function placesNotFound(places: readonly Counted[]): readonly PlaceTold[] {
  return byHost(places).map(({ host, counts }) => {
    const names = counts.map(({ vmm }) => printable(vmm ?? ALONE));
    const isHost = names.length === 1 && counts[0]?.vmm === undefined;
    return { host, words: isHost ? 'not found' : `${names.join(', ')} not found` };
  });
}
