/** This machine as a host: real `sh`, and no ssh. For what is about scripts and files, and not about connections. */
import { spawn } from 'node:child_process';
import { execute } from '../../src/transport/execution.ts';
import type { Session, Transport } from '../../src/transport/transport.ts';

/** `path`: its PATH, such as a folder of busybox's applets; `shell`: the login shell, which has to be found there. */
export function hereTransport(path = process.env.PATH ?? '', shell = 'sh'): Transport {
  const start = (command: string) =>
    spawn(shell, ['-c', command], { env: { PATH: path, HOME: '/nonexistent' }, cwd: '/' });
  const open = async (command: string): Promise<Session> => {
    const child = start(command);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
    const closed = new Promise<{ code: number | null; stderr: string }>((resolve, reject) =>
      child.on('error', reject).on('close', code => resolve({ code, stderr })),
    );
    return { stdin: child.stdin, stdout: child.stdout, closed, end: () => void child.kill('SIGKILL') };
  };
  return {
    kind: 'openssh',
    exec: (command, options) => execute(() => open(command), options),
    open,
    lost: new Promise(() => {}),
    close: async () => {},
  };
}
