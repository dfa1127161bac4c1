/** The system's way: `ssh` itself, one master, a process a session. Whatever `ssh` can do, this can. */
import { execute } from './execution.ts';
import { Gate } from './gate.ts';
import { isUp, type Master, startMaster, stopMaster, watchMaster } from './master.ts';
import { startSession } from './session.ts';
import type { Session, Transport } from './transport.ts';
import type { LoggedIn } from './trouble.ts';

/** Logs in; never rejects. `because`: why it is not node-ssh. */
export async function byOpenSsh(
  master: Master,
  options: { seconds: number; interactive: boolean; signal?: AbortSignal | undefined },
  because: string | undefined,
): Promise<LoggedIn> {
  const trouble = await startMaster(master, options);
  if (trouble) return { ok: false, trouble };
  return { ok: true, transport: transportOf(master, because) };
}

function transportOf(master: Master, because: string | undefined): Transport {
  const gate = new Gate();
  let closing = false;
  const { gone, release } = watchMaster(master);
  const lost = gone.then(() => (closing ? 'closed' : `the connection to ${master.host.hostname} was lost`));
  const open = (command: string) => openSession(master, gate, command);
  return {
    kind: 'openssh',
    ...(because !== undefined && { because }),
    exec: (command, options) => execute(() => open(command), options),
    open,
    lost,
    close: async () => {
      closing = true;
      await stopMaster(master);
      release();
    },
  };
}

/** How often a session is asked for while no other of ours is open: somebody else's may end. */
const TRIES = 5;

/** Waits for its turn, and again where the host refuses a session because others are open. */
async function openSession(master: Master, gate: Gate, command: string): Promise<Session> {
  const { hostname } = master.host;
  for (let alone = 0; ; ) {
    await gate.enter();
    const { session, state } = await started(master, gate, command);
    if (state === 'open') {
      void session.closed.then(() => gate.leave());
      return session;
    }
    if (state !== 'refused') {
      gate.leave();
      throw new Error(`no session on ${hostname}: ${state || 'its connection was lost'}`);
    }
    if (gate.refused()) continue;
    if (++alone >= TRIES) throw new Error(`${hostname} refuses another session (MaxSessions)`);
    await new Promise(resolve => setTimeout(resolve, 100 * 2 ** alone));
  }
}

/** A command too long for this machine is refused at once, with an exception. */
async function started(master: Master, gate: Gate, command: string) {
  try {
    const { session, established } = startSession(master, command, () => isUp(master));
    return { session, state: await established };
  } catch (error) {
    gate.leave();
    throw error;
  }
}
