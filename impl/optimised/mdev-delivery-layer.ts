import { hostIrq, IMS_IGNORE, IMS_MASK, PENDING } from '#vocabulary';
import { NONE } from './ims-table.ts';
import { MdevPasidLayer } from './mdev-pasid-layer.ts';
import { vectorOf } from './mdev-vectors.ts';

const FIRST_IRQ = hostIrq(0, 0);
const IRQS_OF_A_DEVICE = hostIrq(1, 0) - FIRST_IRQ;

/** How an interrupt comes from an entry to the eventfd of a vector, and what waits on the way. */
export abstract class MdevDeliveryLayer extends MdevPasidLayer {
  /** A descriptor that was checked against the entry is done (DSA 3.0, 5.4). */
  protected interrupt(entry: number): void {
    if (this.ims.has(entry, IMS_IGNORE)) return;
    if (this.ims.has(entry, IMS_MASK)) this.setKept(entry, true);
    else this.fire(entry);
  }

  /** The message of the entry is sent, as it is now. */
  protected fire(entry: number): void {
    const vector = this.vectorOfIrq(this.ims.data[entry] as number);
    if (vector !== NONE && this.hasTrigger(vector)) this.deliver(vector);
  }

  /** The vector whose interrupt on the host this is, or NONE. */
  protected vectorOfIrq(irq: number): number {
    const place = irq - FIRST_IRQ;
    if (place < 0) return NONE;
    const mdev = Math.floor(place / IRQS_OF_A_DEVICE);
    const vector = place % IRQS_OF_A_DEVICE;
    return mdev < this.mdevs.count && vector < this.vectorCount(mdev) ? vectorOf(mdev, vector) : NONE;
  }

  /** The handler of a vector with a trigger runs. */
  protected deliver(vector: number): void {
    if (this.isMasked(vector)) this.vectors.set(vector, PENDING);
    else this.signal(vector);
  }

  /** The driver has something to say on vector 0. */
  protected emulatedEvent(mdev: number): void {
    const vector = vectorOf(mdev, 0);
    if (this.hasTrigger(vector) && !this.isMasked(vector)) this.signal(vector);
    else this.vectors.set(vector, PENDING);
  }

  /**
   * What the driver has kept for a vector goes out, where it can.
   * @param hasFired the entry has just told of it
   */
  protected replay(vector: number, hasFired: boolean): void {
    if (!this.vectors.has(vector, PENDING) || this.isMasked(vector) || !this.hasTrigger(vector)) return;
    if (!hasFired) this.signal(vector);
    this.vectors.clear(vector, PENDING);
  }
}
