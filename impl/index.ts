import type { SystemFactory } from '#vocabulary';
import { referenceSystem } from '../model/reference.ts';
import { linuxFactory } from './linux/system.ts';
import { optimisedSystem } from './optimised/system.ts';

const IN_PROCESS: readonly SystemFactory[] = [
  { name: 'reference', readiness: () => ({ ready: true }), start: async () => referenceSystem() },
  { name: 'optimised', readiness: () => ({ ready: true }), start: async () => optimisedSystem() },
];

/** Real systems that go by a fixed name. */
const REAL = ['linux-6.1', 'linux-6.12'];

/** What `run` drives when no system is named: the implementation, and each real system. */
export const DEFAULT_SYSTEMS: readonly string[] = ['optimised', ...REAL];

/** Every system that has a name of its own. */
export const SYSTEM_NAMES: readonly string[] = [...IN_PROCESS.map(({ name }) => name), ...REAL];

/**
 * The system of a name, or undefined where there is none of that name.
 * @param modules folder with the modules of a kernel image, for `linux:PATH`
 */
export function systemFactory(name: string, modules?: string): SystemFactory | undefined {
  if (REAL.includes(name) || /^linux:./.test(name)) return linuxFactory(name, modules === undefined ? {} : { modules });
  return IN_PROCESS.find((factory) => factory.name === name);
}
