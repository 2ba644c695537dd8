import type { OperationKind } from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';
import { type Content, markup } from './markup.ts';

/** What has to be known to read an operation; others say it by their names. */
const MEANINGS: Partial<Record<OperationKind, string>> = {
  'guest.msixControl': 'the guest writes MSI-X Enable and Function Mask',
  'guest.unmask': 'the guest clears the mask bit of a vector: it wants its interrupts',
  'guest.mask': 'the guest sets the mask bit of a vector',
  'guest.readPba': 'the guest reads the pending bits',
  'device.arm': 'the device will raise the vector in that window, when it opens next',
  'device.raise': 'the device raises the vector now',
  'vfio.setIrqs':
    'VFIO_DEVICE_SET_IRQS: index, flags, start+count, [eventfds]; EVENTFD sets vectors up, NONE with count 0 turns off',
};

/** The operations of a finding that need a word. */
export function operationsLegend({ scenario, judgement }: Finding): Content {
  const asked = scenario.operations.map(({ kind }) => kind);
  const called = judgement.subject.steps.flatMap(({ calls = [] }) =>
    calls.flatMap((call) => (call.kind === 'vfio' ? [call.operation.kind] : [])),
  );
  const meanings = [...new Set([...asked, ...called])].flatMap((kind) => {
    const meaning = MEANINGS[kind];
    return meaning === undefined ? [] : [markup`<dt><code>${kind}</code></dt><dd>${meaning}</dd>\n`];
  });
  return markup`<dl class="operations-key">
${meanings}<dt><span class="chips"><span class="is-armed">0</span></span></dt><dd>a vector with a trigger, unmasked;
<span class="chips"><span class="is-masked">0</span></span> masked;
<span class="chips"><span class="is-pending">0</span></span> pending;
<span class="chips"><span class="is-idle">0</span></span> without a trigger. Point at one to read its state</dd>
</dl>`;
}
