import { describe, expect, it } from 'vitest';
import { growthCosts } from '../properties/runner/growth-cost.ts';
import { growthText } from './growth-text.ts';
import { TERMINAL_COLUMNS } from './layout.ts';
import { ANSI } from './palette.ts';

const COSTS = growthCosts([8, 64]);

describe('what growth costs', () => {
  it('reads as it should', async () => {
    await expect(growthText(COSTS)).toMatchFileSnapshot('golden/growth.txt');
  });

  it('keeps to the terminal, in colour too', () => {
    const text = growthText(COSTS);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(TERMINAL_COLUMNS);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what colour is made of
    const plain = growthText(COSTS, ANSI).replaceAll(/\u001b\[\d+m/g, '');
    expect(plain.replaceAll(/ +$/gm, '')).toBe(text);
  });

  it('leaves open what was not counted', () => {
    const some = COSTS.filter(({ policy, order }) => policy === 'one by one' || order === 'ascending');
    expect(growthText(some)).toMatch(/tear-downs +17 +8 +– +– +– +–/);
  });
});
