/** `env:` and `secrets:`: what jobs find in their environment. */
import { fill, parseTemplate } from '../command.ts';
import { excerpt } from '../diagnostic.ts';
import type { Place } from '../model.ts';
import type { Report } from '../read/report.ts';
import { scalarsOf, type Tree } from '../read/tree.ts';
import { IDENTIFIER } from './names.ts';
import { MAX_VARIABLE_BYTES } from './table.ts';

/** Change what the shell, the loader or make does before the command starts; or are ours. */
const RESERVED =
  /^(IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|MAKEFLAGS|MAKELEVEL|MFLAGS|TAR_OPTIONS|LD_.*|BASH_FUNC_.*|LOGOBATCH_.*|LB_.*)$/;

/** Fine to set, but a value is never expanded, and that surprises here. */
const TAKEN_AS_WRITTEN = new Set(['PATH', 'HOME', 'SHELL', 'USER', 'TMPDIR', 'PWD']);

export function environment(
  tree: Tree | undefined,
  constants: ReadonlyMap<string, string>,
  report: Report,
): Map<string, string> {
  const env = new Map<string, string>();
  for (const { key, keyPlace, value } of tree?.kind === 'map' ? tree.entries : []) {
    if (value.kind !== 'scalar') continue;
    if (!IDENTIFIER.test(key)) {
      report.error('bad-name', keyPlace, `${excerpt(key, 40)} is no name for a variable`, {
        hint: 'letters, digits and _ only, no digit first',
      });
      continue;
    }
    if (RESERVED.test(key)) {
      refuseReserved(key, keyPlace, report);
      continue;
    }
    if (TAKEN_AS_WRITTEN.has(key) && /\$|~|^[^/]/.test(value.text)) {
      report.warn('env-path', value.place, `${key} is taken as written: $ and ~ are not expanded`, {
        hint: `to extend it, put it into the command: ${key}="…:$${key}"`,
      });
    }
    const text = fillConstants(value.text, constants, (name, start, end) => {
      report.error('bad-marker', value.within(start, end), `{${name}} cannot be filled in in env`, {
        hint: `columns are exported already: use $LB_${name} in the command; or {{${name}}} for a literal {${name}}`,
      });
    });
    if (Buffer.byteLength(`${key}=${text}`) >= MAX_VARIABLE_BYTES) {
      const room = (MAX_VARIABLE_BYTES - key.length - 2).toLocaleString('en');
      report.error('too-large', value.place, `the value of ${key} is too long: ${excerpt(text)}`, {
        hint: `at most ${room} bytes: put it into a file`,
      });
    }
    env.set(key, text);
  }
  return env;
}

/** Markers of the batch's own keys are known now; others are handed to `refuse`. */
export function fillConstants(
  text: string,
  constants: ReadonlyMap<string, string>,
  refuse: (name: string, start: number, end: number) => void,
): string {
  const { template, unknown } = parseTemplate(text, false, ({ name }) => {
    const value = constants.get(name);
    return value === undefined ? undefined : { kind: 'constant', value };
  });
  for (const { name, start, end } of unknown) refuse(name, start, end);
  return fill(template, { values: [], name: '', number: 0, cpus: 0, out: '' });
}

function refuseReserved(name: string, place: Place | undefined, report: Report): void {
  const ours = /^(LB_|LOGOBATCH_)/.test(name);
  const message = `the variable ${name} ${ours ? 'is ours' : 'changes how the job is started'}`;
  report.error('env-reserved', place, message, {
    hint: ours ? 'take another name' : `set it in the command: ${name}=… program`,
  });
}

/** A variable of the head, or a file of the head: outside of the image on purpose, because an image is handed on. */
export function secretNames(tree: Tree | undefined, report: Report): string[] {
  return scalarsOf(tree).flatMap(secret => {
    const { text } = secret;
    const isFile = /[/.]/.test(text);
    if (isFile ? !/[\u0000-\u001f\u007f]/.test(text) : IDENTIFIER.test(text) && !RESERVED.test(text))
      return [text];
    if (RESERVED.test(text)) refuseReserved(text, secret.place, report);
    else
      report.error('bad-value', secret.place, 'a secret is the name of a variable, or the path of a file', {
        hint: 'never the secret itself: export API_TOKEN=… and write API_TOKEN here',
      });
    return [];
  });
}
