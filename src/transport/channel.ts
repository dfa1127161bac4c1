/** One command over a connection of ssh2. */
import type { Client, ClientChannel } from 'ssh2';
import { Tail } from './execution.ts';
import type { Gate } from './gate.ts';
import type { Session } from './transport.ts';

/** How often a session is asked for while no other of ours is open: somebody else's may end. */
const TRIES = 5;

/** Waits for its turn, and again where the host refuses a session because others are open. */
export async function openChannel(
  client: Client,
  gate: Gate,
  lost: Promise<string>,
  name: string,
  command: string,
): Promise<Session> {
  const gone = lost.then(reason => {
    throw new Error(reason);
  });
  gone.catch(() => {});
  for (let alone = 0; ; ) {
    await Promise.race([gate.enter(), gone]);
    const opened = await Promise.race([start(client, command), gone]);
    if (!(opened instanceof Error)) return sessionOf(opened, lost, gate);
    if (gate.refused()) continue;
    if (!/open fail/i.test(opened.message) || ++alone >= TRIES)
      throw new Error(`no session on ${name}: ${opened.message}`);
    await new Promise(resolve => setTimeout(resolve, 100 * 2 ** alone));
  }
}

/** A channel, and how its command ended so far. */
interface Opened {
  readonly channel: ClientChannel;
  code: number | null;
  signal: string | undefined;
}

function start(client: Client, command: string): Promise<Opened | Error> {
  return new Promise(resolve => {
    try {
      client.exec(command, (error, channel) => {
        if (error) return resolve(error);
        const opened: Opened = { channel, code: null, signal: undefined };
        // Listened to at once: what a quick command says may all come in one packet, and only the exit code is not kept for later.
        channel.on('exit', (code: number | null, signal?: string) => {
          opened.code = code ?? null;
          opened.signal = signal;
        });
        resolve(opened);
      });
    } catch (error) {
      resolve(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function sessionOf(opened: Opened, lost: Promise<string>, gate: Gate): Session {
  const { channel } = opened;
  const errors = new Tail();
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  channel.stderr.on('data', (chunk: Buffer) => errors.add(chunk));
  const closed = new Promise<{ code: number | null; stderr: string }>(resolve => {
    channel.once('close', async () => {
      gate.leave();
      const stderr = errors.text();
      const { code, signal } = opened;
      if (code !== null) return resolve({ code, stderr });
      const why = signal === undefined ? await Promise.race([lost, ended()]) : `ended by ${signal}`;
      resolve({ code, stderr: `${stderr}${stderr === '' || stderr.endsWith('\n') ? '' : '\n'}${why}` });
    });
  });
  const end = () => {
    channel.close();
    channel.destroy();
  };
  return { stdin: channel, stdout: channel, closed, end };
}

/** A channel closes just before its connection says why. */
function ended(): Promise<string> {
  return new Promise(resolve => setTimeout(resolve, 200, 'the session was ended'));
}
