import type { GuestMsixPerm, GuestReleaseHandle, GuestSubmit, Operation } from '#vocabulary';
import { WINDOWS } from '#vocabulary';
import { drawEventfd } from './descriptors.ts';
import { flights } from './mdev-memory.ts';
import type { MdevKind } from './mdev-mix.ts';
import type { Scene } from './mdev-number.ts';
import {
  drawHandle,
  drawNewPasid,
  drawPasid,
  drawServed,
  drawServing,
  drawVector,
  freshDescriptor,
  hasServed,
  ownHandle,
  told,
} from './mdev-number.ts';
import { drawBeyondPasids } from './mdev-swarm.ts';
import { drawMdevIrqInfo, drawMdevSetIrqs } from './mdev-vfio.ts';
import { chance, pick } from './random.ts';

/** One operation on its own. */
export function drawMdevKind(scene: Scene, device: number, kind: MdevKind): Operation {
  const { random, swarm } = scene;
  switch (kind) {
    case 'vfio.open':
    case 'vfio.close':
    case 'vfio.reset':
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
      return { kind, device };
    case 'vfio.getIrqInfo':
      return drawMdevIrqInfo(scene, device);
    case 'vfio.setIrqs':
      return drawMdevSetIrqs(scene, device);
    case 'vfio.writeEventfd':
    case 'vfio.closeEventfd':
      return { kind, eventfd: drawEventfd(random, swarm) };
    case 'guest.mask':
    case 'guest.unmask':
      return { kind, device, vector: drawVector(scene, device) };
    case 'device.raise':
      return { kind, device, vector: chance(random, 85) ? 0 : drawVector(scene, device) };
    case 'host.failAllocation':
      return { kind, nth: random.nextInt(1, 3) };
    case 'guest.msixPerm':
      return drawPerm(scene, device, drawVector(scene, device));
    case 'guest.bindPasid':
      return { kind, device, pasid: chance(random, 4) ? drawBeyondPasids(random) : drawNewPasid(scene, device) };
    case 'guest.freePasid':
      return { kind, device, pasid: chance(random, 4) ? drawBeyondPasids(random) : drawPasid(scene, device) };
    case 'guest.requestHandle': {
      const ims = chance(random, 5) ? { ims: true as const } : {};
      return { kind, device, vector: drawVector(scene, device), ...ims };
    }
    case 'guest.releaseHandle':
      return drawRelease(scene, device);
    case 'guest.submit':
      return drawSubmit(scene, device);
    case 'device.start':
    case 'device.complete':
      return drawStep(scene, device, kind);
    case 'device.armDescriptor':
      return { kind, device, descriptor: drawDescriptor(scene, kind), window: pick(random, WINDOWS) };
    case 'host.crash':
      return { kind, vm: told(scene, device).vm };
  }
}

function drawPerm(scene: Scene, device: number, vector: number): GuestMsixPerm {
  const { random } = scene;
  const pasidEnable = chance(random, 75);
  const pasid = pasidEnable || chance(random, 20) ? drawPasid(scene, device) : 0;
  return { kind: 'guest.msixPerm', device, vector, pasidEnable, pasid, ignore: chance(random, 12) };
}

function drawRelease(scene: Scene, device: number): GuestReleaseHandle {
  const { random, memory } = scene;
  const handles = [...told(scene, device).told];
  const kind = 'guest.releaseHandle';
  if (handles.length === 0 || chance(random, 15)) return { kind, device, operand: drawVector(scene, device) };
  const [vector, handle] = pick(random, handles);
  return { kind, device, operand: memory.config.mdev.releaseBy === 'index' ? vector : handle };
}

/** Mostly what could succeed: a handle of its own, with the PASID that the vector has. */
function drawSubmit(scene: Scene, drawn: number): GuestSubmit {
  const { random, memory } = scene;
  const device = hasServed(scene, drawn) || chance(random, 35) ? drawn : drawServing(scene, drawn);
  const busy = flights(memory);
  const descriptor = busy.length > 0 && chance(random, 6) ? pick(random, busy) : freshDescriptor(scene);
  if (chance(random, 60)) return submission(scene, device, drawServed(scene, device), descriptor);
  const queue = pick(random, ['dedicated', 'shared'] as const);
  const pasid = queue === 'shared' || chance(random, 30) ? drawPasid(scene, device) : 0;
  const handle = drawHandle(scene, device);
  const kind = 'guest.submit';
  return chance(random, 10)
    ? { kind, device, descriptor, queue, pasid, handle, rci: false }
    : { kind, device, descriptor, queue, pasid, handle };
}

/** A descriptor that fits a vector as its guest knows it. */
export function submission(
  scene: Scene,
  device: number,
  vector: number,
  descriptor: number = freshDescriptor(scene),
): GuestSubmit {
  const { perms, carried } = told(scene, device);
  // What it should be, and sometimes what it will be.
  const named = chance(scene.random, 75) ? (carried.get(vector) ?? perms.get(vector)) : perms.get(vector);
  const known = named === 0 ? undefined : named;
  const handle = ownHandle(scene, device, vector);
  const isShared = known !== undefined || chance(scene.random, 15);
  const queue = isShared ? 'shared' : 'dedicated';
  const pasid = known ?? (isShared ? drawPasid(scene, device) : 0);
  return { kind: 'guest.submit', device, descriptor, queue, pasid, handle };
}

/** The next thing about a descriptor; where none can do it now, mostly what has to come before. */
function drawStep(scene: Scene, device: number, kind: 'device.start' | 'device.complete'): Operation {
  const queued = flights(scene.memory, ({ isStarted }) => !isStarted);
  const started = flights(scene.memory, ({ isStarted }) => isStarted);
  const isTooEarly = (kind === 'device.start' ? queued : started).length === 0;
  if (!isTooEarly || chance(scene.random, 30)) return { kind, descriptor: drawDescriptor(scene, kind) };
  const [first] = queued;
  return first === undefined ? drawSubmit(scene, device) : { kind: 'device.start', descriptor: first };
}

/** Mostly one that can do it now, and rarely one that is none. */
function drawDescriptor(
  { random, memory }: Scene,
  kind: 'device.start' | 'device.complete' | 'device.armDescriptor',
): number {
  const ready = flights(
    memory,
    ({ isStarted }) => kind === 'device.armDescriptor' || isStarted === (kind === 'device.complete'),
  );
  if (ready.length > 0 && !chance(random, 5)) return pick(random, ready);
  const all = flights(memory);
  return all.length > 0 && chance(random, 70) ? pick(random, all) : random.nextInt(0, 2);
}
