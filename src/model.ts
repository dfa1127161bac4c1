/**
 * The nouns of LogoBatch, types only. A Batch Image is read and validated into an `Image`, planned into a
 * `Plan`, emitted as texts. Every stage takes the one before as a value and touches nothing else.
 */

/** Where in the user's files something stands; 1-based, columns in UTF-16 units as editors count them. */
export interface Place {
  /** Relative to the image's root, with forward slashes. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many characters the caret underlines; at least 1. */
  readonly length: number;
}

/** A whole image that passed every check: what `plan` works on. */
export interface Image {
  /** In the order of their file names. */
  readonly bbatches: readonly Bbatch[];
}

/** One file of `batch_info/`: a batch of batches. */
export interface Bbatch {
  /** The file's name without `.yml`. */
  readonly name: string;
  /** e.g. `batch_info/bbatch_1.yml` */
  readonly file: string;
  readonly email: Email | undefined;
  /** Only the enabled ones. */
  readonly batches: readonly Batch[];
}

export interface Email {
  readonly addresses: readonly string[];
  readonly from: string | undefined;
}

/** One batch: a command and the table of its inputs, one job a row. */
export interface Batch {
  /** `<bbatch>/<batch>`: the make target and the folder under `data/processed`. */
  readonly id: string;
  readonly name: string;
  readonly bbatch: string;
  /** Where its `name:` (or key) stands. */
  readonly place: Place;
  readonly shell: 'sh' | 'bash';
  /** The command, cut into text and markers. */
  readonly command: Template;
  readonly table: Table;
  /** Undefined: `Job1`, `Job2` … */
  readonly jobName: Template | undefined;
  /** Whole processors of one node; for a threadtest the upper end of `threads`. */
  readonly cpus: number;
  /** Set for a threadtest: every row is run once for each count from lower to upper, in that order. */
  readonly threads: { readonly lower: number; readonly upper: number } | undefined;
  /** Bytes; undefined: unsaid. */
  readonly mem: number | undefined;
  readonly gpus: number;
  /** Seconds; undefined: no limit. */
  readonly time: number | undefined;
  readonly retries: number;
  readonly needs: readonly Need[];
  /** Per-job input files, relative to the image's root, with markers. */
  readonly files: readonly Template[];
  /** Folders (or files) staged once a node, relative to the root, normalised, no trailing slash. */
  readonly shared: readonly string[];
  /** Patterns relative to `{out}` that must exist afterwards. */
  readonly outputs: readonly string[];
  readonly maxOutput: { readonly bytes: number; readonly files: number };
  /** Names of the head's environment variables, or paths of files. */
  readonly secrets: readonly string[];
  readonly env: ReadonlyMap<string, string>;
  readonly modules: readonly string[];
  /** A script of the image, run once a node before its first job. */
  readonly setup: string | undefined;
  /** An Apptainer image: a path of the image or an URI. */
  readonly container: string | undefined;
  readonly resources: readonly string[];
  readonly tags: readonly string[];
  readonly requires: readonly string[];
  /** Jobs one visit to a slot takes together. */
  readonly bundle: number;
  readonly keep: boolean;
  readonly email: boolean;
  /** Native scheduler options by long name, in order. */
  readonly slurm: ReadonlyMap<string, string>;
  readonly sge: ReadonlyMap<string, string>;
  /** What every scalar key of the batch offers as a marker besides the columns: exe, batch_base … */
  readonly constants: ReadonlyMap<string, string>;
}

/** `needs: [fire]` waits for the whole batch; `needs: {each: fire}` pairs job by job. */
export interface Need {
  /** Batch id. */
  readonly batch: string;
  readonly each: boolean;
}

/** A table of inputs. A row is its values joined by NUL (no value may hold one): one string a row keeps a million rows small. */
export interface Table {
  /** What it was read from, for headings: `batch_info/sweep.csv`, `matrix`, `(one job)` … */
  readonly source: string;
  /** Names of the columns, where there are names; a column without one is reached by position. */
  readonly columns: readonly (string | undefined)[];
  readonly rows: readonly string[];
  /** For diagnostics about row i: the file and the line it starts on, or undefined where there is no file. */
  readonly placeOf: (row: number) => Place | undefined;
}

/** A text with markers, taken apart once. */
export interface Template {
  /** As the user wrote it. */
  readonly source: string;
  readonly parts: readonly TemplatePart[];
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'marker';
      readonly name: string;
      readonly where: Quoting;
      readonly ref: MarkerRef;
      /** Its value comes out of a shell variable, where no literal text would be exact. */
      readonly byVariable?: true;
    };

/**
 * The shell quoting a marker stands in; `plain` outside of a shell text (job_name, files).
 * `comment`: inside a shell comment, where nothing is filled in.
 */
export type Quoting = 'bare' | 'double' | 'single' | 'heredoc' | 'comment' | 'plain';

/** What a marker stands for. */
export type MarkerRef =
  | { readonly kind: 'column'; readonly index: number }
  | { readonly kind: 'constant'; readonly value: string }
  /** Known per job: its name (`{id}`), number (`{n}`), processors (`{cpus}`) and folder (`{out}`). */
  | { readonly kind: 'job'; readonly what: 'id' | 'n' | 'cpus' | 'out' };

/** What there is to emit. */
export interface Plan {
  readonly batches: readonly PlannedBatch[];
  /** Shared folders with the safe names of their stamps. */
  readonly stamps: ReadonlyMap<string, string>;
  /** The new text of `batch_info/jobs.lock`. */
  readonly lock: () => Iterable<string>;
}

export interface PlannedBatch {
  readonly batch: Batch;
  readonly count: number;
  /** In the table's order. Made anew at each call: a million jobs are never held at once. */
  readonly jobs: () => Iterable<Job>;
  /** Names only, in the table's order. */
  readonly names: () => Iterable<string>;
  /** From `jobs.lock`, in the table's order. */
  readonly numbers: Int32Array;
  /** One job, one name: by place in the table. */
  readonly job: (index: number) => Job;
  readonly name: (index: number) => string;
  /** Digest of what all its jobs mean in common. */
  readonly meaning: string;
  /** 64 bits a job over its row, number and partners: what its jobfile says changes only with them or with its batch. */
  readonly prints: { readonly hi: Uint32Array; readonly lo: Uint32Array };
  /** True where every job of this batch has a partner of the same name in every batch it needs `each` of. */
  readonly sameNames: boolean;
}

/** One job: a row of a batch's table, with its final name. */
export interface Job {
  /** Folder name below the batch's. */
  readonly name: string;
  /** From `jobs.lock`; never used twice within a batch. */
  readonly number: number;
  readonly cpus: number;
  /** The row's values, in column order. */
  readonly values: readonly string[];
  /** 32 hex digits over all that the job means (design: "what counts is the job's meaning"). */
  readonly digest: string;
  /** Its own input files, filled in, relative to the root. */
  readonly files: readonly string[];
  /** Ids of the jobs it needs one by one: `<bbatch>/<batch>/<Job>`. */
  readonly needs: readonly string[];
}
