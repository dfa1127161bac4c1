/** Connections to hosts of a lab, as the runtime makes them. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../src/transport/connect.ts';
import type { ConnectOptions, Transport, Wish } from '../../src/transport/transport.ts';

/** A short private folder for control sockets; whoever makes it removes it. */
export function controlFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lbc.'));
}

let sockets = 0;

export function tryReach(
  folder: string,
  hostname: string,
  wish: Wish,
  options: Partial<ConnectOptions> = {},
) {
  const control = join(folder, `${++sockets}`);
  return connect({ hostname }, wish, { control, seconds: 20, interactive: false, ...options });
}

/** Connects, or fails the test with what was said. */
export async function reach(
  folder: string,
  hostname: string,
  wish: Wish,
  options: Partial<ConnectOptions> = {},
): Promise<Transport> {
  const outcome = await tryReach(folder, hostname, wish, options);
  assert.ok(outcome.ok, outcome.ok ? '' : `${outcome.failure.message}; ${outcome.failure.hint}`);
  return outcome.transport;
}
