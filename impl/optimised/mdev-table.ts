import type { PciFunction } from '#vocabulary';
import { HarnessError } from '#vocabulary';
import { NumberSet } from './number-set.ts';
import { NO_PASID } from './pasid-table.ts';

// Lives of an mdev.
export const GONE = 0;
export const CREATED = 1;
export const OPEN = 2;

/** No mdev, at the end of the list of those of a VM. */
export const NO_MDEV = 0xffff;

/** The mdevs of one parent and the VMs they belong to, in columns. A VM is a place here: the order of the Config. */
export class MdevTable {
  count = 0;
  vmCount = 0;

  // These by mdev.
  /** GONE, CREATED or OPEN. */
  life = new Uint8Array(0);
  /** 1 where MSI-X is set up. */
  setUp = new Uint8Array(0);
  /** 1 where the VM has a virtual IOMMU. */
  viommu = new Uint8Array(0);
  /** Open device descriptors. */
  openCount = new Uint32Array(0);
  /** The default PASID; NO_PASID where it is not attached. */
  defaultPasid = new Uint32Array(0);
  /** Vectors, vector 0 among them. */
  vectorCount = new Uint16Array(0);
  /** Where its vectors begin in the columns of vectors. */
  firstVector = new Uint32Array(0);
  /** Entries that its vectors have. */
  entryCount = new Uint16Array(0);
  vm = new Uint16Array(0);
  /** The next mdev of the same VM, or NO_MDEV. */
  nextOfVm = new Uint16Array(0);
  reportedLife = new Uint8Array(0);
  reportedDefaultPasid = new Uint32Array(0);
  /** Mdevs of which anything has changed since the last observation, also of a vector. */
  readonly touched = new NumberSet();

  // These by VM, of which there are no more than mdevs.
  /** What the Config calls it. */
  vmNumber = new Float64Array(0);
  firstOfVm = new Uint16Array(0);
  /** How many of its mdevs are attached, and the default PASID that the one attached last has. */
  attachedCount = new Uint16Array(0);
  sharedPasid = new Uint32Array(0);
  readonly #places = new Map<number, number>();

  /** Every mdev is gone. The cost is that of the Config. */
  begin(devices: readonly PciFunction[]): void {
    this.count = devices.length;
    this.vmCount = 0;
    this.#places.clear();
    this.touched.clear();
    if (devices.length > this.life.length) this.#reserve(devices.length);
    let firstVector = 0;
    devices.forEach((device, mdev) => {
      this.#describe(mdev, device);
      this.firstVector[mdev] = firstVector;
      firstVector += device.msixVectors;
    });
    this.#listByVm();
  }

  #describe(mdev: number, { msixVectors, mdev: facts }: PciFunction): void {
    if (facts === undefined) throw new HarnessError(`device ${mdev} is not a mediated device`);
    this.life[mdev] = GONE;
    this.setUp[mdev] = 0;
    this.viommu[mdev] = Number(facts.viommu === true);
    this.openCount[mdev] = 0;
    this.defaultPasid[mdev] = NO_PASID;
    this.vectorCount[mdev] = msixVectors;
    this.entryCount[mdev] = 0;
    this.reportedLife[mdev] = GONE;
    this.reportedDefaultPasid[mdev] = NO_PASID;
    this.vm[mdev] = this.#vmOf(facts.vm);
  }

  /** The place of the VM, which is a new one when its first mdev comes. */
  #vmOf(number: number): number {
    const known = this.#places.get(number);
    if (known !== undefined) return known;
    const vm = this.vmCount;
    this.vmCount += 1;
    this.#places.set(number, vm);
    this.vmNumber[vm] = number;
    this.firstOfVm[vm] = NO_MDEV;
    this.attachedCount[vm] = 0;
    this.sharedPasid[vm] = NO_PASID;
    return vm;
  }

  /** From the last mdev to the first, so that each comes before those that its VM has already. */
  #listByVm(): void {
    for (let mdev = this.count - 1; mdev >= 0; mdev -= 1) {
      const vm = this.vm[mdev] as number;
      this.nextOfVm[mdev] = this.firstOfVm[vm] as number;
      this.firstOfVm[vm] = mdev;
    }
  }

  #reserve(count: number): void {
    this.life = new Uint8Array(count);
    this.setUp = new Uint8Array(count);
    this.viommu = new Uint8Array(count);
    this.openCount = new Uint32Array(count);
    this.defaultPasid = new Uint32Array(count);
    this.vectorCount = new Uint16Array(count);
    this.firstVector = new Uint32Array(count);
    this.entryCount = new Uint16Array(count);
    this.vm = new Uint16Array(count);
    this.nextOfVm = new Uint16Array(count);
    this.reportedLife = new Uint8Array(count);
    this.reportedDefaultPasid = new Uint32Array(count);
    this.vmNumber = new Float64Array(count);
    this.firstOfVm = new Uint16Array(count);
    this.attachedCount = new Uint16Array(count);
    this.sharedPasid = new Uint32Array(count);
    this.touched.reserve(count);
  }

  /** Bytes of all columns. */
  bytes(): number {
    const mdevs = [this.life, this.setUp, this.viommu, this.openCount, this.defaultPasid, this.vectorCount];
    const others = [this.firstVector, this.entryCount, this.vm, this.nextOfVm, this.reportedLife];
    const vms = [this.vmNumber, this.firstOfVm, this.attachedCount, this.sharedPasid];
    const columns = [...mdevs, ...others, ...vms, this.reportedDefaultPasid];
    return columns.reduce((sum, { byteLength }) => sum + byteLength, this.touched.bytes());
  }

  /** The place of a VM, or -1 for one without mdevs. */
  vmPlace(number: number): number {
    return this.#places.get(number) ?? -1;
  }

  /** How many vectors all mdevs have. */
  vectorsOfAll(): number {
    const last = this.count - 1;
    return last < 0 ? 0 : (this.firstVector[last] as number) + (this.vectorCount[last] as number);
  }

  setLife(mdev: number, life: number): void {
    this.life[mdev] = life;
    this.touched.add(mdev);
  }

  setSetUp(mdev: number, value: boolean): void {
    this.setUp[mdev] = Number(value);
    this.touched.add(mdev);
  }

  /** NO_PASID detaches it. */
  setDefaultPasid(mdev: number, pasid: number): void {
    const vm = this.vm[mdev] as number;
    const change = Number(pasid !== NO_PASID) - Number(this.defaultPasid[mdev] !== NO_PASID);
    this.attachedCount[vm] = (this.attachedCount[vm] as number) + change;
    if (pasid !== NO_PASID) this.sharedPasid[vm] = pasid;
    this.defaultPasid[mdev] = pasid;
    this.touched.add(mdev);
  }

  /** Whether life or default PASID is not as it was observed last. It counts as observed. */
  hasChanged(mdev: number): boolean {
    const life = this.life[mdev] as number;
    const pasid = this.defaultPasid[mdev] as number;
    if (life === this.reportedLife[mdev] && pasid === this.reportedDefaultPasid[mdev]) return false;
    this.reportedLife[mdev] = life;
    this.reportedDefaultPasid[mdev] = pasid;
    return true;
  }
}
