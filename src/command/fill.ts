/**
 * Fills a job's values into a shell command, so that they arrive byte for byte and never act as code: as a quoted
 * word, as text for the quoting that is open, or out of a shell variable where neither is exact.
 */
import { type Filling, isNumber, markerValue } from '../command.ts';
import type { MarkerRef, Quoting, Template } from '../model.ts';
import { insideDouble, insideSingle } from '../quote.ts';

/** Variables of the run; a column of such a name is exported by its position. */
export const RUN_VARIABLES = [
  'LB_JOB',
  'LB_ATTEMPT',
  'LB_CPUS',
  'LB_NODE',
  'LB_SCRATCH',
  'LB_OUT',
  'LB_INSIDE',
];

/** The shell variables that hold a row's values, in column order: `LB_density`, or `LB_i0` where a column has no usable name. */
export function columnVariables(columns: readonly (string | undefined)[]): string[] {
  const taken = new Set(RUN_VARIABLES);
  const named = columns.map(name => {
    const variable = `LB_${name}`;
    if (name === undefined || !/^\w+$/.test(name) || taken.has(variable)) return undefined;
    taken.add(variable);
    return variable;
  });
  return named.map((variable, index) => {
    if (variable !== undefined) return variable;
    let byPosition = `LB_i${index}`;
    while (taken.has(byPosition)) byPosition += '_';
    taken.add(byPosition);
    return byPosition;
  });
}

/** A command ready to be filled in. */
export interface ShellText {
  /** Texts between which the values of `pieces` go: `texts[0] pieces[0] texts[1] …` */
  readonly texts: readonly string[];
  readonly pieces: readonly ((job: Filling) => string)[];
  /** Variables that it reads beside those of columns and run, and what they must hold. */
  readonly variables: ReadonlyMap<string, MarkerRef>;
}

/** Prepares a command once a batch. `columns` are the variables of the table's columns. */
export function shellText(command: Template, columns: readonly string[]): ShellText {
  const texts = [''];
  const pieces: ((job: Filling) => string)[] = [];
  const variables = new Map<string, MarkerRef>();
  const say = (text: string) => {
    texts[texts.length - 1] += text;
  };
  /** The word so far, with an x for each value. */
  let word = '';
  command.parts.forEach((part, index) => {
    if (part.kind === 'text') {
      say(part.text);
      const text = part.text.replaceAll('\\\n', '');
      word = (/[\s;&|<>()]/.test(text) ? '' : word) + (/[^\s;&|<>()]*$/.exec(text)?.[0] ?? '');
      return;
    }
    const { ref, where } = part;
    const afterName = /\$[A-Za-z_]\w*$/.test(word);
    if (part.byVariable || (ref.kind === 'job' && ref.what === 'out') || (afterName && where === 'plain')) {
      const variable = variableOf(ref, part.name, columns);
      if (!isExported(ref)) variables.set(variable, ref);
      say(expansion(variable, where));
    } else {
      const next = command.parts[index + 1];
      const follows = next === undefined ? '' : next.kind === 'text' ? next.text : 'x';
      // "$HOME{x}" must not become "$HOMEabc".
      if (afterName && where === 'double') say('""');
      const quote = isNumber(ref) ? numberQuote(where, word, follows) : valueQuote(where, word, follows);
      if (ref.kind === 'constant') say(quote(ref.value));
      else {
        pieces.push(job => quote(markerValue(ref, job)));
        texts.push('');
      }
    }
    word += 'x';
  });
  return { texts, pieces, variables };
}

function variableOf(ref: MarkerRef, name: string, columns: readonly string[]): string {
  if (ref.kind === 'column') return columns[ref.index] ?? `LB_i${ref.index}`;
  if (ref.kind === 'constant' || ref.what === 'n') return `LB_${name}`;
  return { id: 'LB_JOB', cpus: 'LB_CPUS', out: 'LB_OUT' }[ref.what];
}

/** Whether a jobfile sets its variable anyway. */
function isExported(ref: MarkerRef): boolean {
  return ref.kind === 'column' || (ref.kind === 'job' && ref.what !== 'n');
}

function expansion(variable: string, where: Quoting): string {
  if (where === 'bare') return `"$${variable}"`;
  if (where === 'single') return `'"$${variable}"'`;
  return `\${${variable}}`;
}

/** `word` is what stands before the marker in its word, `follows` the text after it. */
function numberQuote(where: Quoting, word: string, follows: string): (value: string) => string {
  return where === 'bare' && (/~|\$\w+$/.test(word) || /^[<>]/.test(follows)) ? quoted : value => value;
}

function valueQuote(where: Quoting, word: string, follows: string): (value: string) => string {
  if (where === 'single') return insideSingle;
  if (where === 'double') return insideDouble;
  if (where !== 'bare') throw new Error(`no literal is exact in ${where}`);
  // After these the shell would give a plain value a meaning: $HOMEabc ~ann [a-z] {1..9}; before = ( [ it would be a name.
  if (/[~[{]|\$\w+$/.test(word) || /^(?:\+?=|[([])/.test(follows)) return quoted;
  const first = word === '';
  const joined = /[A-Za-z]$/.test(word) || /^[A-Za-z]/.test(follows);
  const redirects = /^[<>]/.test(follows);
  return value => {
    const plain =
      /^[A-Za-z0-9_/.:@%+-]+$/.test(value) &&
      !(joined && /^[a-z]+$/.test(value)) &&
      !(first && RESERVED.has(value)) &&
      !(redirects && /^[0-9]+$/.test(value));
    return plain ? value : quoted(value);
  };
}

/** Words that would be syntax where a command starts; a quoted one never is. */
const RESERVED = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);

function quoted(value: string): string {
  return `'${insideSingle(value)}'`;
}
