/** Removes a work folder from a node: exactly it, after what runs in it was ended; and looks that nothing is left. */
import { shWord } from '../quote.ts';
import type { Transport } from '../transport/transport.ts';
import { type Entry, imageId } from './ledger.ts';
import { runScript } from './script.ts';
import { nodeScript } from './work.ts';

/** `lost`: the connection was, so nobody knows. */
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
  const work = shWord(entry.work);
  const script = `
${nodeScript('processes.sh')}
${nodeScript('remove.sh')}
{ read -r _ _ _ image _ <${work}/marker && read -r keeper <${work}/keeper.pid; } 2>/dev/null &&
  [ "$image" != ${imageId()} ] && alive "$keeper" && { echo 'left in use: by another copy of this image'; exit 0; }
read -r since 2>/dev/null <${work}/born || since=${since}
silence ${name} && reap 'LOGOBATCH_KEEPER=${name}$' || echo 'left it has processes that cannot be ended'
remove_work ${work} ${shWord(entry.token)} || echo "left $why"
[ ! -e ${work} ] && [ ! -L ${work} ] && echo absent
${entry.warm ? 'since=0' : ''}
[ "$since" = 0 ] || strays "$since"
echo looked`;
  const said = await runScript(transport, script, 120);
  if (!said.ok) return { ok: false, why: said.why, lost: said.lost };
  const left = said.lines.filter(line => line.startsWith('left ')).map(line => line.slice(5));
  if (left.length > 0) return { ok: false, why: left.join('; '), lost: false };
  if (!said.lines.includes('absent') || !said.lines.includes('looked'))
    return { ok: false, why: 'it is still there', lost: false };
  return {
    ok: true,
    strays: straysOf(said.lines),
  };
}

/** Of what remove.sh says. */
export function straysOf(lines: readonly string[]): string[] {
  return lines.flatMap(line => (line.startsWith('stray ') ? [line.slice(6)] : []));
}
