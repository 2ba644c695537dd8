import type { GuestOperation, Outcome } from '#vocabulary';
import { HarnessError, MSIX_ENTRY_BYTES } from '#vocabulary';
import type { Guest } from './guest.ts';
import { ADDRESS, CONTROL, DATA, HIGH } from './guest-table.ts';
import { EINVAL, OK } from './outcomes.ts';
import { VectorLayer } from './vector-layer.ts';

/** The byte of the MSI-X capability that holds the upper half of Message Control, and the bits in it. */
const CONTROL_BYTE = 3;
const CONTROL_OFFSET = 2;
const CONTROL_WIDTH = 2;
const MSIX_ENABLE = 0x80;
const MSIX_FUNCTION_MASK = 0x40;
/** The widest access that reaches a region of memory whole. */
const ACCESS_MAX = 8;
const WORD_BYTES = 4;
const VECTOR_MASKED = 1;

/** What a guest sees of its device: the MSI-X structures that the VMM emulates, its main loop, and a reset. */
export abstract class GuestLayer extends VectorLayer {
  protected guest(place: number): Guest {
    const guest = this.guests[place];
    if (guest === undefined) throw new HarnessError(`the scenario shows no device ${place}`);
    return guest;
  }

  /** A guest's operation, what the VMM does about it, and what was armed for it. */
  protected answerGuest(operation: GuestOperation): Outcome {
    const guest = this.guest(operation.device);
    const outcome = this.access(guest, operation);
    this.endReaction(guest);
    return outcome;
  }

  /** The main loop sees what has come of it. What was armed and has not happened in a window happens now. */
  protected endReaction(guest: Guest): void {
    this.runMainLoop(guest);
    const { device } = guest;
    for (let place = 0; place < device.armedCount; place += 1) {
      this.happen(device, device.armedVectors[place] as number, null);
      this.runMainLoop(guest);
    }
    device.armedCount = 0;
  }

  /** The function raises while no reaction runs, and the main loop sees what comes of it. */
  protected raiseAlone(guest: Guest, vector: number): void {
    this.raise(guest.device, vector, null);
    this.runMainLoop(guest);
  }

  protected access(guest: Guest, operation: GuestOperation): Outcome {
    switch (operation.kind) {
      case 'guest.msixControl': {
        const bits = (operation.enable ? MSIX_ENABLE : 0) | (operation.functionMask ? MSIX_FUNCTION_MASK : 0);
        return this.configAccess(guest, CONTROL_OFFSET, CONTROL_WIDTH, bits << 8);
      }
      case 'guest.configWrite':
        return this.configAccess(guest, operation.offset, operation.width, operation.value);
      case 'guest.mask':
        return this.tableAccess(guest, operation.vector, WORD_BYTES * CONTROL, WORD_BYTES, VECTOR_MASKED, 0);
      case 'guest.unmask':
        return this.tableAccess(guest, operation.vector, WORD_BYTES * CONTROL, WORD_BYTES, 0, 0);
      case 'guest.tableWrite': {
        const { vector, offset, width, value, high = 0 } = operation;
        return this.tableAccess(guest, vector, offset, width, value, high);
      }
      case 'guest.tableRead':
        return this.msixTableMmioRead(guest, operation.vector, operation.offset);
      case 'guest.readPba':
        return this.msixPbaMmioRead(guest, operation.vector);
      case 'guest.busMaster':
        guest.busMaster = operation.enable;
        return this.configWrite(guest.device, 'busMaster', Number(operation.enable));
      case 'guest.reset':
        this.vfioPciReset(guest);
        return OK;
    }
  }

  /** vfio_pci_write_config, QEMU 7.2 and 10.0. vfio-pci ignores what is forwarded of the MSI-X capability. */
  protected configAccess(guest: Guest, offset: number, width: number, value: number): Outcome {
    if (guest.device.msixVectors === 0 || CONTROL_BYTE < offset || CONTROL_BYTE >= offset + width) return OK;
    const place = 8 * (CONTROL_BYTE - offset);
    const byte = (value >>> (place & 31)) & 0xff;
    const wasEnabled = guest.enable;
    guest.enable = (byte & MSIX_ENABLE) !== 0;
    guest.functionMask = (byte & MSIX_FUNCTION_MASK) !== 0;
    this.msixWriteConfig(guest);
    if (guest.enable && !wasEnabled) this.vfioMsixEnable(guest);
    else if (!guest.enable && wasEnabled) this.vfioMsixDisable(guest);
    return OK;
  }

  /** msix_write_config, QEMU 7.2 and 10.0. Entries that are masked themselves do not change. */
  protected msixWriteConfig(guest: Guest): void {
    const wasMasked = guest.functionMasked;
    guest.functionMasked = !guest.enable || guest.functionMask;
    if (!guest.enable || guest.functionMasked === wasMasked) return;
    const { unmasked } = guest.table;
    for (let vector = unmasked.next(0); vector !== -1; vector = unmasked.next(vector + 1))
      this.msixHandleMaskUpdate(guest, vector, wasMasked);
  }

