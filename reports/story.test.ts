import { describe, expect, it } from 'vitest';
import { printOperation } from '#vocabulary';
import { GLOSSARY } from './fixture.ts';
import { REFUSED_IN_THE_GAP } from './mdev-fixture.ts';
import { storyText } from './story.ts';

describe('a story on a machine with mdevs', () => {
  it('begins with the parent, and has what changed in it beneath each answer', () => {
    const { scenario, judgement, profile } = REFUSED_IN_THE_GAP;
    const about = { says: 'A descriptor is refused.', source: 'ours' };
    const text = storyText(about, profile, scenario.operations.map(printOperation), judgement, GLOSSARY.clauses);
    expect(text).toContain('\n\n  start: mdev @0 open, default pasid 1\n  start: pasid 1 active');
    expect(text.split('\n').slice(15, 22)).toEqual([
      '  2  guest.submit 7 dedicated 0 handle=0',
      '     ok',
      '       pasid 1 active, default of VM 0, 3 references',
      '       descriptor 7 queued on @0 with pasid 1',
      '  3  device.armDescriptor 7 teardown-gap',
      '     ok',
      '  4  guest.unmask 2',
    ]);
  });
});
