import {
  isEventfdName,
  isGuestOperation,
  isMdevOperation,
  type Operation,
  printOperation,
  type Scenario,
} from '#vocabulary';
import type { Finding } from '../properties/runner/verdict.ts';
import { type Glossary, promiseOf } from './glossary.ts';
import { expectationWords, headlineOf, profileWords, violationOf, violationWords } from './headline.ts';
import { wrap } from './layout.ts';
import { machineLines } from './machine.ts';
import { printable } from './printable.ts';
import { CALLS } from './reproducer-calls-c.ts';
import { type Check, type Checks, checksOf, type Look, Untellable } from './reproducer-checks.ts';
import { LOOKS } from './reproducer-looks-c.ts';
import { type Doing, deviceName, doings, type PartName } from './reproducer-operations.ts';
import type { Part } from './reproducer-part.ts';

const PARTS: Readonly<Record<string, Part>> = { ...CALLS, ...LOOKS };

export interface ReproducerOptions extends Glossary {
  /** Repeats what the program was made from. */
  readonly replayCommand: string;
}

/**
 * A finding as a C program for a mail: it needs libc and linux/vfio.h, takes the address of each device, prints every
 * call with what is expected and got, and exits with 1 when the fault shows, with 0 when it does not, and with 2 when
 * it could not get so far.
 * @throws Untellable
 */
export function reproducerC(finding: Finding, options: ReproducerOptions): string {
  requireIoctls(finding.scenario);
  const checks = checksOf(finding);
  const scenario = untilTheFault(finding.scenario, checks);
  const steps = doings(scenario);
  const isLookedAt = steps.some((doing, index) =>
    (checks.get(index) ?? []).some(({ look }) => look !== 'result' || doing.result !== null),
  );
  const before = checks.get(-1) ?? [];
  if (!isLookedAt && before.length === 0)
    throw new Untellable('expected an operation with an answer to look at, got none');
  const eventfds = eventfdNames(scenario);
  const drained = devicesDrained(scenario);
  const asserting = devicesOf(scenario, 'device.assertIntx');
  const names = partsOf([
    ...(drained.length === 0 ? [] : (['drain'] as const)),
    ...(asserting.length === 0 ? [] : (['releaseIntx'] as const)),
    ...(['expect', 'device', ...(eventfds.length === 0 ? [] : (['eventfds'] as const))] as const),
    ...(steps.length === 0 ? [] : (['begin'] as const)),
    ...steps.flatMap(({ parts }) => parts),
    ...[...checks]
      .filter(([step]) => step < steps.length)
      .flatMap(([, those]) => those)
      .flatMap(({ look }) => LOOK_PARTS[look]),
  ]);
  const texts = [
    headerComment(finding, options),
    INCLUDES,
    ...(eventfds.length === 0 ? [] : [eventfdTable(eventfds)]),
    ...names.map((name) => PARTS[name]?.text.trim() ?? ''),
    scenario.config.devices.map((_, device) => `static struct device dev${device};`).join('\n'),
    ...steps.map((doing, index) => stepFunction(finding, index, doing, checks.get(index) ?? [], options)),
    mainFunction(scenario, headline(finding, options), {
      before: before.map((check) => expectation(check, null)),
      hasEventfds: eventfds.length > 0,
      hasPipe: names.includes('pipe'),
      drained,
      asserting,
    }),
  ];
  return `${texts.join('\n\n')}\n`;
}

/** The scenario without what comes after the last thing at issue: there the record tells of a system that is broken. */
function untilTheFault({ config, operations }: Scenario, checks: Checks): Scenario {
  const last = Math.max(
    ...[...checks].flatMap(([step, those]) => (those.some(({ atIssue }) => atIssue) ? [step] : [])),
  );
  return { config, operations: operations.slice(0, last + 1) };
}

