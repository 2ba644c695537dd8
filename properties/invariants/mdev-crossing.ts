import { descriptorOf, vmOf } from './followed-parent.ts';
import type { Breach } from './invariant.ts';
import { otherThan, printChange } from './mdev-changes.ts';
import { breach, type MdevMoment } from './mdev-moment.ts';

/** What one VM does changes nothing that is another's: no entry, PASID, vector, MSIX_PERM, descriptor or record. */
export function crossingBreaches(moment: MdevMoment, breaches: Breach[]): void {
  const { config, step, actors, changes } = moment;
  for (const change of changes) {
    const other = otherThan(actors, config, change);
    if (other !== null)
      breaches.push(breach(moment, `${doing(moment)} changed what is of VM ${other}: ${printChange(change)}`));
  }
  for (const event of step.events) {
    if (event.kind !== 'completed' && event.kind !== 'error' && event.kind !== 'revoked') continue;
    const other = vmOf(config, event.device);
    if (!actors.includes(other))
      breaches.push(breach(moment, `${doing(moment)} was told to mdev ${event.device} of VM ${other}: ${event.kind}`));
  }
  strangers(moment, breaches);
}

/** A signal without a reason of an eventfd that only vectors of other VMs have. */
function strangers(moment: MdevMoment, breaches: Breach[]): void {
  const { config, before, actors, account } = moment;
  for (const { eventfd, counted, most } of account.tallies) {
    if (counted <= most || eventfd === 0) continue;
    const holders = before.mdevs.flatMap(({ triggers }, device) =>
      triggers.flatMap((trigger, vector) => (trigger === eventfd ? [{ device, vector }] : [])),
    );
    const [first] = holders;
    if (first === undefined || holders.some(({ device }) => actors.includes(vmOf(config, device)))) continue;
    breaches.push(breach(moment, `${doing(moment)} fired vector ${first.vector} of mdev ${first.device}`));
  }
}

function doing({ operation, before, actors: [own] }: MdevMoment): string {
  const about = 'descriptor' in operation ? descriptorOf(before, operation.descriptor) : undefined;
  const which = about === undefined ? '' : ` (descriptor ${about.descriptor} of mdev ${about.device})`;
  return own === undefined ? operation.kind : `${operation.kind} of VM ${own}${which}`;
}
