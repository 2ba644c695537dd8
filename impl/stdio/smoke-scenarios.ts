import {
  type Config,
  isAskable,
  type OperationKind,
  type PciFunction,
  parseOperation,
  type Scenario,
  type Support,
  type VmmTraits,
} from '#vocabulary';

/** One operation of each kind, all of them possible. */
const EXAMPLES: Readonly<Record<OperationKind, string>> = {
  'vfio.open': 'vfio.open',
  'vfio.close': 'vfio.close',
  'vfio.getIrqInfo': 'vfio.getIrqInfo MSIX',
  'vfio.setIrqs': 'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]',
  'vfio.reset': 'vfio.reset',
  'vfio.configWrite': 'vfio.configWrite busMaster 1',
  'vfio.configRead': 'vfio.configRead busMaster',
  'vfio.tableRead': 'vfio.tableRead 0',
  'vfio.tableWrite': 'vfio.tableWrite 0 1',
  'vfio.pbaRead': 'vfio.pbaRead 0',
  'vfio.mapBar': 'vfio.mapBar',
  'vfio.unmapBar': 'vfio.unmapBar',
  'vfio.writeEventfd': 'vfio.writeEventfd e0',
  'vfio.closeEventfd': 'vfio.closeEventfd e0',
  'device.raise': 'device.raise 0',
  'device.arm': 'device.arm 0 teardown-gap',
  'device.assertIntx': 'device.assertIntx',
  'device.deassertIntx': 'device.deassertIntx',
  'device.wipe': 'device.wipe',
  'host.limitVectors': 'host.limitVectors 1',
  'host.failAllocation': 'host.failAllocation 1',
  'guest.msixControl': 'guest.msixControl enable',
  'guest.configWrite': 'guest.configWrite +3/1 0x80',
  'guest.mask': 'guest.mask 0',
  'guest.unmask': 'guest.unmask 0',
  'guest.tableWrite': 'guest.tableWrite 0 +12/4 0x0',
  'guest.tableRead': 'guest.tableRead 0 +12',
  'guest.readPba': 'guest.readPba 0',
  'guest.busMaster': 'guest.busMaster enable',
  'guest.reset': 'guest.reset',
  'guest.msixPerm': 'guest.msixPerm 0 on 1',
  'guest.bindPasid': 'guest.bindPasid 1',
  'guest.freePasid': 'guest.freePasid 1',
  'guest.requestHandle': 'guest.requestHandle 0',
  'guest.releaseHandle': 'guest.releaseHandle 0',
  'guest.submit': 'guest.submit 0 dedicated 0 handle=0',
  'device.start': 'device.start 0',
  'device.complete': 'device.complete 0',
  'device.armDescriptor': 'device.armDescriptor 0 after-set',
  'host.createMdev': 'host.createMdev',
  'host.removeMdev': 'host.removeMdev',
  'host.attach': 'host.attach',
  'host.detach': 'host.detach',
  'host.crash': 'host.crash 0',
};

/** Triggers come, fire and go, and something of it is left at the end. */
const LIVELY: readonly string[] = [
  'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+2 [e0 e1]',
  'device.raise 0',
  'vfio.setIrqs MSIX NONE|TRIGGER 0+2 []',
  'guest.unmask 0',
  'guest.msixControl enable',
  'device.raise 0',
  'guest.mask 0',
  'device.raise 0',
  'vfio.getIrqInfo MSIX',
  'vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [-1]',
  'device.raise 0',
  'vfio.setIrqs MSIX EVENTFD|TRIGGER 1+1 [bad]',
];

const HOST: Config['host'] = { dynamicMsix: true, rangeCheck: 'vector-by-vector', belowMinusOne: 'refused' };
const VMM: VmmTraits = { allocation: 'as-irq-info-says', delivery: 'userspace' };
const PLAIN: PciFunction = { msixVectors: 4, whileOff: 'latches' };

/** Machines that a harness says it can be, the plainest first. */
function machines({ operations, functions, vmm }: Support): readonly Config[] {
  const device = functions === 'any' ? PLAIN : plainest(functions);
  const raw: Config = { host: HOST, devices: [device] };
  const traits = vmm === 'configured' ? VMM : vmm === 'none' ? undefined : vmm;
  const mdev: Config = {
    host: HOST,
    mdev: {
      allocation: 'per-vector',
      permSync: 'atEnable',
      noTranslation: 'fail',
      defaultPasid: 'per-mdev',
      releaseBy: 'index',
    },
    parent: { entries: 8, pasids: 8, quota: 4, handles: 'requested' },
    devices: [{ msixVectors: 4, whileOff: 'drops', reset: true, mdev: { vm: 0, viommu: true } }],
  };
  const bases = operations.has('guest.submit') ? [raw, mdev] : [raw];
  const alone = typeof vmm === 'object' ? [] : bases;
  return traits === undefined ? alone : [...alone, ...bases.map((base) => ({ ...base, vmm: traits }))];
}

function plainest(functions: readonly PciFunction[]): PciFunction {
  const order = (one: PciFunction): number => Object.keys(one).length * 4096 + one.msixVectors;
  const withTable = functions.filter(({ msixVectors }) => msixVectors > 1);
  return (
    [...(withTable.length > 0 ? withTable : functions)].sort((left, right) => order(left) - order(right))[0] ?? PLAIN
  );
}

/** One operation of a kind on a machine that it can be asked of; undefined where there is none. */
export function exampleOf(kind: OperationKind, support: Support): Scenario | undefined {
  const config = machines(support).find((machine) => isAskable(machine, kind));
  return config === undefined ? undefined : { config, operations: [parseOperation(EXAMPLES[kind])] };
}

/** What a harness can be asked of what interrupts are about, on the plainest machine it can be. */
export function livelyScenario(support: Support): Scenario {
  const [config = { host: HOST, devices: [PLAIN] }] = machines(support);
  const operations = LIVELY.map(parseOperation).filter(
    ({ kind }) => support.operations.has(kind) && isAskable(config, kind),
  );
  return { config, operations };
}

/** A machine of one device more than a harness says it can have. */
export function tooManyDevices(support: Support): Scenario {
  const { config, operations } = livelyScenario(support);
  const [device = PLAIN] = config.devices;
  return { config: { ...config, devices: Array.from({ length: support.devicesMax + 1 }, () => device) }, operations };
}
