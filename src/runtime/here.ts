/** This machine as a node of the grid: how niced its jobs run, and when it is too busy for more of them. */
import { loadavg } from 'node:os';
import type { LocalResource } from '../grid/model.ts';
import * as board from './board.ts';

const LOOK = 5_000;

/** Tells the visits, and goes on looking at the load until this process ends. */
export function mindHere({ name, nice, maxLoad }: LocalResource): void {
  if (nice > 0) board.tellNice(name, nice);
  if (maxLoad === undefined) return;
  const look = () => {
    const [load = 0] = loadavg();
    if (load > maxLoad) board.putAside(name);
    else board.takeBack(name);
  };
  look();
  setInterval(look, LOOK).unref();
}
