/** The library's way: one connection inside this process, the host's key checked by us. */
import { NodeSSH } from 'node-ssh';
import type { Attempt, Client, ConnectConfig } from 'ssh2';
import { agentOf } from './agent.ts';
import { openChannel } from './channel.ts';
import { allowed, hostKeyAlgorithms } from './choose.ts';
import { execute } from './execution.ts';
import { Gate } from './gate.ts';
import { fingerprint, judge, type KnownKeys, keyType } from './hostkeys.ts';
import { agentOrder, fileKeys, type Keys } from './keys.ts';
import { type ProxySocket, proxyOf, startProxy } from './proxy.ts';
import { type Resolved, setting } from './resolve.ts';
import type { Transport } from './transport.ts';
import { type LoggedIn, type Trouble, troubleOf } from './trouble.ts';

/** Logs in; never rejects, and leaves nothing behind when it fails. */
export async function byNodeSsh(
  resolved: Resolved,
  known: KnownKeys,
  keys: Keys,
  seconds: number,
  signal?: AbortSignal,
): Promise<LoggedIn> {
  const way = proxyOf(resolved);
  if (way === 'unknown')
    return { ok: false, trouble: { kind: 'other', reason: 'a ProxyCommand with tokens of its own' } };
  const proxy = way && startProxy(way);
  let refused: Trouble | undefined;
  const hostVerifier = (key: Buffer) => {
    const verdict = judge(known, key);
    if (verdict === 'trusted') return true;
    const shown = { verdict, type: keyType(key), fingerprint: fingerprint(key) };
    refused = { kind: 'host-key', reason: `host key ${verdict}`, key: shown };
    return false;
  };
  const ssh = new NodeSSH();
  try {
    const connecting = ssh.connect({ ...configOf(resolved, known, keys, seconds, proxy), hostVerifier });
    const client = ssh.connection;
    // Without a listener an error of an idle connection would end this process.
    client?.on('error', () => {});
    const stop = () => client?.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    await connecting.finally(() => signal?.removeEventListener('abort', stop));
    if (!client) throw new Error('No response from server');
    // Else each command waits for the other side's delayed acknowledgement, 40 ms.
    client.setNoDelay(true);
    return { ok: true, transport: transportOf(client, resolved.name, proxy) };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    ssh.connection?.destroy();
    proxy?.end();
    const onTheWay = proxy && troubleOf(proxy.said());
    return {
      ok: false,
      trouble: refused ?? (onTheWay && onTheWay.kind !== 'other' ? onTheWay : troubleOf(said)),
    };
  }
}

function configOf(
  resolved: Resolved,
  known: KnownKeys,
  keys: Keys,
  seconds: number,
  proxy: ProxySocket | undefined,
): ConnectConfig {
  const username = resolved.user;
  const offered = agentOrder(keys, resolved);
  const attempts: Attempt[] = fileKeys(keys).map(key => ({ type: 'publickey', username, key }));
  if (keys.agent !== undefined && offered.length > 0)
    attempts.unshift({ type: 'agent', username, agent: agentOf(keys.agent, offered) });
  const [kex, cipher, hmac] = ['kexalgorithms', 'ciphers', 'macs'].map(key => allowed(resolved, key));
  const family = setting(resolved, 'addressfamily');
  return {
    host: resolved.hostname,
    port: resolved.port,
    username,
    forceIPv4: family === 'inet',
    forceIPv6: family === 'inet6',
    ...(proxy && { sock: proxy.socket }),
    authHandler: attempts,
    // A host that fell silent is given up after 15 s, like `ssh` with our options.
    keepaliveInterval: 5000,
    keepaliveCountMax: 3,
    readyTimeout: Math.max(1, Math.round(seconds * 1000)),
    algorithms: {
      ...(kex && { kex }),
      ...(cipher && { cipher }),
      ...(hmac && { hmac }),
      serverHostKey: hostKeyAlgorithms(resolved, known),
    },
  };
}

function transportOf(client: Client, name: string, proxy: ProxySocket | undefined): Transport {
  const gate = new Gate();
  let reason = `the connection to ${name} was closed`;
  client.on('error', (error: Error) => {
    reason = `the connection to ${name} was lost: ${error.message}`;
  });
  const lost = new Promise<string>(resolve => {
    client.once('close', () => {
      proxy?.end();
      resolve(reason);
    });
  });
  const open = (command: string) => openChannel(client, gate, lost, name, command);
  return {
    kind: 'node-ssh',
    exec: (command, options) => execute(() => open(command), options),
    open,
    lost,
    close: async () => {
      reason = 'closed';
      client.end();
      const late = setTimeout(() => client.destroy(), 1000);
      await lost;
      clearTimeout(late);
    },
  };
}
