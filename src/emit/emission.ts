/** What is to stand on the disk, as texts that are made when they are asked for. */
import type { PlannedBatch } from '../model.ts';

export interface EmittedFile {
  /** Relative to the image's root. */
  readonly path: string;
  readonly mode: number;
  /** In pieces, so that a long one need not be held whole. */
  readonly text: () => Iterable<string>;
}

/** The jobfiles of a batch. */
export interface EmittedJobs {
  readonly planned: PlannedBatch;
  /** `data/processed/<bbatch>/<batch>` */
  readonly folder: string;
  /** The jobfile of the job at this place of the table. */
  readonly text: (index: number) => string;
  /** Changes whenever any jobfile of the batch may read differently although its row stayed. */
  readonly wording: string;
}

export interface Emission {
  /** `batch_info/jobs.lock`: written first, so that a number is on disk before anything is called by it. */
  readonly lock: EmittedFile;
  readonly jobs: readonly EmittedJobs[];
  readonly files: readonly EmittedFile[];
  /** Written last: what stands in it is there. */
  readonly makefile: EmittedFile;
}

export const FORMAT = 1;
export const FORMAT_FILE = '.logobatch/format';
/** Folders in which everything is ours; what we do not emit any more is removed. */
export const OWN_FOLDERS = [
  '.logobatch/arrays',
  '.logobatch/batches',
  '.logobatch/files',
  '.logobatch/shell',
  '.logobatch/schema',
];
