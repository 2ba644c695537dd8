import type { Parent } from '#vocabulary';
import type { ProfileName } from '../../model/profiles.ts';
import { ARM_1, ARM_A, ARM_B, MSIX_OFF, SET, SWAP_1 } from './mdev-lines.ts';
import { A_AND_B, type MdevMachine, mdev } from './mdev-machines.ts';
import type { Story } from './stories.ts';

/** A published story on mediated devices, on the profiles that it is about. */
export interface MdevStory extends Omit<Story, 'device'> {
  readonly machine: MdevMachine & { readonly parent: Parent };
  readonly profiles: readonly ProfileName[];
}

const VIRTUALIZATION_MAIL = 'question on MSI-X virtualization in VFIO, K. Tian, June 2021';
const LATE = 'answers to the question on MSI-X virtualization in VFIO, A. Williamson and K. Tian, June 2021';
const IN_FLIGHT = 'DSA architecture specification 3.0, 5.4: checked when it is begun, interrupts when it ends';
const FREED = 'IOASID life cycle, Documentation of the IOASID API, J. Pan, September 2020';

const PARENT: Parent = { entries: 4, pasids: 7, quota: 4, handles: 'requested' };

/** One mdev: vector 0, and one or two for completions. */
const TWO_VECTORS = { parent: PARENT, devices: [mdev(2, 0)] };
const THREE_VECTORS = { parent: PARENT, devices: [mdev(3, 0)] };
const TWO_VMS = { parent: PARENT, devices: A_AND_B.devices };

/** What the guest's driver does before it uses vector 1 for a process: its PASID, MSIX_PERM, request_irq. */
const PASID_5 = ['guest.bindPasid 5', 'guest.msixPerm 1 on 5'];

/** A descriptor with the handle of the first completion vector, from its queue to its end if it comes to that. */
function descriptor(number: number, queue: 'shared 5' | 'dedicated 0'): readonly string[] {
  return [`guest.submit ${number} ${queue} handle=0`, `device.start ${number}`, `device.complete ${number}`];
}

/** One of the process, and one of the kernel. */
const BOTH_QUEUES = [...descriptor(0, 'shared 5'), ...descriptor(1, 'dedicated 0')];

