import type { ProfileName } from '../../model/profiles.ts';
import { DROPS, LATCHES } from './devices.ts';
import type { Story } from './stories.ts';

/** A published story at the guest, on the profiles that it is about. */
export interface GuestStory extends Story {
  readonly profiles: readonly ProfileName[];
}

const VIRTUALIZATION_MAIL = 'question on MSI-X virtualization in VFIO, K. Tian, 2021';
const COVER_LETTER = 'cover letter of dynamic MSI-X for vfio-pci, R. Chatre, March 2023';

/** Every strategy on the host that brings it out, one that tears down on a dynamic host as well. */
const STRATEGIES: readonly ProfileName[] = [
  'linux-6.1+qemu-7.2',
  'linux-6.12+qemu-7.2',
  'linux-6.1+qemu-10.0',
  'linux-6.12+qemu-10.0',
  'linux-6.1+all-at-enable',
];

const BOTH_DELIVERIES = STRATEGIES.flatMap((profile): ProfileName[] => [profile, `${profile}/irqfd` as ProfileName]);

/** The mail's steps: enable; vector 0; vector 1, with an event of vector 0 between 4.a and 4.b; vector 2. */
const MAIL = [
  'guest.msixControl enable',
  'guest.unmask 0',
  'device.raise 0',
  'device.arm 0 teardown-gap',
  'guest.unmask 1',
  'guest.unmask 2',
  'device.raise 0',
];

export const GUEST_STORIES: readonly GuestStory[] = [
  {
    id: 'founding-mail-dropping',
    says: 'Steps 2 to 5 of the mail: the guest takes three vectors one by one, and vector 0 has an event on the way.',
    source: VIRTUALIZATION_MAIL,
    device: DROPS,
    operations: MAIL,
    profiles: BOTH_DELIVERIES,
  },
  {
    id: 'founding-mail-latching',
    says: 'The same with a function that keeps events while MSI-X is off.',
    source: VIRTUALIZATION_MAIL,
    device: LATCHES,
    operations: MAIL,
    profiles: STRATEGIES,
  },
  {
    id: 'work-queue',
    says: 'Two work queues of an accelerator are active; the guest enables a third, whose vector was masked till then.',
    source: COVER_LETTER,
    device: DROPS,
    operations: [
      'guest.unmask 0',
      'guest.unmask 1',
      'guest.msixControl enable',
      'device.arm 0 teardown-gap',
      'device.arm 1 teardown-gap',
      'guest.unmask 2',
      'device.raise 2',
    ],
    profiles: BOTH_DELIVERIES,
  },
  {
    id: 'lost-interrupt',
    says: 'The shortest way to lose an interrupt: no sequence of fewer operations does.',
    source: VIRTUALIZATION_MAIL,
    device: DROPS,
    operations: ['guest.msixControl enable', 'device.arm 1 teardown-gap', 'guest.unmask 1'],
    profiles: ['linux-6.1+qemu-7.2', 'linux-6.12+qemu-7.2', 'linux-6.1+qemu-10.0'],
  },
];
