import { describe, expect, it } from 'vitest';
import type { Config } from '#vocabulary';
import type { MsiDomain } from './irq/msi-domain.ts';
import { initial, type Machine } from './machine.ts';
import { copyOfMachine, keyOfMachine } from './machine-copy.ts';
import type { FunctionState, MsiCapability, MsixCapability } from './pci/function.ts';
import { platformOf } from './profiles.ts';
import type { VirtualFunction } from './qemu/virtual-function.ts';
import type { IntxContext, VfioDevice, VirtualConfig } from './vfio/device.ts';
import type { Eventfd } from './vfio/eventfd.ts';

/** What is in every field: a change of the state, or why the key can leave it out. A new field does not compile. */
type Changes<Part> = { readonly [Field in keyof Part]: ((part: Part) => void) | Because };
type Because = 'never changes' | 'is of one step' | 'has a table of its own';

/** A trigger that the user can no longer see. */
function unseen(): Eventfd {
  return { name: 'e9', open: false, count: 0, watchers: null };
}

const DEVICE: Changes<VfioDevice> = {
  config: 'never changes',
  host: 'never changes',
  domain: 'has a table of its own',
  pci: 'has a table of its own',
  intx: 'has a table of its own',
  virtual: 'has a table of its own',
  // What is open and no trigger is as good as one that was never made.
  eventfds: 'never changes',
  descriptors: (device) => (device.descriptors += 1),
  mappings: (device) => (device.mappings += 1),
  irqType: (device) => (device.irqType = 'msi'),
  triggers: (device) => device.triggers.set(1, unseen()),
  errTrigger: (device) => (device.errTrigger = unseen()),
  reqTrigger: (device) => (device.reqTrigger = unseen()),
};

const INTX: Changes<IntxContext> = {
  masked: (intx) => (intx.masked = !intx.masked),
  trigger: (intx) => (intx.trigger = null),
  unmask: (intx) => (intx.unmask = unseen()),
};

const VIRTUAL: Changes<VirtualConfig> = {
  intxDisable: (virtual) => (virtual.intxDisable = !virtual.intxDisable),
  memory: (virtual) => (virtual.memory = !virtual.memory),
  msiEnable: (virtual) => (virtual.msiEnable = !virtual.msiEnable),
};

const DOMAIN: Changes<MsiDomain> = {
  pci: 'has a table of its own',
  hostVectors: (domain) => (domain.hostVectors.free = 7),
  allocated: (domain) => domain.allocated.add(1),
  requested: (domain) => domain.requested.add(1),
  activated: (domain) => domain.activated.add(1),
  messages: (domain) => domain.messages.add(1),
  replay: (domain) => domain.replay.add(1),
};

const FUNCTION: Changes<FunctionState> = {
  config: 'never changes',
  busMaster: (pci) => (pci.busMaster = !pci.busMaster),
  intxDisable: (pci) => (pci.intxDisable = !pci.intxDisable),
  intxStatus: (pci) => (pci.intxStatus = !pci.intxStatus),
  inD3hot: (pci) => (pci.inD3hot = !pci.inD3hot),
  msi: 'has a table of its own',
  msix: 'has a table of its own',
};

const MSI: Changes<MsiCapability> = {
  enable: (msi) => (msi.enable = !msi.enable),
  message: (msi) => (msi.message = !msi.message),
  enabledVectors: (msi) => (msi.enabledVectors += 1),
};

const MSIX: Changes<MsixCapability> = {
  enable: (msix) => (msix.enable = !msix.enable),
  functionMask: (msix) => (msix.functionMask = !msix.functionMask),
  unmasked: (msix) => msix.unmasked.add(1),
  messages: (msix) => msix.messages.add(1),
  pending: (msix) => msix.pending.add(1),
};

const GUEST: Changes<VirtualFunction> = {
  index: 'never changes',
  vmm: 'never changes',
  device: 'never changes',
  enable: (vf) => (vf.enable = !vf.enable),
  functionMask: (vf) => (vf.functionMask = !vf.functionMask),
  allMasked: (vf) => (vf.allMasked = !vf.allMasked),
  busMaster: (vf) => (vf.busMaster = !vf.busMaster),
  entries: (vf) => vf.entries.set(1, { address: 1, high: 2, data: 3, control: 1 }),
  blank: (vf) => (vf.blank = 'reset'),
  unmasked: (vf) => vf.unmasked.add(1),
  pba: (vf) => vf.pba.add(1),
  interrupt: (vf) => (vf.interrupt = 'msix'),
  vectors: (vf) => vf.vectors.set(1, { hasHandler: true, route: null }),
  waiting: (vf) => vf.waiting.set(1, 1),
  vectorCount: (vf) => (vf.vectorCount += 1),
  pending: (vf) => vf.pending.add(1),
  pbaShown: (vf) => (vf.pbaShown = !vf.pbaShown),
  notifies: (vf) => (vf.notifies = !vf.notifies),
  opened: 'is of one step',
  touched: 'is of one step',
};

const CONFIG: Config = {
  ...platformOf('linux-6.12+qemu-10.0'),
  devices: [{ msixVectors: 3, msiVectors: 2, whileOff: 'latches', intx: true, reset: true }],
};

/** Every change of a part that is found in a machine. */
function changes<Part extends object>(name: string, table: Changes<Part>, find: (machine: Machine) => Part) {
  return Object.entries<((part: Part) => void) | Because>(table).flatMap(([field, change]) =>
    typeof change === 'string' ? [] : [[`${name}.${field}`, (machine: Machine) => change(find(machine))] as const],
  );
}

function deviceIn({ places }: Machine): VfioDevice {
  const [place] = places;
  if (place === undefined) throw new Error('there is no device');
  return place.device;
}

function guestIn({ vmm }: Machine): VirtualFunction {
  const [vf] = vmm?.functions ?? [];
  if (vf === undefined) throw new Error('there is no guest');
  return vf;
}

const CASES = [
  ...changes('device', DEVICE, deviceIn),
  ...changes('intx', INTX, (machine) => deviceIn(machine).intx),
  ...changes('virtual', VIRTUAL, (machine) => deviceIn(machine).virtual),
  ...changes('domain', DOMAIN, (machine) => deviceIn(machine).domain),
  ...changes('function', FUNCTION, (machine) => deviceIn(machine).pci),
  ...changes('msi', MSI, (machine) => deviceIn(machine).pci.msi),
  ...changes('msix', MSIX, (machine) => deviceIn(machine).pci.msix),
  ...changes('guest', GUEST, guestIn),
];

describe('a change of one field of a machine', () => {
  it.each(CASES)('is in the key, and in no copy: %s', (_, change) => {
    const machine = initial(CONFIG);
    const key = keyOfMachine(machine);
    const copy = copyOfMachine(machine);
    change(copy);
    const changed = keyOfMachine(copy);
    expect(changed).not.toBe(key);
    expect(keyOfMachine(machine)).toBe(key);
    expect(keyOfMachine(copyOfMachine(copy))).toBe(changed);
    change(machine);
    expect(keyOfMachine(machine)).toBe(changed);
  });

  it('is in no copy where it is within a vector in use', () => {
    const machine = initial(CONFIG);
    guestIn(machine).vectors.set(1, { hasHandler: false, route: null });
    const key = keyOfMachine(machine);
    const copy = copyOfMachine(machine);
    const used = guestIn(copy).vectors.get(1);
    if (used !== undefined) used.hasHandler = true;
    expect(keyOfMachine(copy)).not.toBe(key);
    expect(keyOfMachine(machine)).toBe(key);
  });
});