  /** msix_handle_mask_update, QEMU 7.2 and 10.0. What is pending is sent after the vector has been put to use. */
  protected msixHandleMaskUpdate(guest: Guest, vector: number, wasMasked: boolean): void {
    const isMasked = guest.isMasked(vector);
    if (isMasked === wasMasked) return;
    if (guest.hasNotifiers && isMasked) this.vfioMsixVectorRelease(guest, vector);
    else if (guest.hasNotifiers) this.vfioMsixVectorUse(guest, vector);
    if (isMasked || !guest.isPending(vector)) return;
    guest.clearPending(vector);
    this.guestMsixNotify(guest, vector);
  }

  /** msix_notify, QEMU 7.2 and 10.0, for the guest; without Bus Master Enable the message goes nowhere. */
  protected guestMsixNotify(guest: Guest, vector: number): void {
    if (!guest.used.has(vector)) return;
    if (guest.isMasked(vector)) guest.setPending(vector);
    else if (guest.busMaster) this.sendTableMessage(guest, vector);
  }

  /** msi_send_message, QEMU 7.2 and 10.0: as the table is now. */
  protected sendTableMessage({ device, table }: Guest, vector: number): void {
    const address = table.read(vector, ADDRESS);
    this.traces.message(device.place, address, table.read(vector, HIGH), table.read(vector, DATA));
  }

  /**
   * The main loop comes round. It looks at one device: nothing that happens to one makes an eventfd of another ready.
   * Counts without a handler stay.
   */
  protected runMainLoop(guest: Guest): void {
    const { waiting, handled } = guest;
    for (let vector = waiting.next(0); vector !== -1; vector = waiting.next(vector + 1)) {
      if (!handled.has(vector)) continue;
      waiting.delete(vector);
      this.vfioMsiInterrupt(guest, vector);
    }
  }

  /** vfio_msi_interrupt, QEMU 7.2 and 10.0: however often the eventfd was signalled. */
  protected vfioMsiInterrupt(guest: Guest, vector: number): void {
    if (guest.strategy !== 'all-at-enable' && guest.isMasked(vector)) {
      guest.pending.add(vector);
      guest.showPba(true);
    }
    this.guestMsixNotify(guest, vector);
  }

  /**
   * access_with_adjusted_size and memory_access_size, QEMU 7.2 and 10.0: what is not aligned comes in aligned pieces.
   * The table takes none of 1 or 2 bytes, and one of 8 bytes as two of 4.
   */
  protected tableAccess(
    guest: Guest,
    first: number,
    offset: number,
    width: number,
    value: number,
    high: number,
  ): Outcome {
    if (first >= guest.device.msixVectors) return EINVAL;
    const begin = MSIX_ENTRY_BYTES * first + offset;
    for (let done = 0; done < width; ) {
      const piece = accessSize(begin + done, width - done);
      for (let word = 0; word + WORD_BYTES <= piece; word += WORD_BYTES)
        this.msixTableMmioWrite(guest, begin + done + word, wordAt(value, high, done + word));
      done += piece;
    }
    return OK;
  }

  /** msix_table_mmio_write, QEMU 7.2 and 10.0. Only Vector Control is looked at. */
  protected msixTableMmioWrite(guest: Guest, address: number, value: number): void {
    const vector = Math.floor(address / MSIX_ENTRY_BYTES);
    if (vector >= guest.device.msixVectors) return;
    const wasMasked = guest.isMasked(vector);
    guest.writeTable(vector, (address % MSIX_ENTRY_BYTES) / WORD_BYTES, value);
    this.msixHandleMaskUpdate(guest, vector, wasMasked);
  }

  /** msix_table_mmio_read, QEMU 7.2 and 10.0. */
  protected msixTableMmioRead({ device, table }: Guest, vector: number, offset: number): Outcome {
    return vector < device.msixVectors ? this.outcomes.value(table.read(vector, offset >>> 2)) : EINVAL;
  }

  /** msix_pba_mmio_read, QEMU 7.2 and 10.0, or the BAR below it (vfio_region_read). */
  protected msixPbaMmioRead(guest: Guest, vector: number): Outcome {
    if (!guest.showsPba()) return this.pbaRead(guest.device, vector);
    return vector < guest.device.msixVectors ? this.outcomes.value(guest.pbaWord(vector)) : EINVAL;
  }

  /** vfio_pci_reset and msix_reset, QEMU 7.2 and 10.0. The cached function mask stays as it was. */
  protected vfioPciReset(guest: Guest): void {
    if (guest.enable) this.vfioMsixDisable(guest);
    this.vfioIntxDisable(guest);
    guest.busMaster = false;
    guest.device.busMaster = false;
    if (guest.device.hasReset) this.askReset(guest);
    this.vfioIntxEnable(guest);
    guest.emptyTable();
    guest.clearAllPending();
    guest.enable = false;
    guest.functionMask = false;
  }
}

/** memory_access_size, QEMU 7.2 and 10.0: bytes of the next piece. */
function accessSize(address: number, left: number): number {
  const most = Math.min(left, ACCESS_MAX);
  const aligned = address === 0 ? most : Math.min(most, address & -address);
  return 2 ** (31 - Math.clz32(aligned));
}

/** The 32 bits from some byte on of 64 bits. */
function wordAt(low: number, high: number, byte: number): number {
  if (byte === WORD_BYTES) return high >>> 0;
  if (byte === 0) return low >>> 0;
  const place = 8 * byte;
  return ((low >>> (place & 31)) | (high << (-place & 31))) >>> 0;
}
