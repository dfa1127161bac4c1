import { createServer } from 'node:net';

/** Below the range from which the kernel takes ports for outgoing connections, so that a host finds its port again. */
export async function freePort(address: string, first: number): Promise<number> {
  for (let port = first; port < 30_000; port += 100) if (await isFree(address, port)) return port;
  throw new Error(`no port is free at ${address}`);
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

/** Why no host can listen at ::1 here; undefined where one can. */
export async function canIpv6(): Promise<string | undefined> {
  return (await isFree('::1', 0)) ? undefined : 'this machine has no address ::1';
}
