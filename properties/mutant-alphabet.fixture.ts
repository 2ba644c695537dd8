import { type Operation, type PciFunction, parseOperation, WINDOWS } from '#vocabulary';

/** Vectors 0 and 1, or 0 and the last of a larger table. */
function vectorsOf({ msixVectors }: PciFunction): readonly number[] {
  return [...new Set([0, Math.max(1, msixVectors - 1)])];
}

const SET = 'vfio.setIrqs MSIX EVENTFD|TRIGGER';

/** What a user of vfio can do to a function of two vectors, one of each sort. */
export function rawAlphabet(pciFunction: PciFunction): readonly Operation[] {
  const vectors = vectorsOf(pciFunction);
  return [
    ...[`${SET} 0+1 [e0]`, `${SET} 1+1 [e0]`, `${SET} 1+1 [e1]`, `${SET} 0+2 [e0 e0]`],
    ...[`${SET} 0+1 [-1]`, `${SET} 1+1 [-1]`, `${SET} 0+1 [bad]`, `${SET} 0+2 [bad e0]`, `${SET} 0+2 [e0 bad]`],
    ...['vfio.setIrqs MSIX NONE|TRIGGER 0+0 []', 'vfio.setIrqs MSIX NONE|TRIGGER 0+1 []'],
    ...['EVENTFD|TRIGGER 0+1 [e1]', 'NONE|TRIGGER 0+1 []'].map((words) => `vfio.setIrqs REQ ${words}`),
    ...(pciFunction.intx === undefined
      ? []
      : ['EVENTFD|TRIGGER 0+1 [e0]', 'EVENTFD|TRIGGER 0+1 [-1]', 'NONE|TRIGGER 0+1 []'].map(
          (words) => `vfio.setIrqs INTX ${words}`,
        )),
    ...vectors.flatMap((vector) => [`device.raise ${vector}`, `device.arm ${vector} teardown-gap`]),
    ...['vfio.open', 'vfio.close', 'host.limitVectors 0', 'host.failAllocation 1'],
  ].map(parseOperation);
}

/** What a guest of two vectors, its device and its host can do. */
export function guestAlphabet(pciFunction: PciFunction): readonly Operation[] {
  return [
    ...['enable', 'enable function-mask', 'disable'].map((words) => `guest.msixControl ${words}`),
    ...vectorsOf(pciFunction).flatMap((vector) => [
      ...[`guest.mask ${vector}`, `guest.unmask ${vector}`, `device.raise ${vector}`],
      ...WINDOWS.map((window) => `device.arm ${vector} ${window}`),
    ]),
    // A message; with its mask; with the message unmasked; bits that mean nothing.
    ...['+0/4 0x0', '+8/8 0x0 high=0x1', '+8/8 0x0', '+12/4 0x2'].map((words) => `guest.tableWrite 0 ${words}`),
    ...['guest.busMaster disable', 'guest.reset', 'host.limitVectors 0', 'host.limitVectors 1'],
    'host.failAllocation 1',
  ].map(parseOperation);
}

/** All sequences of so many operations. */
export function* sequences(alphabet: readonly Operation[], length: number): Generator<readonly Operation[]> {
  if (length === 0) yield [];
  else for (const first of sequences(alphabet, length - 1)) for (const last of alphabet) yield [...first, last];
}
