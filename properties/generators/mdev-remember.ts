import type { GuestOperation, GuestSubmit, MdevOperation, Operation, RawOperation, VfioSetIrqs } from '#vocabulary';
import { isEventfdName, isGuestOperation, isMdevOperation, PASID_MAX, VFIO_PCI_MSIX_IRQ_INDEX } from '#vocabulary';
import { TRIGGER_EVENTFD } from './flags.ts';
import { writtenControl, writtenVectorControl } from './guest-access.ts';
import type { MdevMemory, ParentMemory } from './mdev-memory.ts';
import { deviceOfPlace, entryOf, freeEntry, mdevMemory, NOBODY, pasidsInUse, placeOf } from './mdev-memory.ts';
import { isDisable } from './memory.ts';

/** Takes note of an operation just drawn. */
export function rememberParent(memory: ParentMemory, operation: Operation): void {
  if (isMdevOperation(operation)) rememberMdev(memory, operation);
  else if (isGuestOperation(operation)) rememberAccess(memory, operation);
  else rememberRaw(memory, operation);
}

function rememberRaw(memory: ParentMemory, operation: RawOperation): void {
  if (!('device' in operation)) return;
  const { device } = operation;
  const told = mdevMemory(memory, device);
  if (operation.kind === 'vfio.open' && !told.isGone) told.descriptors++;
  if (told.descriptors === 0) return;
  if (operation.kind === 'vfio.close') {
    told.descriptors--;
    if (told.descriptors === 0) close(memory, device);
  }
  if (operation.kind === 'vfio.setIrqs') rememberSetIrqs(memory, operation);
  if (operation.kind === 'vfio.reset') forgetGuest(memory, device);
}

function rememberSetIrqs(memory: ParentMemory, operation: VfioSetIrqs): void {
  const { device, index, start, count, data, flags } = operation;
  if (index !== VFIO_PCI_MSIX_IRQ_INDEX) return;
  if (isDisable(operation)) {
    disarmAll(memory, device);
    return;
  }
  const told = mdevMemory(memory, device);
  const isWhole = flags === TRIGGER_EVENTFD && count === data.length && start + count <= told.size;
  if (!isWhole || operation.argsz !== undefined || operation.unreadable !== undefined) return;
  if (!told.isSetUp && !memory.config.host.dynamicMsix && start + count !== told.size) return;
  setUp(memory, device);
  if (!told.isSetUp) return;
  const isGiven = data.every((element) => element !== 'bad' && element !== 'notEventfd');
  for (const [place, element] of data.entries()) {
    if (isGiven && isEventfdName(element)) arm(memory, device, start + place);
    else disarm(memory, device, start + place);
  }
}

function setUp(memory: ParentMemory, device: number): void {
  const told = mdevMemory(memory, device);
  if (told.isSetUp) return;
  const { mdev, parent } = memory.config;
  if (mdev.allocation !== 'per-vector') {
    const free = memory.entries.filter((place) => place === NOBODY).length;
    if (told.size - 1 > Math.min(free, parent.quota)) return;
    for (let vector = 1; vector < told.size; vector++) takeEntry(memory, device, vector);
  }
  told.isSetUp = true;
}

function arm(memory: ParentMemory, device: number, vector: number): void {
  const told = mdevMemory(memory, device);
  if (vector >= told.size || !told.isAttached) return;
  const pasid = wanted(memory, device, vector);
  if (pasid === undefined && memory.config.mdev.noTranslation === 'fail') {
    disarm(memory, device, vector);
    return;
  }
  told.armed.add(vector);
  if (vector > 0) takeEntry(memory, device, vector);
  carry(told, vector, pasid);
  const handle = told.told.get(vector);
  if (handle !== undefined && handle !== entryOf(memory, device, vector)) told.told.delete(vector);
}

/** The guest PASID that a vector's entry is to carry, 0 for the default one, or undefined where there is none. */
function wanted(memory: ParentMemory, device: number, vector: number): number | undefined {
  const { config, bound } = memory;
  const { perms, vm } = mdevMemory(memory, device);
  const pasid = perms.get(vector);
  if (pasid === undefined || bound.get(vm)?.has(pasid) === true) return pasid ?? 0;
  return config.mdev.noTranslation === 'default' ? 0 : undefined;
}

function carry({ carried }: MdevMemory, vector: number, pasid: number | undefined): void {
  if (pasid === undefined) carried.delete(vector);
  else carried.set(vector, pasid);
}

/** The driver looks at MSIX_PERM again. */
function synchronise(memory: ParentMemory, device: number, vector: number): void {
  const told = mdevMemory(memory, device);
  if (told.armed.has(vector)) carry(told, vector, wanted(memory, device, vector));
}

