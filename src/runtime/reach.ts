/** A connection to a node, for lines that begin with its name already. */
import type { Host } from '../grid/model.ts';
import { connect } from '../transport/connect.ts';
import type { Connected, ConnectOptions, Wish } from '../transport/transport.ts';

export async function reach(
  { host, transport }: { readonly host: Host; readonly transport: Wish },
  options: ConnectOptions,
): Promise<Connected> {
  const connected = await connect(host, transport, options);
  const start = `${host.hostname}: `;
  if (connected.ok || !connected.failure.message.startsWith(start)) return connected;
  const message = connected.failure.message.slice(start.length);
  return { ...connected, failure: { ...connected.failure, message } };
}
