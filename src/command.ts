/**
 * Texts with markers: `"{exe} {i1} > {out}/x.csv"` is taken apart once a batch, and filled in once a job.
 * How a shell command is filled in, so that values never act as code, stands in command/fill.ts.
 */
import type { FoundMarker } from './command/scan.ts';
import { scanPlain } from './command/scan.ts';
import { scanShell } from './command/shell-scan.ts';
import type { MarkerRef, Template, TemplatePart } from './model.ts';

export type { FoundMarker } from './command/scan.ts';

/** Every `{identifier}` that counts as a marker, in order; those in shell comments too. */
export function findMarkers(source: string, shell: boolean, bash = false): FoundMarker[] {
  return (shell ? scanShell(source, bash) : scanPlain(source)).markers;
}

export interface ParsedTemplate {
  readonly template: Template;
  /** Markers that `resolve` does not know; they stand in the template as they were written. */
  readonly unknown: readonly FoundMarker[];
  /** Known markers at places where no value could arrive exactly; `why` names the reason and the cure. */
  readonly unusable: readonly { readonly marker: FoundMarker; readonly why: string }[];
  /** Quotes, `$(` and here-documents that never end: such a text is no shell command. */
  readonly unterminated: readonly Unterminated[];
}

export interface Unterminated {
  /** The opening, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly why: string;
}

/** Takes a text apart; `shell` says whether values must be quoted when it is filled in, `bash` which shell reads it. */
export function parseTemplate(
  source: string,
  shell: boolean,
  resolve: (marker: FoundMarker) => MarkerRef | undefined,
  bash = false,
): ParsedTemplate {
  const { markers, literals, unterminated } = shell ? scanShell(source, bash) : scanPlain(source);
  const parts: TemplatePart[] = [];
  const unknown: FoundMarker[] = [];
  const unusable: { marker: FoundMarker; why: string }[] = [];
  let text = '';
  let done = 0;
  const cuts = [...markers.map(marker => ({ ...marker, marker })), ...literals].sort(
    (a, b) => a.start - b.start,
  );
  for (const cut of cuts) {
    if (!('marker' in cut)) {
      text += source.slice(done, cut.start) + cut.text;
      done = cut.end;
      continue;
    }
    const { marker } = cut;
    if (marker.where === 'comment') continue;
    const ref = resolve(marker);
    if (ref === undefined) {
      unknown.push(marker);
      continue;
    }
    if (marker.why !== undefined && !(marker.where === 'plain' && isNumber(ref))) {
      unusable.push({ marker, why: marker.why.replaceAll('{name}', `{${marker.name}}`) });
      continue;
    }
    text += source.slice(done, marker.start);
    if (marker.afterBackslash) text += '\\';
    done = marker.end;
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
    const part = { kind: 'marker', name: marker.name, where: marker.where, ref } as const;
    parts.push(marker.byVariable ? { ...part, byVariable: true } : part);
  }
  text += source.slice(done);
  if (text !== '') parts.push({ kind: 'text', text });
  return { template: { source, parts }, unknown, unusable, unterminated };
}

/** Numbers that we count ourselves are the same in every quoting, and no code anywhere. */
export function isNumber(ref: MarkerRef): boolean {
  return ref.kind === 'job' && (ref.what === 'n' || ref.what === 'cpus');
}

/** What a text is filled in with. */
export interface Filling {
  /** The row's values, in column order. */
  readonly values: readonly string[];
  /** The job's name; empty while it is just being made. */
  readonly name: string;
  readonly number: number;
  readonly cpus: number;
  /** The job's folder, relative to the image's root. */
  readonly out: string;
}

/** Fills in a text that no shell reads: `job_name`, `files`. */
export function fill(template: Template, job: Filling): string {
  let text = '';
  for (const part of template.parts) text += part.kind === 'text' ? part.text : markerValue(part.ref, job);
  return text;
}

/** What a marker stands for in one job, unquoted. */
export function markerValue(ref: MarkerRef, job: Filling): string {
  if (ref.kind === 'constant') return ref.value;
  if (ref.kind === 'column') return job.values[ref.index] ?? '';
  if (ref.what === 'id') return job.name;
  if (ref.what === 'out') return job.out;
  return String(ref.what === 'n' ? job.number : job.cpus);
}
