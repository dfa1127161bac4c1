/** Tells visits how to reach what has just come up, a node or a cluster's login node. */
import type { Host } from '../grid/model.ts';
import { sshOptions } from '../transport/transport.ts';
import * as board from './board.ts';
import type { Ready } from './bootstrap.ts';

/** Sessions over one connection: sshd's own limit is 10, and the runtime needs some itself. */
export const SESSIONS = 8;

/** `control`: the path of visits' sockets, without their number; `nice`: of the jobs there. They may start there from now on. */
export function announce(
  name: string,
  host: Host,
  { work, root, byPerson, continued }: Ready,
  { control, nice }: { readonly control: string; readonly nice: number },
): void {
  const reach = {
    host: host.hostname,
    options: sshOptions(host),
    work: work.entry.work,
    root,
    control,
    sessions: SESSIONS,
    // A person who has logged in does so only once.
    masters: byPerson ? 1 : 0,
    nice,
  };
  board.tellReach(name, reach, { anew: !continued });
  board.takeBack(name);
}