function takeEntry(memory: ParentMemory, device: number, vector: number): void {
  const { entries, config } = memory;
  if (entryOf(memory, device, vector) !== undefined) return;
  const own = entries.filter((place) => place !== NOBODY && deviceOfPlace(place) === device).length;
  const entry = freeEntry(memory);
  if (entry !== undefined && own < config.parent.quota) entries[entry] = placeOf(device, vector);
}

function disarm(memory: ParentMemory, device: number, vector: number): void {
  const told = mdevMemory(memory, device);
  told.armed.delete(vector);
  told.carried.delete(vector);
  if (memory.config.mdev.allocation !== 'per-vector') return;
  const entry = entryOf(memory, device, vector);
  if (entry !== undefined) memory.entries[entry] = NOBODY;
}

function disarmAll(memory: ParentMemory, device: number): void {
  const { entries } = memory;
  const told = mdevMemory(memory, device);
  told.armed.clear();
  told.carried.clear();
  told.isSetUp = false;
  for (const [entry, place] of entries.entries()) {
    if (place !== NOBODY && deviceOfPlace(place) === device) entries[entry] = NOBODY;
  }
}

/** What the guest has written is gone, and its queues are empty. */
function forgetGuest(memory: ParentMemory, device: number): void {
  const told = mdevMemory(memory, device);
  told.perms.clear();
  told.unmasked.clear();
  told.told.clear();
  for (const vector of told.armed) told.carried.set(vector, 0);
  stopQueues(memory, device);
}

function stopQueues({ inFlight }: ParentMemory, device: number): void {
  for (const [descriptor, flight] of inFlight) if (flight.device === device) inFlight.delete(descriptor);
}

function close(memory: ParentMemory, device: number): void {
  mdevMemory(memory, device).descriptors = 0;
  forgetGuest(memory, device);
  disarmAll(memory, device);
}

function detach(memory: ParentMemory, device: number): void {
  const told = mdevMemory(memory, device);
  told.isAttached = false;
  stopQueues(memory, device);
  disarmAll(memory, device);
  const isVmLeft = memory.mdevs.some(({ vm, isAttached }) => vm === told.vm && isAttached);
  if (!isVmLeft) memory.bound.get(told.vm)?.clear();
}

/** The table of a guest. With a VMM it is what decides about triggers. */
function rememberAccess(memory: ParentMemory, operation: GuestOperation): void {
  const told = mdevMemory(memory, operation.device);
  if (told.descriptors === 0) return;
  switch (operation.kind) {
    case 'guest.mask':
      told.unmasked.delete(operation.vector);
      return;
    case 'guest.unmask':
      rememberUnmask(memory, operation.device, operation.vector);
      return;
    case 'guest.tableWrite': {
      const control = writtenVectorControl(operation);
      if (control === undefined) return;
      if (control % 2 === 0) rememberUnmask(memory, operation.device, operation.vector);
      else told.unmasked.delete(operation.vector);
      return;
    }
    case 'guest.msixControl':
      rememberEnable(memory, operation.device, operation.enable);
      return;
    case 'guest.configWrite': {
      const control = writtenControl(operation);
      if (control !== undefined) rememberEnable(memory, operation.device, control.enable);
      return;
    }
    case 'guest.reset':
      forgetGuest(memory, operation.device);
      disarmAll(memory, operation.device);
      return;
    case 'guest.tableRead':
    case 'guest.readPba':
    case 'guest.busMaster':
      return;
  }
}

function rememberUnmask(memory: ParentMemory, device: number, vector: number): void {
  const told = mdevMemory(memory, device);
  if (vector >= told.size) return;
  if (!told.unmasked.has(vector) && memory.config.mdev.permSync !== 'atEnable') synchronise(memory, device, vector);
  told.unmasked.add(vector);
  if (memory.config.vmm !== undefined && told.isSetUp) arm(memory, device, vector);
}

function rememberEnable(memory: ParentMemory, device: number, enable: boolean): void {
  const told = mdevMemory(memory, device);
  if (!enable) disarmAll(memory, device);
  if (!enable || told.isSetUp) return;
  setUp(memory, device);
  // The guest of a VMM has turned it on, whatever the host could give.
  told.isSetUp = true;
  const isAll = memory.config.vmm?.allocation === 'all-at-enable';
  for (let vector = 0; vector < told.size; vector++) {
    if (isAll || told.unmasked.has(vector)) arm(memory, device, vector);
  }
}