export const MDEV_STORIES: readonly MdevStory[] = [
  {
    id: 'mdev-founding-mail',
    says:
      'Steps 2 to 4 of the second half of the mail, call by call: vector 0 for errors, vector 1 for a process of ' +
      "the guest. Vector 0 is the driver's own and has no entry.",
    source: VIRTUALIZATION_MAIL,
    machine: TWO_VECTORS,
    operations: [
      `${SET} 0+1 [e0]`,
      'guest.unmask 0',
      `${SET} 0+1 [e1]`,
      ...PASID_5,
      'guest.unmask 1',
      MSIX_OFF,
      `${SET} 0+2 [e1 e2]`,
      'guest.requestHandle 1',
      ...BOTH_QUEUES,
    ],
    profiles: ['idxd-mdev'],
  },
  {
    id: 'mdev-default-beside-sva',
    says: 'Vector 1 has the default PASID and vector 2 that of a process: each is fired by its own descriptors alone.',
    source: VIRTUALIZATION_MAIL,
    machine: THREE_VECTORS,
    operations: [
      'guest.bindPasid 5',
      'guest.msixPerm 2 on 5',
      `${SET} 0+3 [e0 e1 e2]`,
      'guest.unmask 1',
      'guest.unmask 2',
      'guest.requestHandle 1',
      'guest.requestHandle 2',
      'guest.submit 0 dedicated 0 handle=0',
      'guest.submit 1 shared 5 handle=1',
      'guest.submit 2 shared 5 handle=0',
      'device.start 0',
      'device.start 1',
      'device.start 2',
      'device.complete 0',
      'device.complete 1',
    ],
    profiles: ['idxd-mdev'],
  },
  {
    id: 'mdev-founding-mail-guest',
    says: 'The same steps as a guest takes them, and what its VMM makes of them.',
    source: VIRTUALIZATION_MAIL,
    machine: TWO_VECTORS,
    operations: [
      'guest.msixControl enable',
      'guest.unmask 0',
      ...PASID_5,
      'guest.unmask 1',
      'guest.requestHandle 1',
      ...BOTH_QUEUES,
    ],
    profiles: [
      'idxd-mdev+qemu-7.2',
      'idxd-mdev+qemu-10.0',
      'idxd-mdev+all-at-enable',
      'idxd-mdev-all-closed+all-at-enable',
      'idxd-mdev-fixed+qemu-7.2',
    ],
  },
  {
    id: 'mdev-growth',
    says:
      'Vector 1 is in use when vector 2 is added, and a descriptor runs meanwhile. Where all is torn down it is ' +
      'refused and the guest told; it is not lost. The handle is worth nothing then until it is requested again.',
    source: VIRTUALIZATION_MAIL,
    machine: THREE_VECTORS,
    operations: [
      'guest.msixControl enable',
      'guest.unmask 0',
      ...PASID_5,
      'guest.unmask 1',
      'guest.requestHandle 1',
      'guest.submit 0 shared 5 handle=0',
      'device.armDescriptor 0 teardown-gap',
      'guest.unmask 2',
      ...descriptor(1, 'shared 5'),
      'guest.requestHandle 1',
      ...descriptor(2, 'shared 5'),
    ],
    profiles: ['idxd-mdev+qemu-7.2', 'idxd-mdev+qemu-10.0', 'idxd-mdev-all-closed+all-at-enable'],
  },
  {
    id: 'mdev-growth-in-flight',
    says: 'The same with a descriptor that passed its check before: it ends while its vector is torn down.',
    source: VIRTUALIZATION_MAIL,
    machine: THREE_VECTORS,
    operations: [
      'guest.msixControl enable',
      ...PASID_5,
      'guest.unmask 1',
      'guest.requestHandle 1',
      'guest.submit 0 shared 5 handle=0',
      'device.start 0',
      'guest.unmask 2',
    ],
    profiles: ['idxd-mdev+qemu-7.2', 'idxd-mdev+qemu-10.0'],
  },
  {
    id: 'mdev-all-at-enable',
    says:
      'The last paragraph of the mail: all entries are allocated when the guest enables MSI-X. A descriptor of the ' +
      'kernel comes before vector 1 has its trigger, and MSIX_PERM is written after that; then one more of each. ' +
      'The process tries again when the guest has masked and unmasked, and when the vector has got its trigger anew.',
    source: VIRTUALIZATION_MAIL,
    machine: TWO_VECTORS,
    operations: [
      `${SET} 0+2 [e0 -1]`,
      'guest.unmask 0',
      'guest.requestHandle 1',
      ...descriptor(0, 'dedicated 0'),
      'guest.unmask 1',
      ARM_1,
      ...PASID_5,
      ...descriptor(1, 'shared 5'),
      ...descriptor(2, 'dedicated 0'),
      'guest.mask 1',
      'guest.unmask 1',
      ...descriptor(3, 'shared 5'),
      SWAP_1,
      ...descriptor(4, 'shared 5'),
    ],
    profiles: ['idxd-mdev-all-closed', 'idxd-mdev-all-default', 'idxd-mdev-fixed'],
  },
  {
    id: 'mdev-late-perm',
    says:
      'MSIX_PERM is written when the vector has its trigger and is unmasked; then the guest masks and unmasks; then ' +
      'the vector gets its trigger again. After each a descriptor of the process.',
    source: LATE,
    machine: TWO_VECTORS,
    operations: [
      ARM_A,
      'guest.unmask 1',
      'guest.requestHandle 1',
      ...PASID_5,
      ...descriptor(0, 'shared 5'),
      'guest.mask 1',
      'guest.unmask 1',
      ...descriptor(1, 'shared 5'),
      SWAP_1,
      ...descriptor(2, 'shared 5'),
    ],
    profiles: ['idxd-mdev', 'idxd-mdev-at-unmask', 'idxd-mdev-immediate'],
  },
  {
    id: 'mdev-in-flight-at-disable',
    says:
      'A descriptor of A has passed its check; A turns MSI-X off and its entry goes to B. It ends before that, for ' +
      'A; one that had not passed yet is refused.',
    source: IN_FLIGHT,
    machine: TWO_VMS,
    operations: [
      ARM_A,
      'guest.unmask 1',
      'guest.requestHandle 1',
      'guest.submit 0 dedicated 0 handle=0',
      'guest.submit 1 dedicated 0 handle=0',
      'device.start 0',
      MSIX_OFF,
      ARM_B,
      'guest.unmask 1 @1',
      'guest.requestHandle 1 @1',
      'device.complete 0',
      'device.start 1',
    ],
    profiles: ['idxd-mdev', 'idxd-mdev-all-closed'],
  },
  {
    id: 'mdev-freed-pasid',
    says:
      'A gives a guest PASID back that an entry and two descriptors of it carry. One ends; as long as the other ' +
      'carries the number B is given another, and then the same.',
    source: FREED,
    machine: TWO_VMS,
    operations: [
      ...PASID_5,
      ARM_A,
      'guest.unmask 1',
      'guest.requestHandle 1',
      'guest.submit 0 shared 5 handle=0',
      'guest.submit 1 shared 5 handle=0',
      'device.start 0',
      'guest.freePasid 5',
      'guest.bindPasid 5 @1',
      'device.start 1',
      'guest.bindPasid 6 @1',
      'guest.submit 2 shared 6 handle=0 @1',
      'device.start 2',
    ],
    profiles: ['idxd-mdev', 'idxd-mdev-immediate'],
  },
];
