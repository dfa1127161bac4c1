/** The system's way: a master of `ssh`, and sessions over its socket. Whatever `ssh` can do, this can. */
import { execute } from './execution.ts';
import { Gate } from './gate.ts';
import { type Master, type Opening, openMaster, stopMaster } from './master.ts';
import type { Mux } from './mux.ts';
import type { Session, Transport } from './transport.ts';
import type { LoggedIn } from './trouble.ts';

/** Logs in; never rejects. `because`: why it is not node-ssh. */
export async function byOpenSsh(
  master: Master,
  options: Opening,
  because: string | undefined,
): Promise<LoggedIn> {
  const opened = await openMaster(master, options);
  if ('kind' in opened) return { ok: false, trouble: opened };
  return { ok: true, transport: transportOf(master, opened, because) };
}

function transportOf(master: Master, mux: Mux, because: string | undefined): Transport {
  const gate = new Gate();
  let closing = false;
  const { hostname } = master.host;
  const lost = mux.gone.then(() => (closing ? 'closed' : `the connection to ${hostname} was lost`));
  const open = (command: string) => openSession(mux, gate, hostname, command);
  return {
    kind: 'openssh',
    ...(because !== undefined && { because }),
    exec: (command, options) => execute(() => open(command), options),
    open,
    lost,
    close: async ({ keep } = { keep: false }) => {
      closing = true;
      if (!keep) await stopMaster(master.control);
      mux.close();
    },
  };
}

/** How often a session is asked for while no other of ours is open: somebody else's may end. */
const TRIES = 5;

/** Waits for its turn, and again where the host refuses a session because others are open. */
async function openSession(mux: Mux, gate: Gate, hostname: string, command: string): Promise<Session> {
  for (let alone = 0; ; ) {
    await gate.enter();
    const opened = await mux.open(command);
    if ('closed' in opened) {
      void opened.closed.then(() => gate.leave());
      return opened;
    }
    if (!opened.refused) {
      gate.leave();
      throw new Error(`no session on ${hostname}: ${opened.why}`);
    }
    if (gate.refused()) continue;
    if (++alone >= TRIES) throw new Error(`${hostname} refuses another session (MaxSessions)`);
    await new Promise(resolve => setTimeout(resolve, 100 * 2 ** alone));
  }
}
