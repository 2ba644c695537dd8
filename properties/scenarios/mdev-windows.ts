/**
 * A moment in which a driver of mediated devices can lose an interrupt, or show an entry to a PASID that is not its
 * own. `closedBy`: the rules that close it, or say what is left of it. `reason`: why it cannot occur here.
 */
export type MdevWindow = { readonly id: string; readonly says: string } & (
  | { readonly closedBy: readonly string[] }
  | { readonly reason: string }
);

export const MDEV_WINDOWS: readonly MdevWindow[] = [
  {
    id: 'W1',
    says: 'all vectors are torn down and set up again to add one: completions meanwhile are refused, and told',
    closedBy: ['ims.set-irqs.disable', 'ims.completion.refused', 'ims.completion.reported'],
  },
  {
    id: 'W2',
    says: 'the PASID of an open entry is changed in place: a descriptor meets the old one, none, or a mixture',
    closedBy: ['ims.programming.whole-field'],
  },
  {
    id: 'W3',
    says: 'checked early, fires late: the entry has another owner or PASID when the descriptor ends',
    closedBy: ['ims.completion.drained'],
  },
  {
    id: 'W4',
    says: 'a PASID is given to another VM while an entry still carries it',
    closedBy: ['ims.guest-pasid.closed-first', 'ims.programming.referenced', 'ims.pasid.free-pending'],
  },
  {
    id: 'W5',
    says: 'an entry is freed with its PASID left in it, and its next owner inherits that',
    closedBy: ['ims.entry-table.clean', 'ims.entry-table.lowest-free'],
  },
  {
    id: 'W6',
    says: "the pending bit of an entry outlives its owner, and the next one's unmask delivers it",
    closedBy: ['ims.programming.pending-flushed'],
  },
  {
    id: 'W7',
    says: 'MSIX_PERM is written after request_irq: the default PASID is live first',
    closedBy: ['ims.msix-perm.late', 'ims.msix-perm.at-once', 'ims.table-mask.synchronised'],
  },
  {
    id: 'W8',
    says: 'the PASID was kept at allocation, before MSIX_PERM was written, and is what the entry gets',
    closedBy: ['ims.set-irqs.sampled'],
  },
  {
    id: 'W9',
    says: "a vector comes back with another entry, and the guest's handle names somebody else's",
    closedBy: ['ims.handle.moved'],
  },
  {
    id: 'W10',
    says: "a reset clears MSIX_PERM, and the entry keeps the guest's PASID",
    closedBy: ['ims.reset.rewritten', 'ims.reset.registers'],
  },
  {
    id: 'W11',
    says: 'masking writes the whole control word, or the message, and so loses the PASID or the vector',
    closedBy: ['ims.programming.mask-bit-only'],
  },
  {
    id: 'W12',
    says: 'a vector without an entry is masked, and an errno serves as index',
    closedBy: ['ims.table-mask.no-entry'],
  },
  {
    id: 'W13',
    says: 'a handle is requested for a vector without an entry, and an errno serves as handle',
    closedBy: ['ims.handle.no-entry'],
  },
  {
    id: 'W14',
    says: 'what a trigger that failed had set up stays: PASID, irq or eventfd',
    closedBy: ['ims.set-irqs.irq-fails', 'ims.set-irqs.range-undone', 'ims.set-irqs.enable-undone'],
  },
  {
    id: 'W15',
    says: 'a vector gets another eventfd and keeps the PASID that MSIX_PERM named before',
    closedBy: ['ims.set-irqs.swap-samples'],
  },
  {
    id: 'W16',
    says: 'at close or removal the PASIDs are given back before the entries are closed',
    closedBy: ['ims.life.detach', 'ims.life.remove', 'ims.life.crash'],
  },
  {
    id: 'W17',
    says: 'Ignore stays in an entry that is freed, and swallows the interrupts of its next owner',
    closedBy: ['ims.entry-table.clean'],
  },
  {
    id: 'W18',
    says: 'the error register is handed on as the hardware has it: a host PASID is read, and by every guest',
    closedBy: ['ims.completion.reported'],
  },
  {
    id: 'W19',
    says: 'the portal of the shared queue is reached before the CPU translates PASIDs, and the guest picks any',
    reason:
      'no operation reaches a portal: a descriptor of the shared queue has been translated when it is submitted, and ' +
      'nothing turns that off',
  },
  {
    id: 'W20',
    says: 'a range is set up to its count instead of its end, and success is returned',
    closedBy: ['ims.set-irqs.range'],
  },
  {
    id: 'W21',
    says: 'handles are saved in 8 bits when a VM moves to another host',
    reason: 'nothing is saved and nobody moves; that a handle itself has more than 8 bits is said in T39',
  },
  {
    id: 'W22',
    says: "mdevs of one VM share their default PASID, and nothing keeps one from the other's vectors",
    closedBy: ['ims.life.domain-default'],
  },
];