/** @throws Untellable for what is not asked through the ioctl interface. */
function requireIoctls({ config, operations }: Scenario): void {
  const place = operations.findIndex((operation) => isGuestOperation(operation) || isMdevOperation(operation));
  const kind = operations[place]?.kind;
  if (kind !== undefined)
    throw new Untellable(
      `expected calls of vfio alone, got ${kind} as operation ${place}, which needs a guest or an mdev`,
    );
  if (config.vmm !== undefined) throw new Untellable('expected calls of vfio alone, got a machine with a VMM');
  if (config.mdev !== undefined) throw new Untellable('expected a device of vfio-pci, got a machine with mdevs');
}

function eventfdNames({ operations }: Scenario): readonly string[] {
  const names = operations.flatMap((operation) => {
    if ('eventfd' in operation) return [operation.eventfd];
    return operation.kind === 'vfio.setIrqs' ? operation.data.filter(isEventfdName) : [];
  });
  return [...new Set(names)].sort((left, right) => Number(left.slice(1)) - Number(right.slice(1)));
}

/** The parts wanted and all that they need, in the order of a program. */
function partsOf(wanted: readonly PartName[]): readonly string[] {
  const needed = new Set<string>();
  const need = (name: string): void => {
    if (needed.has(name)) return;
    needed.add(name);
    PARTS[name]?.needs.forEach(need);
  };
  wanted.forEach(need);
  return Object.keys(PARTS).filter((name) => needed.has(name));
}

const LOOK_PARTS: Readonly<Record<Look, readonly PartName[]>> = {
  result: [],
  signalled: ['eventfds'],
  irqs: ['irqs'],
  triggers: ['irqs'],
  unmasked: ['entries'],
  'address 0': ['entries'],
  pending: ['pending'],
  'MSI-X': ['control'],
  'MSI-X flags': ['infoFlags'],
  registers: ['registers'],
};

/** What is looked at, in C; the result of a call is its own words. */
function lookCall(look: Look, device: number, result: string | null): string {
  const at = deviceName(device);
  switch (look) {
    case 'result':
      return result ?? '"ok"';
    case 'signalled':
      return 'signalled()';
    case 'irqs':
      return `irqs_of(${at}, 0)`;
    case 'triggers':
      return `irqs_of(${at}, 1)`;
    case 'unmasked':
      return `entries_of(${at}, 0)`;
    case 'address 0':
      return `entries_of(${at}, 1)`;
    case 'pending':
      return `pending_of(${at})`;
    case 'MSI-X':
      return `control_of(${at})`;
    case 'MSI-X flags':
      return `info_flags_of(${at})`;
    case 'registers':
      return `registers_of(${at})`;
  }
}

const INCLUDES = `#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>`;

function eventfdTable(names: readonly string[]): string {
  const rows = broken(`static int ${names.join(',\0 ')};`, '');
  return [
    rows,
    '',
    'static const struct {',
    '\tconst char *name;',
    '\tint *fd;',
    '} eventfds[] = {',
    ...names.map((name) => `\t{ "${name}", &${name} },`),
    '};',
    'enum { EVENTFDS = sizeof(eventfds) / sizeof(eventfds[0]) };',
  ].join('\n');
}

const COLUMNS = 100;

/** A line of C broken at its marks where it gets too long; a tab counts eight columns. */
function broken(line: string, indent: string): string {
  const rest = `${indent}\t\t`;
  let text = indent;
  let column = 8 * indent.length;
  for (const piece of line.split('\0')) {
    if (column + piece.length > COLUMNS && text.trim() !== '') {
      text = `${text.trimEnd()}\n${rest}${piece.trimStart()}`;
      column = 8 * rest.length + piece.trimStart().length;
    } else {
      text += piece;
      column += piece.length;
    }
  }
  return text;
}

/** Text inside a comment: nothing in it ends the comment, or is a trigraph that may end its line. */
function comment(lines: readonly string[]): string {
  const safe = lines.map((line) =>
    printable(line).replaceAll('*/', '* /').replaceAll('/*', '/ *').replaceAll('??/', '? ?/'),
  );
  return ['/*', ...safe.map((line) => ` * ${line}`.trimEnd()), ' */'].join('\n');
}

