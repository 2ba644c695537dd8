import { describe, expect, it } from 'vitest';
import { CRASH, GLOSSARY, RUN, replayCommand } from './fixture.ts';
import { junitXml } from './junit.ts';

const OPTIONS = { ...GLOSSARY, replayCommand };

describe('JUnit', () => {
  it('reads as it should', async () => {
    await expect(junitXml(RUN, OPTIONS)).toMatchFileSnapshot('golden/junit.xml');
  });

  it('tells a crash as a failure of conformance, with nothing in it that XML forbids', () => {
    const [result] = RUN.results;
    if (result === undefined) throw new Error('the fixture has results');
    const xml = junitXml({ ...RUN, results: [{ ...result, verdict: 'fail', findings: [CRASH] }] }, OPTIONS);
    expect(xml).toContain('<failure message="the system crashed or hung">');
    expect(xml).toContain('stdio:./broken &lt;server&gt; &amp; &quot;co&quot;');
    expect(xml).not.toContain('<script>');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the very thing that must not be there
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });
});
