/**
 * The view of the image on storages that several nodes see: staged once, by the first node that comes, for all. A node that
 * does not see what another put there has its own.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { SshResource } from '../grid/model.ts';
import { shWord } from '../quote.ts';
import type { Transport } from '../transport/transport.ts';
import { type Entry, readLedger } from './ledger.ts';
import { runScript } from './script.ts';
import type { Work } from './work.ts';

/** A work folder on a storage, with the view in it. */
export type Placed =
  | { readonly ok: true; readonly work: Work }
  | { readonly ok: false; readonly why: string };

/** Makes or takes over a work folder on the storage, and stages into it. */
export type Place = (known: Entry | undefined, above: string) => Promise<Placed>;

/** Those of a run. */
export interface Storages {
  /** The folder on this node that holds the image's view, if the node mounts a storage and all goes well; else why not. */
  readonly rootOn: (
    node: SshResource,
    transport: Transport,
    place: Place,
  ) => Promise<{ readonly root: string; readonly continued: boolean } | { readonly why: string } | undefined>;
}

/** None staged yet. A storage on which that fails is tried again by the next node that comes. */
export function newStorages(): Storages {
  const staged = new Map<string, Promise<Placed>>();
  return {
    rootOn: async (node, transport, place) => {
      const [mount] = node.remoteStorage;
      if (!mount) return undefined;
      const before = staged.get(mount.name);
      const placing = before ?? place(storedOn(mount.name), mount.path);
      staged.set(mount.name, placing);
      const placed = await placing;
      if (!placed.ok) {
        if (staged.get(mount.name) === placing) staged.delete(mount.name);
        return { why: `${mount.name}: ${placed.why}` };
      }
      const { entry, continued } = placed.work;
      const work = join(mount.path, entry.work.split('/').at(-1) ?? '');
      if (before && !(await sees(transport, work, entry)))
        return { why: `${mount.name} at ${mount.path} is not what ${entry.node} sees of it` };
      return { root: join(work, 'image'), continued: continued || before !== undefined };
    },
  };
}

/** What this image has on a storage already, whichever node noted it. */
function storedOn(storage: string): Entry | undefined {
  return readLedger().entries.find(entry => entry.storage === storage);
}

/** A network file system may show it a little later. */
async function sees(transport: Transport, work: string, { token }: Entry): Promise<boolean> {
  const script = `read -r word _ token _ <${shWord(`${work}/marker`)} && [ "$word $token" = ${shWord(`logobatch ${token}`)} ]`;
  for (let tries = 0; tries < 4; tries++) {
    if (tries > 0) await wait(1000);
    const said = await runScript(transport, script, 20);
    if (said.ok) return true;
    if (said.lost) return false;
  }
  return false;
}
