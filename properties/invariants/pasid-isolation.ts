import type { Breach, Invariant, MdevWatch } from './invariant.ts';
import { crossingBreaches } from './mdev-crossing.ts';
import { descriptorBreaches } from './mdev-descriptors.ts';
import { entryBreaches } from './mdev-entries.ts';
import { freshnessBreaches } from './mdev-freshness.ts';
import { answerBreaches, translationBreaches } from './mdev-translation.ts';

/** An interrupt is made by whom its vector was given to, and by nobody else on the same parent. */
export const pasidIsolation: Invariant = {
  id: 'pasid-isolation',
  promise:
    'An IMS entry lets through PASIDs of its own VM only, those that its guest has written and bound when the host ' +
    'last had to look, and none while it is nobody’s; no descriptor makes an interrupt by an entry of another VM, ' +
    'and no operation of one VM changes what is another’s.',
  source:
    'DSA 3.0, 5.4, 7.5.3 and 7.5.4; the VFIO MSI-X virtualization mail of 2021 and its answers; IOASID APIs, 2020',
  startMdev: (): MdevWatch => (moment) => {
    if (moment.still) return answerBreaches(moment);
    const breaches: Breach[] = [];
    entryBreaches(moment, breaches);
    freshnessBreaches(moment, breaches);
    descriptorBreaches(moment, breaches);
    translationBreaches(moment, breaches);
    breaches.push(...answerBreaches(moment));
    crossingBreaches(moment, breaches);
    return breaches;
  },
};