function rememberMdev(memory: ParentMemory, operation: MdevOperation): void {
  switch (operation.kind) {
    case 'guest.msixPerm':
    case 'guest.bindPasid':
    case 'guest.freePasid':
    case 'guest.requestHandle':
    case 'guest.releaseHandle':
    case 'guest.submit':
      if (mdevMemory(memory, operation.device).descriptors > 0) rememberGuestMdev(memory, operation);
      return;
    case 'device.start':
      rememberStart(memory, operation.descriptor);
      return;
    case 'device.complete':
    case 'device.armDescriptor':
      memory.inFlight.delete(operation.descriptor);
      return;
    case 'host.createMdev':
      mdevMemory(memory, operation.device).isGone = false;
      return;
    case 'host.removeMdev':
      close(memory, operation.device);
      detach(memory, operation.device);
      mdevMemory(memory, operation.device).isGone = true;
      return;
    case 'host.attach':
      mdevMemory(memory, operation.device).isAttached = !mdevMemory(memory, operation.device).isGone;
      return;
    case 'host.detach':
      detach(memory, operation.device);
      return;
    case 'host.crash':
      for (const [device, { vm }] of memory.mdevs.entries()) {
        if (vm !== operation.vm) continue;
        close(memory, device);
        detach(memory, device);
      }
      return;
  }
}

type GuestMdev = Extract<MdevOperation, { readonly kind: `guest.${string}` }>;

function rememberGuestMdev(memory: ParentMemory, operation: GuestMdev): void {
  const told = mdevMemory(memory, operation.device);
  const bound = memory.bound.get(told.vm);
  switch (operation.kind) {
    case 'guest.msixPerm':
      if (operation.pasidEnable) told.perms.set(operation.vector, operation.pasid);
      else told.perms.delete(operation.vector);
      if (memory.config.mdev.permSync === 'immediate') synchronise(memory, operation.device, operation.vector);
      return;
    case 'guest.bindPasid':
      rememberBind(memory, told, operation.pasid);
      return;
    case 'guest.freePasid':
      bound?.delete(operation.pasid);
      forgetPasid(memory, told.vm, operation.pasid);
      return;
    case 'guest.requestHandle': {
      const entry = entryOf(memory, operation.device, operation.vector);
      if (entry !== undefined && operation.ims === undefined) told.told.set(operation.vector, entry);
      return;
    }
    case 'guest.releaseHandle':
      rememberRelease(memory, told, operation.operand);
      return;
    case 'guest.submit':
      if (told.isAttached) rememberSubmit(memory, operation);
      return;
  }
}

/** 0 is none, and more than 20 bits are too many. */
function isPasid(pasid: number): boolean {
  return pasid > 0 && pasid <= PASID_MAX;
}

function rememberBind(memory: ParentMemory, { viommu, isAttached, vm }: MdevMemory, pasid: number): void {
  const isGranted = viommu && isAttached && isPasid(pasid) && pasidsInUse(memory) < memory.config.parent.pasids;
  if (!isGranted) return;
  memory.bound.get(vm)?.add(pasid);
  if (memory.config.mdev.permSync !== 'immediate') return;
  for (const [device, { vm: own, perms }] of memory.mdevs.entries()) {
    if (own !== vm) continue;
    for (const [vector, named] of perms) if (named === pasid) synchronise(memory, device, vector);
  }
}

/** The entries that carry it are closed. */
function forgetPasid({ mdevs }: ParentMemory, vm: number, pasid: number): void {
  for (const { vm: own, carried } of mdevs) {
    if (own !== vm || pasid === 0) continue;
    for (const [vector, named] of carried) if (named === pasid) carried.delete(vector);
  }
}

function rememberRelease({ config }: ParentMemory, { told }: MdevMemory, operand: number): void {
  const isVector = config.mdev.releaseBy === 'index';
  const vector = isVector ? operand : [...told].find(([, handle]) => handle === operand)?.[0];
  if (vector !== undefined) told.delete(vector);
}

function rememberSubmit({ inFlight }: ParentMemory, { descriptor, device, handle, rci }: GuestSubmit): void {
  if (inFlight.has(descriptor)) return;
  inFlight.set(descriptor, { device, handle, rci: rci !== false, isStarted: false });
}

/** One that names the entry of another VM, or of nobody, is soon over. */
function rememberStart(memory: ParentMemory, descriptor: number): void {
  const flight = memory.inFlight.get(descriptor);
  if (flight === undefined) return;
  const place = memory.entries[flight.handle] ?? NOBODY;
  const isOwn =
    place !== NOBODY && mdevMemory(memory, deviceOfPlace(place)).vm === mdevMemory(memory, flight.device).vm;
  if (isOwn || !flight.rci) flight.isStarted = true;
  else memory.inFlight.delete(descriptor);
}
