import {
  type Config,
  type DeviceArm,
  isGuestOperation,
  type Operation,
  type PciFunction,
  parseOperation,
  printOperation,
  WINDOWS,
} from '#vocabulary';

/** What is tried in every state. */
export interface Alphabet {
  readonly plain: readonly Operation[];
  /** What is tried with one event in a window of the reaction, where that opens. */
  readonly armed: readonly ArmedReaction[];
}

export interface ArmedReaction {
  readonly reaction: Operation;
  readonly device: number;
  readonly arms: readonly DeviceArm[];
}

/** The least by which everything that the machine of a Config does about its vectors can be reached. */
export function alphabetOf(config: Config): Alphabet {
  const words = config.devices.flatMap((device, place) =>
    wordsOf(config, device, place).map((line) => `${line} @${place}`),
  );
  const hardware = config.mdev === undefined ? [] : ['device.start 0', 'device.complete 0'];
  return alphabetFrom(config, [...words, ...hardware].map(parseOperation));
}

/**
 * An alphabet of given operations, each once. An armed event goes with each access of the guest to its device. One
 * whose window does not open happens right after that, so what can be armed is raised as well, given or not.
 */
export function alphabetFrom(config: Config, operations: readonly Operation[]): Alphabet {
  const arms = differentOf(operations.filter((operation) => operation.kind === 'device.arm'));
  const raises = arms.map(({ device, vector }): Operation => ({ kind: 'device.raise', device, vector }));
  const plain = differentOf([...operations.filter(({ kind }) => kind !== 'device.arm'), ...raises]);
  // Without a VMM nothing happens in a window that does not happen between two operations.
  if (config.vmm === undefined) return { plain, armed: [] };
  const armed = plain.filter(isGuestOperation).map(
    (reaction): ArmedReaction => ({
      reaction,
      device: reaction.device,
      arms: arms.filter(({ device }) => device === reaction.device),
    }),
  );
  return { plain, armed: armed.filter((one) => one.arms.length > 0) };
}

function differentOf<Some extends Operation>(operations: readonly Some[]): readonly Some[] {
  return [...new Map(operations.map((operation) => [printOperation(operation), operation])).values()];
}

function wordsOf(config: Config, device: PciFunction, place: number): readonly string[] {
  if (config.mdev !== undefined) return mdevWords(config, device, place);
  return config.vmm === undefined ? userWords(device) : guestWords(device);
}

/** What a guest writes that has it interrupted or not, and what its device does meanwhile. */
function guestWords({ msixVectors }: PciFunction): readonly string[] {
  const vectors = Array.from({ length: msixVectors }, (_, vector) => vector);
  return [
    ...['enable', 'enable function-mask', 'disable'].map((control) => `guest.msixControl ${control}`),
    ...vectors.flatMap((vector) => [`guest.mask ${vector}`, `guest.unmask ${vector}`, `device.raise ${vector}`]),
    ...vectors.flatMap((vector) => WINDOWS.map((window) => `device.arm ${vector} ${window}`)),
  ];
}

/** What the user of vfio asks of MSI-X: vectors one by one, all, more than there are, and each way to fail. */
function userWords({ msixVectors }: PciFunction): readonly string[] {
  const set = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
  const vectors = Array.from({ length: msixVectors }, (_, vector) => vector);
  const names = vectors.map((vector) => `e${vector}`);
  const ending = [...names.slice(0, -1), 'bad'];
  return [
    ...vectors.flatMap((vector) => [
      `${set} ${vector}+1 [e${vector}]`,
      `${set} ${vector}+1 [-1]`,
      `${set} ${vector}+1 [bad]`,
      `device.raise ${vector}`,
    ]),
    ...(msixVectors > 1 ? [`${set} 0+${msixVectors} [${names.join(' ')}]`] : []),
    ...(msixVectors > 1 ? [`${set} 0+${msixVectors} [${ending.join(' ')}]`] : []),
    `${set} 0+${msixVectors + 1} [${[...names, 'e99'].join(' ')}]`,
    'vfio.setIrqs MSIX NONE|TRIGGER 0+0 []',
    `vfio.setIrqs MSIX NONE|TRIGGER 0+${msixVectors} []`,
    'vfio.reset',
    'vfio.open',
    'vfio.close',
  ];
}

/**
 * What two guests do about their vectors and one descriptor that is in flight: little enough that it comes to an end.
 * The first guest has a PASID of its own, of which it tells its vector, and which it gives back. That has the number of
 * the default PASID of the second mdev, so that a number that is not translated is somebody else's. The other guests
 * submit with their default PASIDs. Each names any entry.
 */
function mdevWords({ parent }: Config, { msixVectors }: PciFunction, place: number): readonly string[] {
  const set = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';
  const vectors = Array.from({ length: msixVectors }, (_, vector) => vector).slice(1);
  const handles = Array.from({ length: parent?.entries ?? 0 }, (_, handle) => handle);
  const pasids = ['guest.msixPerm 1 on 2', 'guest.bindPasid 2', 'guest.freePasid 2'];
  const queue = place === 0 ? 'shared 2' : 'dedicated 0';
  return [
    ...vectors.flatMap((vector) => [
      `${set} ${vector}+1 [e${vector}]`,
      `${set} ${vector}+1 [-1]`,
      `guest.unmask ${vector}`,
    ]),
    ...(place === 0 ? pasids : []),
    ...handles.map((handle) => `guest.submit 0 ${queue} handle=${handle}`),
  ];
}
