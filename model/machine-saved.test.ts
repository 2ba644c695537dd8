import { describe, expect, it } from 'vitest';
import { type Config, parseOperation } from '#vocabulary';
import type { HostVectors, MsiDomain } from './irq/msi-domain.ts';
import { act, initial, type Machine, type Place, step } from './machine.ts';
import { restoreMachine, saveMachine } from './machine-saved.ts';
import { putMachine, putPlace, putVector, vectorsOf } from './machine-words.ts';
import type { FunctionState, MsiCapability, MsixCapability } from './pci/function.ts';
import { platformOf } from './profiles.ts';
import type { VirtualFunction } from './qemu/virtual-function.ts';
import type { IntxContext, VfioDevice, VirtualConfig } from './vfio/device.ts';
import { closeEventfd, type Eventfd, writeEventfd } from './vfio/eventfd.ts';
import { type Changes, changes, wordsTold } from './words.fixture.ts';

/** A trigger that the user can no longer see. */
function unseen(): Eventfd {
  return { name: 'e9', number: 9, open: false, count: 0, watchers: null };
}

const DEVICE: Changes<VfioDevice> = {
  config: 'never changes',
  host: 'never changes',
  addsVectors: 'never changes',
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

const HOST: Changes<HostVectors> = {
  free: (host) => (host.free = 7),
  failing: (host) => (host.failing += 1),
  multiMsi: 'never changes',
};

const PLACE: Changes<Place> = {
  device: 'has a table of its own',
  armed: (place) => place.armed.push({ vector: 1, window: 'teardown-gap' }),
  touched: 'is of one step',
  reported: 'follows from the rest',
  reportedToGuest: 'follows from the rest',
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

function configOf(msixVectors: number): Config {
  return {
    ...platformOf('linux-6.12+qemu-10.0'),
    devices: [{ msixVectors, msiVectors: 2, whileOff: 'latches', intx: true, reset: true }],
  };
}

function placeIn({ places }: Machine): Place {
  const [place] = places;
  if (place === undefined) throw new Error('there is no device');
  return place;
}

function deviceIn(machine: Machine): VfioDevice {
  return placeIn(machine).device;
}

function guestIn({ vmm }: Machine): VirtualFunction {
  const [vf] = vmm?.functions ?? [];
  if (vf === undefined) throw new Error('there is no guest');
  return vf;
}

const CASES = [
  ...changes('host', HOST, ({ hostVectors }: Machine) => hostVectors),
  ...changes('place', PLACE, placeIn),
  ...changes('device', DEVICE, deviceIn),
  ...changes('intx', INTX, (machine: Machine) => deviceIn(machine).intx),
  ...changes('virtual', VIRTUAL, (machine: Machine) => deviceIn(machine).virtual),
  ...changes('domain', DOMAIN, (machine: Machine) => deviceIn(machine).domain),
  ...changes('function', FUNCTION, (machine: Machine) => deviceIn(machine).pci),
  ...changes('msi', MSI, (machine: Machine) => deviceIn(machine).pci.msi),
  ...changes('msix', MSIX, (machine: Machine) => deviceIn(machine).pci.msix),
  ...changes('guest', GUEST, guestIn),
];

const CONFIG = configOf(3);

/** Told as a whole, and told vector by vector, as those need it who may exchange vectors. */
function wordsOf(machine: Machine): readonly (readonly number[])[] {
  const byVector = wordsTold((words) => {
    putPlace(machine, 0, words);
    for (let vector = 0; vector < vectorsOf(deviceIn(machine)); vector += 1) putVector(machine, 0, vector, words);
  });
  return [wordsTold((words) => putMachine(machine, words)), byVector];
}

/** That both ways of telling a machine differ from before. */
function expectChanged(changed: ReturnType<typeof wordsOf>, words: ReturnType<typeof wordsOf>): void {
  for (const [way, told] of changed.entries()) expect(told).not.toEqual(words[way]);
}

describe.each([3, 40])('a change of one field of a machine with %i vectors', (vectors) => {
  it.each(CASES)('is in the words, and put back as often as one likes: %s', (_, change) => {
    const machine = initial(configOf(vectors));
    const words = wordsOf(machine);
    const saved = saveMachine(machine);
    change(machine);
    const changed = wordsOf(machine);
    expectChanged(changed, words);
    const savedChanged = saveMachine(machine);
    restoreMachine(machine, saved);
    expect(wordsOf(machine)).toEqual(words);
    change(machine);
    expect(wordsOf(machine)).toEqual(changed);
    restoreMachine(machine, saved);
    restoreMachine(machine, savedChanged);
    expect(wordsOf(machine)).toEqual(changed);
    restoreMachine(machine, saved);
    expect(wordsOf(machine)).toEqual(words);
  });

  it('is put back where it is within a vector in use', () => {
    const machine = initial(configOf(vectors));
    guestIn(machine).vectors.set(1, { hasHandler: false, route: null });
    const words = wordsOf(machine);
    const saved = saveMachine(machine);
    for (let time = 0; time < 2; time += 1) {
      const used = guestIn(machine).vectors.get(1);
      if (used !== undefined) used.hasHandler = true;
      expectChanged(wordsOf(machine), words);
      restoreMachine(machine, saved);
      expect(wordsOf(machine)).toEqual(words);
    }
  });
});

describe('what is put back and follows from the rest', () => {
  it('is what the observations have said', () => {
    const machine = initial(CONFIG);
    const saved = saveMachine(machine);
    const { reported, reportedToGuest } = placeIn(machine);
    const said = [...reported, ...reportedToGuest];
    reported[1] = 3;
    reportedToGuest[2] = 1;
    expect([...reported, ...reportedToGuest]).not.toEqual(said);
    restoreMachine(machine, saved);
    expect([...reported, ...reportedToGuest]).toEqual(said);
  });

  it('is which descriptors are open', () => {
    const machine = initial(CONFIG);
    const { eventfds } = machine;
    writeEventfd(eventfds, 'e1');
    const saved = saveMachine(machine);
    const eventfd = eventfds.open.get('e1');
    closeEventfd(eventfds, 'e1');
    expect(eventfd?.open).toBe(false);
    restoreMachine(machine, saved);
    expect(eventfds.open.get('e1')).toBe(eventfd);
    expect(eventfd?.open).toBe(true);
  });

  it('is which triggers nobody sees any more, also where an earlier state has been put back meanwhile', () => {
    const machine = initial({ ...platformOf('linux-6.12'), devices: CONFIG.devices });
    const { open } = machine.eventfds;
    const run = (line: string) => step(machine, parseOperation(line));
    run('vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e1]');
    const seen = saveMachine(machine);
    run('vfio.closeEventfd e1');
    const closed = saveMachine(machine);
    run('vfio.writeEventfd e1');
    const other = open.get('e1');
    const taken = saveMachine(machine);
    for (const [saved, named] of [
      [closed, undefined],
      [taken, other],
    ] as const) {
      restoreMachine(machine, seen);
      expect(run('device.raise 0').events).toContainEqual({ kind: 'signalled', eventfd: 'e1', count: 1 });
      restoreMachine(machine, saved);
      expect(open.get('e1')).toBe(named);
      expect(run('device.raise 0').events.map(({ kind }) => kind)).toEqual(['raised']);
    }
  });

  it('is what guests have received of a step that nobody has read', () => {
    const machine = initial(CONFIG);
    const run = (line: string) => step(machine, parseOperation(line));
    for (const line of ['guest.msixControl enable', 'guest.unmask 1', 'guest.mask 1', 'device.raise 1']) run(line);
    const saved = saveMachine(machine);
    act(machine, parseOperation('guest.unmask 1'));
    restoreMachine(machine, saved);
    expect(run('guest.readPba 0').events).toEqual([]);
    expect(run('guest.unmask 1').events).toMatchObject([{ kind: 'message', count: 1 }]);
  });

  it('is who reads the eventfd that unmasks', () => {
    const machine = initial({ ...platformOf('linux-6.12'), devices: CONFIG.devices });
    const device = deviceIn(machine);
    const set = (words: string) => step(machine, parseOperation(`vfio.setIrqs INTX ${words}`));
    set('EVENTFD|TRIGGER 0+1 [e7]');
    const without = saveMachine(machine);
    set('EVENTFD|UNMASK 0+1 [e8]');
    const attached = saveMachine(machine);
    const eventfd = machine.eventfds.open.get('e8');
    step(machine, parseOperation('vfio.closeEventfd e8'));
    restoreMachine(machine, attached);
    device.intx.masked = true;
    step(machine, parseOperation('vfio.writeEventfd e8'));
    expect(device.intx.masked).toBe(false);
    restoreMachine(machine, without);
    expect(eventfd?.watchers?.size ?? 0).toBe(0);
  });
});
