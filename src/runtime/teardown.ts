/** Removes a work folder from a node: exactly it, after what runs in it was ended; and looks that nothing is left. */
import { shWord } from '../quote.ts';
import type { Transport } from '../transport/transport.ts';
import type { Entry } from './ledger.ts';
import { runScript } from './script.ts';
import { nodeScript } from './work.ts';

export type Removed =
  | {
      readonly ok: true;
      /** Programs that somebody of that name has started meanwhile and that have lost their parent: perhaps a job's. */
      readonly strays: readonly string[];
    }
  | { readonly ok: false; readonly why: string; readonly lost: boolean };

/** Idempotent: what is gone already is only looked at. `since`: the birth of the work folder, in ticks of that machine, where it is known. */
export async function removeWork(transport: Transport, entry: Entry, since = 0): Promise<Removed> {
  const name = entry.work.split('/').at(-1) ?? '';
  const script = `
${nodeScript('processes.sh')}
${nodeScript('remove.sh')}
read -r since 2>/dev/null <${shWord(`${entry.work}/born`)} || since=${since}
silence ${name} && reap 'LOGOBATCH_KEEPER=${name}$' || echo 'left processes that cannot be ended'
remove_work ${shWord(entry.work)} ${shWord(entry.token)} || echo "left ${entry.work} $why"
[ ! -e ${shWord(entry.work)} ] && [ ! -L ${shWord(entry.work)} ] && echo absent
[ "$since" = 0 ] || strays "$since" | sed 's/^/stray /'
echo looked`;
  const said = await runScript(transport, script, 120);
  if (!said.ok) return { ok: false, why: said.why, lost: said.lost };
  const left = said.lines.filter(line => line.startsWith('left ')).map(line => line.slice(5));
  if (left.length > 0) return { ok: false, why: left.join('; '), lost: false };
  if (!said.lines.includes('absent') || !said.lines.includes('looked'))
    return { ok: false, why: `${entry.work} is still there`, lost: false };
  return {
    ok: true,
    strays: said.lines.filter(line => line.startsWith('stray ')).map(line => line.slice(6)),
  };
}
