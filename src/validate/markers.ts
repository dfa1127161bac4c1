/** What the markers of one batch mean, and the diagnostics of texts that use them. */
import { type FoundMarker, findMarkers, parseTemplate } from '../command.ts';
import { excerpt } from '../diagnostic.ts';
import type { MarkerRef, Table, Template } from '../model.ts';
import { count, type Report } from '../read/report.ts';
import { childOf, type MapTree, type ScalarTree, scalarsOf, textOf } from '../read/tree.ts';
import { BUILT_IN, markerHint, POSITION_ONLY } from './header.ts';

/** Keys that are no constants: they hold markers themselves, or say nothing a job could use. */
const NOT_CONSTANT = new Set(['command', 'job_name', 'name', 'cpus']);

/** Every scalar key of the batch as a marker, besides `{exe}`, `{name}` and `{in}`. */
export function constantsOf(batch: MapTree, name: string): Map<string, string> {
  const constants = new Map<string, string>();
  for (const { key, value } of batch.entries) {
    if (value.kind === 'scalar' && value.type !== 'null' && !NOT_CONSTANT.has(key))
      constants.set(key, value.text);
  }
  const exe = constants.get('exe') ?? constants.get('executable');
  if (exe !== undefined) constants.set('exe', exe).set('executable', exe);
  return constants.set('name', name).set('in', 'data/raw');
}

/** Which of the things known only per job a text may use, e.g. a job's name cannot hold itself. */
export type JobMarkers = ReadonlySet<'id' | 'n' | 'cpus' | 'out'>;
export const ALL_JOB_MARKERS: JobMarkers = new Set(['id', 'n', 'cpus', 'out']);

export interface MarkerScope {
  readonly columns: Table['columns'];
  /** Names of a first row that is no header: suggestions only. */
  readonly hidden: readonly string[];
  readonly constants: ReadonlyMap<string, string>;
  readonly source: string;
  readonly bash: boolean;
}

/** Takes one text of the batch apart and reports every marker that cannot be filled in. */
export function template(
  tree: ScalarTree,
  what: string,
  shell: boolean,
  allowed: JobMarkers,
  scope: MarkerScope,
  report: Report,
): Template {
  const resolve = ({ name }: FoundMarker): MarkerRef | undefined => {
    const column = scope.columns.indexOf(name);
    if (column >= 0 && !POSITION_ONLY.has(name)) return { kind: 'column', index: column };
    const position = /^i(0|[1-9]\d{0,5})$/.exec(name)?.[1];
    if (position !== undefined && Number(position) < scope.columns.length) {
      return { kind: 'column', index: Number(position) };
    }
    if (name === 'id' || name === 'n' || name === 'cpus' || name === 'out')
      return { kind: 'job', what: name };
    const constant = scope.constants.get(name);
    return constant === undefined ? undefined : { kind: 'constant', value: constant };
  };
  const parsed = parseTemplate(tree.text, shell, resolve, scope.bash);
  const placeOf = ({ start, end }: { start: number; end: number }) => tree.within(start, end);
  for (const marker of parsed.unknown) {
    const { message, hint } = unknownMarker(marker.name, scope);
    report.error('unknown-marker', placeOf(marker), message, { hint });
  }
  for (const { marker, why } of parsed.unusable) {
    report.error('bad-marker', placeOf(marker), `{${marker.name}} cannot be filled in here`, { hint: why });
  }
  for (const open of parsed.unterminated) {
    report.error('shell-syntax', placeOf(open), open.why, { hint: 'sh would refuse the command' });
  }
  for (const part of parsed.template.parts) {
    if (part.kind === 'text') continue;
    const { name, ref } = part;
    const found = tree.text.indexOf(`{${name}}`);
    const place = tree.within(Math.max(0, found), found + name.length + 2);
    if (POSITION_ONLY.has(name) && scope.columns.includes(name)) {
      report.error('bad-marker', place, `{${name}} is a built-in, and a column is called so, too`, {
        hint: `the column is {i${scope.columns.indexOf(name)}}; or rename it`,
      });
    } else if (ref.kind === 'job' && !allowed.has(ref.what)) {
      report.error('bad-marker', place, `{${name}} has no value yet where ${what} is made`, {
        hint: 'use columns of the inputs',
      });
    }
  }
  return parsed.template;
}

function unknownMarker(name: string, scope: MarkerScope): { message: string; hint: string } {
  const message = `unknown marker {${name}}`;
  if (/^i\d+$/.test(name)) {
    const columns = scope.columns.length;
    const hint = columns === 0 ? 'the batch has no inputs' : `columns are {i0} to {i${columns - 1}}`;
    return {
      message: `${message}: ${excerpt(scope.source, 60)} has ${count(columns, 'column')}`,
      hint: `${hint}; ${markerHint(name, [])}`,
    };
  }
  if (name === 'exe' || name === 'batch_base') return { message, hint: `give the batch a line ${name}: …` };
  if (scope.hidden.includes(name)) {
    return {
      message: `${message}: with header: false the first row is no header`,
      hint: 'say header: true, or use {i0}, {i1} …',
    };
  }
  const named = scope.columns.filter(column => column !== undefined);
  const known = [...named, ...scope.hidden, ...BUILT_IN, ...scope.constants.keys()];
  return { message, hint: markerHint(name, known) };
}

/** Names of all markers in a batch: they decide whether a CSV's first row is a header. */
export function usedMarkers(batch: MapTree): Set<string> {
  const env = childOf(batch, 'env');
  const plain = [
    ...scalarsOf(childOf(batch, 'job_name')),
    ...scalarsOf(childOf(batch, 'files')),
    ...(env?.kind === 'map' ? env.entries.flatMap(entry => scalarsOf(entry.value)) : []),
  ];
  const bash = textOf(childOf(batch, 'shell')) === 'bash';
  const found = [
    ...plain.flatMap(text => findMarkers(text.text, false)),
    ...scalarsOf(childOf(batch, 'command')).flatMap(text => findMarkers(text.text, true, bash)),
  ];
  return new Set(found.filter(marker => marker.where !== 'comment').map(marker => marker.name));
}
