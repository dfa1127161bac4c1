/** This machine as a host: real `sh`, and no ssh. For what is about scripts and files, and not about connections. */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import type { Transport } from '../../src/transport/transport.ts';

/** `path`: its PATH, such as a folder of busybox's applets; `shell`: the login shell, which has to be found there. */
export function hereTransport(path = process.env.PATH ?? '', shell = 'sh'): Transport {
  const start = (command: string) =>
    spawn(shell, ['-c', command], { env: { PATH: path, HOME: '/nonexistent' }, cwd: '/' });
  return {
    kind: 'openssh',
    exec: (command, { input = '' } = {}) =>
      new Promise((resolve, reject) => {
        const child = start(command);
        const out = { stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr'] as const)
          child[name].setEncoding('utf8').on('data', text => (out[name] += text));
        child.stdin.on('error', () => {});
        if (input instanceof Readable) input.pipe(child.stdin);
        else child.stdin.end(input);
        child.on('error', reject).on('close', code => resolve({ code, ...out }));
      }),
    open: async command => {
      const child = start(command);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
      const closed = new Promise<{ code: number | null; stderr: string }>(resolve =>
        child.on('close', code => resolve({ code, stderr })),
      );
      return { stdin: child.stdin, stdout: child.stdout, closed, end: () => void child.kill('SIGKILL') };
    },
    lost: new Promise(() => {}),
    close: async () => {},
  };
}
