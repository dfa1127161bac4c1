/** A connection to a node, for lines that begin with its name already. */
import type { ClusterResource, Host, SshResource } from '../grid/model.ts';
import { connect } from '../transport/connect.ts';
import { transportHere } from '../transport/here.ts';
import type { Connected, ConnectOptions, Wish } from '../transport/transport.ts';

/** A host without a name is this machine: that is where a cluster without a login node is spoken with. */
const HERE: Host = { hostname: '' };

export function hostOf({ host }: ClusterResource): Host {
  return host ?? HERE;
}

/** As something that can be connected to: its login node, or this machine. */
export function loginNodeOf(resource: ClusterResource): SshResource {
  const { name, tags, keep, transport } = resource;
  const host = hostOf(resource);
  const plain = { nice: 0, fastStorage: [], remoteStorage: [] };
  return { kind: 'ssh', name, tags, keep, transport, host, slots: resource.maxJobs, ...plain };
}

/** `secrets`: names of variables that nobody is to see there but jobs. */
export async function reach(
  { host, transport }: { readonly host: Host; readonly transport: Wish },
  options: ConnectOptions,
  secrets: readonly string[] = [],
): Promise<Connected> {
  if (host.hostname === HERE.hostname) return { ok: true, transport: transportHere(secrets) };
  const connected = await connect(host, transport, options);
  const start = `${host.hostname}: `;
  if (connected.ok || !connected.failure.message.startsWith(start)) return connected;
  const message = connected.failure.message.slice(start.length);
  return { ...connected, failure: { ...connected.failure, message } };
}
