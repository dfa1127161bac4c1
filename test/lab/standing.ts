import { clear } from './host.ts';
import { type Slot, takeSlot } from './slot.ts';
import { takeTurn } from './turn.ts';

/**
 * Builds a lab in a slot of its own. It stands until it is stopped or this process ends; if it cannot be built, nothing stays. `turn`: there is to be
 * only one lab of this name at a time.
 */
export async function standing<Lab extends object>(
  build: (slot: Slot) => Promise<Lab>,
  turn?: string,
): Promise<Lab & { readonly stop: () => void }> {
  const taken = turn === undefined ? undefined : await takeTurn(turn);
  const slot = await takeSlot(clear);
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    process.off('exit', stop);
    clear(slot.folder);
    slot.release();
    taken?.release();
  };
  process.on('exit', stop);
  try {
    return { ...(await build(slot)), stop };
  } catch (error) {
    stop();
    throw error;
  }
}
