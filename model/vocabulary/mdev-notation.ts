import type { MdevOperation } from './mdev-operation.ts';
import {
  type Descriptor,
  type HostPasid,
  IMS_IGNORE,
  IMS_MASK,
  IMS_PASID_ENABLE,
  IMS_PENDING,
  type ImsEntry,
  type MdevState,
  type MsixPerm,
  PASID_SHIFT,
} from './parent.ts';
import { WINDOWS } from './window.ts';
import type { Words } from './words.ts';

/** The arguments of an operation on an mdev, such as `1 on 5`. `parseMdevArguments` reads them back. */
export function printMdevArguments(operation: MdevOperation): string {
  switch (operation.kind) {
    case 'guest.msixPerm': {
      const { vector, pasidEnable, pasid, ignore } = operation;
      return ` ${vector} ${pasidEnable ? 'on' : 'off'} ${pasid}${ignore ? ' ignore' : ''}`;
    }
    case 'guest.bindPasid':
    case 'guest.freePasid':
      return ` ${operation.pasid}`;
    case 'guest.requestHandle':
      return ` ${operation.vector}${operation.ims === true ? ' ims' : ''}`;
    case 'guest.releaseHandle':
      return ` ${operation.operand}`;
    case 'guest.submit': {
      const { descriptor, queue, pasid, handle, rci } = operation;
      return ` ${descriptor} ${queue} ${pasid} handle=${handle}${rci === false ? ' no-rci' : ''}`;
    }
    case 'device.start':
    case 'device.complete':
      return ` ${operation.descriptor}`;
    case 'device.armDescriptor':
      return ` ${operation.descriptor} ${operation.window}`;
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
      return '';
    case 'host.crash':
      return ` ${operation.vm}`;
  }
}

/** @throws NotationError */
export function parseMdevArguments(kind: MdevOperation['kind'], words: Words): MdevOperation {
  switch (kind) {
    case 'guest.msixPerm': {
      const vector = words.number('a vector');
      const pasidEnable = words.oneOf('on or off', ['on', 'off']) === 'on';
      const pasid = words.number('a PASID');
      const ignore = words.optional(/^ignore$/) !== undefined;
      return { kind, device: words.device(), vector, pasidEnable, pasid, ignore };
    }
    case 'guest.bindPasid':
    case 'guest.freePasid': {
      const pasid = words.number('a PASID');
      return { kind, device: words.device(), pasid };
    }
    case 'guest.requestHandle': {
      const vector = words.number('a vector');
      const ims = words.optional(/^ims$/) === undefined ? {} : { ims: true as const };
      return { kind, device: words.device(), vector, ...ims };
    }
    case 'guest.releaseHandle': {
      const operand = words.number('a vector or a handle');
      return { kind, device: words.device(), operand };
    }
    case 'guest.submit': {
      const descriptor = words.number('a descriptor');
      const queue = words.oneOf('dedicated or shared', ['dedicated', 'shared']);
      const pasid = words.number('a PASID');
      const handle = Number(words.matching(/^handle=(\d+)$/, 'handle=N')[1]);
      const rci = words.optional(/^no-rci$/) === undefined ? {} : { rci: false as const };
      return { kind, device: words.device(), descriptor, queue, pasid, handle, ...rci };
    }
    case 'device.start':
    case 'device.complete':
      return { kind, descriptor: words.number('a descriptor') };
    case 'device.armDescriptor': {
      const descriptor = words.number('a descriptor');
      const window = words.oneOf('a window', WINDOWS);
      return { kind, device: words.device(), descriptor, window };
    }
    case 'host.createMdev':
    case 'host.removeMdev':
    case 'host.attach':
    case 'host.detach':
      return { kind, device: words.device() };
    case 'host.crash':
      return { kind, vm: words.number('a VM') };
  }
}

/** An IMS entry in words: `entry 0 of @1.2: masked pending pasid 3 irq 0x901`, or `entry 0 free: masked`. */
export function printImsEntry({ entry, control, data, device, vector, handle }: ImsEntry): string {
  const owner = device === -1 ? 'free' : `of @${device}.${vector}`;
  const words = [
    (control & IMS_MASK) === 0 ? 'unmasked' : 'masked',
    ...((control & IMS_PENDING) === 0 ? [] : ['pending']),
    ...((control & IMS_IGNORE) === 0 ? [] : ['ignore']),
    ...printPasidField(control),
    ...(data === 0 ? [] : [`irq 0x${data.toString(16)}`]),
    ...(handle ? ['handle'] : []),
  ];
  return `entry ${entry} ${owner}: ${words.join(' ')}`;
}

function printPasidField(control: number): string[] {
  const pasid = control >>> (PASID_SHIFT & 31);
  if ((control & IMS_PASID_ENABLE) !== 0) return [`pasid ${pasid}`];
  return pasid === 0 ? [] : [`disabled pasid ${pasid}`];
}

/** A host PASID in words: `pasid 3 active, guest 5 of VM 0, 2 references`. */
export function printHostPasid({ pasid, state, vm, guest, references }: HostPasid): string {
  if (state === 'free') return `pasid ${pasid} free`;
  const what = guest === 0 ? 'default' : `guest ${guest}`;
  return `pasid ${pasid} ${state}, ${what} of VM ${vm}, ${references} reference${references === 1 ? '' : 's'}`;
}

/** An mdev in words: `open, default pasid 2`. */
export function printMdevState({ life, defaultPasid }: MdevState): string {
  return `${life}, ${defaultPasid === 0 ? 'not attached' : `default pasid ${defaultPasid}`}`;
}

/** MSIX_PERM in words: `guest pasid 5 ignore`, or `off` where it says nothing. */
export function printMsixPerm({ value }: MsixPerm): string {
  const pasid = value >>> (PASID_SHIFT & 31);
  const isEnabled = (value & IMS_PASID_ENABLE) !== 0;
  const words = [
    ...(isEnabled ? [`guest pasid ${pasid}`] : pasid === 0 ? [] : [`disabled guest pasid ${pasid}`]),
    ...((value & IMS_IGNORE) === 0 ? [] : ['ignore']),
  ];
  return words.length === 0 ? 'off' : words.join(' ');
}

/** A descriptor in words: `started on @1 with pasid 3 for entry 0`, or `over`. */
export function printDescriptor({ phase, device, pasid, entry }: Descriptor): string {
  if (phase === 'over') return phase;
  return `${phase} on @${device} with pasid ${pasid}${entry === -1 ? '' : ` for entry ${entry}`}`;
}