/** A string of C. Octal escapes end by themselves, hexadecimal ones do not. */
function quoted(text: string): string {
  const escaped = printable(text).replaceAll(/["\\?]/g, (character) => `\\${character}`);
  return `"${escaped.replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;
}

function headerComment(finding: Finding, options: ReproducerOptions): string {
  const { system, id, scenario } = finding;
  const violation = violationOf(finding);
  const source = options.invariants.find((invariant) => invariant.id === violation?.invariant)?.source;
  const known = violation === undefined ? null : expectationWords(finding, violation, options);
  const addresses = scenario.config.devices
    .map((_, device) => `0000:00:${(4 + device).toString(16).padStart(2, '0')}.0`)
    .join(' ');
  const paragraphs: readonly (readonly string[])[] = [
    [headline(finding, options)],
    violation === undefined ? [] : [`Operation ${violation.step}: ${violationWords(violation)}.`],
    [
      ...(source === undefined ? [] : [`Promised by: ${source}`]),
      ...(known === null ? [] : [`Known: ${known}`]),
      `Seen on: ${system}; judged by: ${profileWords(finding)}; finding ${id}`,
      ...machineLines(scenario.config)
        .map((line) => `Needs: ${line}`)
        .slice(1),
      ...(scenario.config.interruptRemapping === false ? ['Needs: a machine without interrupt remapping'] : []),
    ],
  ];
  const told = paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.flatMap((line) => hangingLines(line)));
  return comment([
    ...told.flatMap((lines) => [...lines, '']),
    'Bind the device to vfio-pci, then as root:',
    '  gcc -Wall -Wextra -O2 -o reproducer reproducer.c',
    `  ./reproducer ${addresses}`,
    'Exit code: 1 the fault shows, 0 it does not, 2 the program could not get so far.',
    '',
    `Made by vfio-irq-conformance; the same in its own words: ${options.replayCommand}`,
  ]).replace('/*', '// SPDX-License-Identifier: MIT\n/*');
}

function hangingLines(line: string): readonly string[] {
  return wrap(line, COLUMNS - 5).map((part, place) => (place === 0 ? part : `  ${part}`));
}

/** What the program is about; a scenario that held has nothing that broke, and who reads a mail expects nothing. */
function headline(finding: Finding, options: Glossary): string {
  const { divergences, violations } = finding.judgement;
  if (divergences.length === 0 && violations.length === 0)
    return 'A scenario: each answer of the kernel beside what it should be.';
  const violation = violationOf(finding);
  return finding.verdict === 'divergence' || violation === undefined
    ? headlineOf(finding, options)
    : `${violation.invariant} is broken: ${promiseOf(violation.invariant, options)}`;
}

function stepFunction(
  finding: Finding,
  index: number,
  doing: Doing,
  checks: readonly Check[],
  options: Glossary,
): string {
  const operation = finding.scenario.operations[index];
  if (operation === undefined) throw new Error('a step without its operation');
  const words = printOperation(operation);
  const calls = checks.filter(({ look }) => look === 'result');
  const looks = checks.filter(({ look }) => look !== 'result');
  const lines = [
    ...doing.declarations.map((line) => broken(line, '\t')),
    ...(doing.declarations.length === 0 ? [] : ['']),
    `\tbegin(${index}, ${quoted(words)});`,
    ...(doing.result === null ? [] : calls.map((check) => expectation(check, doing.result))),
    ...doing.statements.map((line) => `\t${line}`),
    ...looks.map((check) => expectation(check, null)),
  ];
  const about = stepComment(finding, index, checks, options);
  return [...(about === '' ? [] : [about]), `static void step_${index}(void)`, '{', ...lines, '}'].join('\n');
}

function expectation({ atIssue, look, device, expected }: Check, result: string | null): string {
  const weight = atIssue ? 'AT_ISSUE' : 'ON_THE_WAY';
  return broken(`expect(${weight}, "${look}", ${quoted(expected)},\0 ${lookCall(look, device, result)});`, '\t');
}

/**
 * What is owed where something is at issue, and the clauses that explain why it is not paid, wherever they spoke; where
 * nobody knows why, the clauses that spoke there.
 */
function stepComment({ judgement }: Finding, index: number, checks: readonly Check[], glossary: Glossary): string {
  const isAtIssue = checks.some(({ atIssue }) => atIssue);
  const broken = judgement.violations.filter(({ step }) => step === index);
  const promises = broken.map(({ invariant }) => `${invariant}: ${promiseOf(invariant, glossary)}`);
  const explaining = new Set(judgement.violations.map(({ expectedBy }) => expectedBy));
  const isExplained = judgement.divergences.length === 0 && !explaining.has(null);
  const spoken = judgement.reference.steps[index]?.clauses ?? [];
  const told = isAtIssue && !isExplained ? spoken : spoken.filter((id) => explaining.has(id));
  const clauses = told.map((id) => {
    const clause = glossary.clauses.find((candidate) => candidate.id === id);
    return clause === undefined ? id : `${id}: ${clause.title} (${clause.source})`;
  });
  const lines = [...new Set([...(isAtIssue ? promises : []), ...clauses])];
  return lines.length === 0 ? '' : comment(lines.flatMap(hangingLines));
}

/** What is done around the steps. */
interface Setting {
  /** What is looked at before the first. */
  readonly before: readonly string[];
  readonly hasEventfds: boolean;
  readonly hasPipe: boolean;
  readonly drained: readonly number[];
  readonly asserting: readonly number[];
}

/** Devices on which MSI-X is set up, and which may have kept events of others. */
function devicesDrained({ config, operations }: Scenario): readonly number[] {
  const used = devicesOf({ config, operations }, 'vfio.setIrqs');
  return used.filter((device) => (config.devices[device]?.msixVectors ?? 0) > 0);
}

function devicesOf({ operations }: Scenario, kind: Operation['kind']): readonly number[] {
  const devices = operations.flatMap((operation) =>
    operation.kind === kind && 'device' in operation ? [operation.device] : [],
  );
  return [...new Set(devices)];
}

function mainFunction(scenario: Scenario, about: string, setting: Setting): string {
  const { devices } = scenario.config;
  const usage = devices.map((_, device) => ` ADDRESS${devices.length === 1 ? '' : device}`).join('');
  return [
    'int main(int argc, char **argv)',
    '{',
    `\tif (argc != ${devices.length + 1}) {`,
    `\t\tfprintf(stderr, "usage: %s${usage} (such as 0000:00:04.0)\\n", argv[0]);`,
    '\t\treturn 2;',
    '\t}',
    ...(!setting.hasEventfds ? [] : ['\tfor (int i = 0; i < EVENTFDS; i++)', '\t\tnew_eventfd(eventfds[i].fd);']),
    ...(setting.hasPipe ? ['\tnew_pipe();'] : []),
    ...devices.map((_, device) => `\tset_up(${deviceName(device)}, argv[${device + 1}]);`),
    ...setting.drained.map((device) => `\tdrain(${deviceName(device)});`),
    ...setting.before,
    ...scenario.operations.map((_, index) => `\tstep_${index}();`),
    ...setting.asserting.map((device) => `\trelease_intx(${deviceName(device)});`),
    '\tif (fault) {',
    '\t\tprintf("The fault shows: %s\\n",',
    `\t\t       ${quoted(about)});`,
    '\t\treturn 1;',
    '\t}',
    '\tif (astray) {',
    '\t\tprintf("Something on the way differs: this says nothing about the fault.\\n");',
    '\t\treturn 2;',
    '\t}',
    '\tprintf("The fault does not show.\\n");',
    '\treturn 0;',
    '}',
  ].join('\n');
}
