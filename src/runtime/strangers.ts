/** Work folders of this image that no ledger knows of: of runs that died before they could note, or whose notes were lost. */
import { readFileSync } from 'node:fs';
import { shWord } from '../quote.ts';
import { type Entry, imageId, readLedger } from './ledger.ts';

/** Shell that says what there is: `stranger <token> <run> <folder>`. `folders`: words of sh. */
export function strangersScript(folders: readonly string[]): string {
  return `
for above in ${folders.join(' ')}; do
  for stranger in "$above"/lb.??????????; do
    [ ! -L "$stranger" ] && [ -O "$stranger" ] && [ -f "$stranger/marker" ] && [ ! -L "$stranger/marker" ] || continue
    read -r word _ token image run <"$stranger/marker" && [ "$word $image" = ${shWord(`logobatch ${imageId()}`)} ] || continue
    # What a keeper watches is in use, or about to be removed.
    { read -r keeper <"$stranger/keeper.pid" && kill -0 "$keeper"; } 2>/dev/null && continue
    printf 'stranger %s %s %s\\n' "$token" "$run" "$stranger"
  done
done`;
}

/** Those among what it said that are nobody's: not in the ledger, and not of a run that lives. */
export function strangersOf(
  lines: readonly string[],
  { node, host, transport }: Pick<Entry, 'node' | 'host' | 'transport'>,
  runs: readonly string[] = [],
): Entry[] {
  const known = new Set(readLedger().entries.map(({ work }) => work));
  const living = [livingRun(), ...runs];
  return lines.flatMap(line => {
    const [, token = '', run = '', work = ''] = /^stranger (\S+) (\S+) (\/.*)$/.exec(line) ?? [];
    if (work === '' || known.has(work) || living.includes(run)) return [];
    known.add(work);
    return [{ node, host, transport, work, token, run, warm: false }];
  });
}

/** The run that make leads here at the moment: `pid birth run since` in `run/owner`. */
function livingRun(): string | undefined {
  try {
    const [pid = '', birth, run] = readFileSync('.logobatch/run/owner', 'utf8').trim().split(' ');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === birth ? run : undefined;
  } catch {
    return undefined;
  }
}
