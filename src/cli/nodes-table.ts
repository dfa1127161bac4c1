/** What a look at the machines has shown: as a table for people, as one object for programs. */
import { visible } from '../diagnostic.ts';
import { isCluster, type Resource } from '../grid/model.ts';
import type { Facts } from '../runtime/probe.ts';
import { type Look, slotsOf } from './nodes-look.ts';

const HEAD = [
  'NODE',
  '',
  'SLOTS',
  'CPUS',
  'FREE',
  'MEMORY',
  'GPUS',
  'DISK',
  'IN',
  'ANSWER',
  'BY',
  'SHELL',
  'SYSTEM',
];
/** Columns of numbers end where they end. */
const RIGHT = new Set([2, 3, 4, 5, 6, 7, 9]);

/** A line a machine; below it what is wrong there, and its cure. */
export function nodesTable(looks: readonly Look[]): string {
  const rows = looks.map(cells);
  const widths = HEAD.map((title, i) =>
    Math.max(...[HEAD, ...rows].map(row => row[i]?.length ?? 0), title.length),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const body = looks.map((look, i) =>
    [line(rows[i] ?? []), ...remarks(look).map(text => `    ${text}`)].join('\n'),
  );
  return `${[line(HEAD), ...body].join('\n')}\n`;
}

function cells(look: Look): string[] {
  const { resource, facts, failure, milliseconds, way } = look;
  const [work] = facts?.candidates ?? [];
  return [
    resource.name,
    failure ? 'FAILED' : 'ok',
    shown(slotsOf(look)),
    shown(facts?.processors),
    shown(facts && freeProcessors(facts)),
    facts?.memory ? size(facts.memory) : '-',
    shown(facts?.gpus),
    work?.free === undefined ? '-' : size(work.free),
    work ? `${work.path}${work.executable ? '' : ' (noexec)'}` : '-',
    milliseconds === undefined ? '-' : `${Math.max(1, Math.round(milliseconds))} ms`,
    way ?? '-',
    facts?.shell.split('/').at(-1) || '-',
    facts?.system ?? '-',
  ];
}

function remarks({ resource, facts, failure, because, prints, missing, way }: Look): string[] {
  const found = facts?.programs ?? [];
  const lines = [
    failure?.message,
    failure && `hint: ${failure.hint}`,
    because && `by ${way}: ${because}`,
    ...passedOver(resource, facts).map(text => `not in ${text}`),
    isCluster(resource) && facts && 'CPUS, FREE, MEMORY and GPUS are those of the machine to submit from',
    prints && 'its login shell prints something before every command, which is passed over',
    found.length > 0 &&
      `has ${found.join(', ')}${missing.length > 0 ? `; has no ${missing.join(', ')}` : ''}`,
  ];
  return lines.flatMap(text => (text ? [visible(text)] : []));
}

/** Folders that somebody named for the work folder, and that cannot hold it. */
function passedOver(resource: Resource, facts: Facts | undefined): readonly string[] {
  if (resource.kind === 'local' || !facts || facts.usable.length === 0) return [];
  return facts.refused.filter(text => !/^(\/tmp|\$HOME): /.test(text));
}

/** How many processors nobody is using, by the load of the last minute; undefined: it cannot be told. */
function freeProcessors({ processors, load }: Facts): number | undefined {
  return load === undefined ? undefined : Math.max(0, Math.round(processors - load));
}

function shown(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

/** MiB as people say it, with two digits at least. */
function size(mebibytes: number): string {
  const units = ['MiB', 'GiB', 'TiB', 'PiB'];
  let [value, unit] = [mebibytes, 0];
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** No undefined members; sizes in MiB. */
export function lookToJson(look: Look): object {
  const { resource, way, because, milliseconds, prints, facts, missing, failure, refusal } = look;
  const seen = facts && {
    shell: facts.shell,
    system: facts.system,
    processors: facts.processors,
    load: facts.load,
    free: freeProcessors(facts),
    memory: facts.memory,
    gpus: facts.gpus,
    folders: facts.candidates,
    refused: facts.refused,
    lacks: facts.lacks,
    programs: facts.programs,
    missing,
  };
  // Through JSON once, which drops what is undefined.
  return {
    name: resource.name,
    kind: resource.kind,
    ok: failure === undefined,
    slots: slotsOf(look),
    transport: way,
    because,
    hostKey:
      way === 'node-ssh' || way === 'openssh' ? 'verified' : refusal === 'host-key' ? 'refused' : undefined,
    milliseconds: milliseconds === undefined ? undefined : Math.round(milliseconds * 10) / 10,
    prints,
    ...seen,
    failure,
  };
}
