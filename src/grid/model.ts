/** The nouns of the grid file: the resources that jobs may run on. */

/** A whole grid file that passed every check. */
export interface Grid {
  readonly defaultEmail?: string;
  /** Storages that several nodes see: what lies there is staged once for all of them. */
  readonly storages: readonly { readonly name: string }[];
  readonly resources: readonly Resource[];
}

/** What is not this machine alone. */
export const OTHER_KINDS = ['ssh', 'slurm', 'sge'] as const;
export type OtherKind = (typeof OTHER_KINDS)[number];

export type Resource = LocalResource | SshResource | ClusterResource;

interface Common {
  readonly name: string;
  /** How many jobs of one processor at once; unsaid: its processors. */
  readonly slots?: number;
  readonly tags: readonly string[];
  readonly nice: number;
  /** No new job starts while the 1-minute load is above this. */
  readonly maxLoad?: number;
  /** Leave the work folder after the run. */
  readonly keep: boolean;
}

export interface LocalResource extends Common {
  readonly kind: 'local';
}

/** Exactly what `ssh` gets; all else it knows from the user's own config. */
export interface Host {
  readonly hostname: string;
  readonly username?: string;
  readonly port?: number;
}

export interface SshResource extends Common {
  readonly kind: 'ssh';
  readonly host: Host;
  /** Folders that may hold the work folder, the best first: absolute, or below the home folder there (`~/…`). */
  readonly fastStorage: readonly string[];
  /** Where this node sees the storages. */
  readonly remoteStorage: readonly { readonly name: string; readonly path: string }[];
  readonly transport: 'auto' | 'openssh' | 'node-ssh';
}

export interface ClusterResource extends Common {
  readonly kind: 'slurm' | 'sge';
  /** The login node; absent: submit from this machine. */
  readonly host?: Host;
  readonly maxJobs: number;
  /** Native scheduler options by long name, in order. */
  readonly options: Readonly<Record<string, string>>;
  readonly fastStorage: readonly string[];
  readonly remoteStorage: readonly { readonly name: string; readonly path: string }[];
  readonly transport: 'auto' | 'openssh' | 'node-ssh';
}

/** A queue that jobs wait in, and not a machine that runs them. */
export function isCluster(resource: Resource): resource is ClusterResource {
  return resource.kind === 'slurm' || resource.kind === 'sge';
}
