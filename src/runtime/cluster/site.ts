/** One cluster as it is spoken with, once the connection is there. */
import type { ClusterResource } from '../../grid/model.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Executor, Limits } from '../executors/executor.ts';
import { imageId } from '../ledger.ts';

/** What everything needs that speaks with it. */
export interface Site {
  readonly transport: Transport;
  readonly executor: Executor;
  readonly resource: ClusterResource;
  /** The work folder, which all its machines see. */
  readonly work: string;
  readonly limits: Limits;
  /** Seconds that tasks may wait before it is said why. */
  readonly patience: number;
}

/** All names of this image's arrays begin so. */
export function arrayPrefix(): string {
  return `lb-${imageId().slice(0, 8)}-`;
}

/** Of a clock that nobody sets. */
export function seconds(): number {
  return performance.now() / 1000;
}
