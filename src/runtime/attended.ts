/** What attends a run asks of each of its nodes, whatever kind they are. */
import type { Listed } from './board.ts';
import type { Report } from './down.ts';

/** `coming`: never was up; `away`: lost, and tried again; `out`: given up. */
export type Status = 'coming' | 'up' | 'away' | 'out';

/** How a run ends: all is done; whoever began it wants nothing of it to go on; or what can go on without it is to do so. */
export type Ending = 'end' | 'cancel' | 'leave';

/** What a node tells whoever attends it. */
export interface Listener {
  /** A line for the person. */
  readonly say: (line: string) => void;
  /** It came up or went out, or takes more or less than before. */
  readonly changed: () => void;
}

export interface Attended {
  readonly resource: { readonly name: string; readonly slots?: number };
  readonly status: Status;
  /** Jobs can start there now, or could but for its load. */
  readonly usable: boolean;
  readonly slots: number;
  /** As visits are told of it, once it was up. */
  readonly listed: Listed | undefined;
  /** Brings it up and keeps it until `end`; resolves when the first try has ended, however. */
  start(): Promise<void>;
  /** The run is over: ends what is left of it there, takes it down and looks that it is gone. */
  end(how: Ending): Promise<Report>;
}
