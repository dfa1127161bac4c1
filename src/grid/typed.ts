/** A resource as it is typed on a command line or in answer to a question: judged by the same schema as the file. */
import { nameFault } from '../validate/names.ts';
import type { NewResource } from './add.ts';
import type { OtherKind } from './model.ts';
import { bare, resourceSchema } from './schema.ts';

/** All as typed; undefined: not said. */
export interface TypedResource {
  readonly name: string;
  readonly type: OtherKind;
  /** A cluster without one is submitted to from this machine. */
  readonly hostname: string | undefined;
  readonly username: string | undefined;
  readonly port: string | undefined;
  readonly slots: string | undefined;
  readonly fast_storage: readonly string[];
  readonly tags: readonly string[];
  readonly nice: string | undefined;
  readonly max_load: string | undefined;
  readonly max_jobs: string | undefined;
}

/** What an answer must be instead, as the end of a sentence; undefined for a good one. */
export function typedFault(key: keyof TypedResource, typed: string): string | undefined {
  if (key === 'name') {
    const fault = nameFault(typed);
    return fault && `a name (${fault.why}: ${fault.hint})`;
  }
  const result = resourceSchema.shape[key].safeParse(NUMBERS.includes(key) ? numberOf(typed) : typed);
  return result.success ? undefined : (result.error.issues[0]?.message ?? 'something else');
}

/** The first thing that is wrong with it, or the resource. `said` is how a key is called where it was typed. */
export function resourceOf(
  typed: TypedResource,
  said: (key: keyof TypedResource) => string,
): NewResource | { readonly fault: string } {
  for (const key of KEYS) {
    const values = typed[key] ?? [];
    for (const value of typeof values === 'string' ? [values] : values) {
      const fault = typedFault(key, value);
      if (fault !== undefined)
        return { fault: `${said(key)} must be ${fault}, not ${JSON.stringify(value)}` };
    }
  }
  const { name, type, hostname, username, port, slots, fast_storage, tags, nice, max_load, max_jobs } = typed;
  return {
    name,
    type,
    ...(hostname !== undefined && { hostname: bare(hostname) }),
    ...(username !== undefined && { username }),
    ...(port !== undefined && { port: Number(port) }),
    ...(slots !== undefined && { slots: Number(slots) }),
    ...(fast_storage.length > 0 && { fast_storage }),
    ...(tags.length > 0 && { tags }),
    ...(nice !== undefined && { nice: Number(nice) }),
    ...(max_load !== undefined && { max_load: Number(max_load) }),
    ...(max_jobs !== undefined && { max_jobs: Number(max_jobs) }),
  };
}

const KEYS = [
  'hostname',
  'name',
  'username',
  'port',
  'slots',
  'fast_storage',
  'tags',
  'nice',
  'max_load',
  'max_jobs',
] as const;

const NUMBERS: readonly (keyof TypedResource)[] = ['slots', 'nice', 'max_load', 'max_jobs'];

function numberOf(typed: string): number | string {
  return /^\d{1,9}(\.\d{1,9})?$/.test(typed) ? Number(typed) : typed;
}

/** The first part of a host's name; of an address all, as far as a name may look like it. */
export function nameFor(hostname: string): string {
  const isAddress = /^[\d.]+$|:/.test(hostname);
  const short = isAddress ? bare(hostname) : (hostname.split('.')[0] ?? hostname);
  return short.replace(/[^A-Za-z0-9_.-]+/g, '_').replace(/^[^A-Za-z0-9_]+/, '_');
}
