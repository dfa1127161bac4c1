/** One look at one machine: can it be reached, what is it, could jobs run there. Nothing is made on it. */
import { cpus } from 'node:os';
import type { Failure } from '../failure.ts';
import { type Host, isCluster, type Resource } from '../grid/model.ts';
import { EXECUTORS } from '../runtime/executors/executors.ts';
import { candidatesOn, type Facts, probe } from '../runtime/probe.ts';
import type { Runner } from '../runtime/script.ts';
import { connect } from '../transport/connect.ts';
import { transportHere } from '../transport/here.ts';
import type { Refusal, Transport } from '../transport/transport.ts';

/** What is known after a look; a failure where jobs could not run there. */
export interface Look {
  readonly resource: Resource;
  readonly way: Transport['kind'] | undefined;
  /** Why it is not node-ssh. */
  readonly because: string | undefined;
  /** How long an empty command takes, in milliseconds. */
  readonly milliseconds: number | undefined;
  /** Its login shell prints something before every command. */
  readonly prints: boolean;
  readonly facts: Facts | undefined;
  /** Programs asked for that are not there. */
  readonly missing: readonly string[];
  readonly failure: Failure | undefined;
  /** What kept us out. */
  readonly refusal: Refusal | undefined;
}

export interface LookOptions {
  /** Programs to look for. */
  readonly requires: readonly string[];
  /** The text of the script that asks. */
  readonly script: string;
  /** Path of the control socket. */
  readonly control: string;
  readonly interactive: boolean;
  readonly abort: AbortSignal;
}

/** Seconds for a handshake; a person needs longer. */
const HANDSHAKE = 20;
const PERSON = 120;

export async function look(resource: Resource, options: LookOptions): Promise<Look> {
  const programs = isCluster(resource) ? EXECUTORS[resource.kind].programs : [];
  const requires = [...new Set([...programs, ...options.requires])];
  const host = resource.kind === 'local' ? undefined : resource.host;
  if (resource.kind === 'local' || host === undefined)
    return { ...(await examine(resource, transportHere(), { ...options, requires })), way: 'here' };
  const connected = await connect(host, resource.transport, {
    control: options.control,
    seconds: options.interactive ? PERSON : HANDSHAKE,
    interactive: options.interactive,
    abort: options.abort,
  });
  if (!connected.ok) return { ...unseen(resource), failure: connected.failure, refusal: connected.kind };
  const { transport } = connected;
  const close = () => void transport.close();
  options.abort.addEventListener('abort', close, { once: true });
  try {
    const { milliseconds, prints } = await greet(transport);
    const examined = await examine(resource, transport, { ...options, requires }, host);
    return { ...examined, way: transport.kind, because: transport.because, milliseconds, prints };
  } finally {
    options.abort.removeEventListener('abort', close);
    await transport.close();
  }
}

function unseen(resource: Resource): Look {
  return {
    resource,
    way: undefined,
    because: undefined,
    milliseconds: undefined,
    prints: false,
    facts: undefined,
    missing: [],
    failure: undefined,
    refusal: undefined,
  };
}

/** The better of two empty commands: the first one may have had to wake something. */
async function greet(runner: Runner): Promise<{ milliseconds: number | undefined; prints: boolean }> {
  let milliseconds: number | undefined;
  let prints = false;
  for (let i = 0; i < 2; i++) {
    const start = performance.now();
    const { code, stdout } = await runner.exec('exec true', { seconds: HANDSHAKE });
    if (code === null) return { milliseconds, prints };
    prints ||= stdout !== '';
    milliseconds = Math.min(milliseconds ?? Infinity, performance.now() - start);
  }
  return { milliseconds, prints };
}

async function examine(
  resource: Resource,
  runner: Runner,
  { requires, script }: LookOptions,
  host?: Host,
): Promise<Look> {
  const candidates = candidatesOn(resource);
  const probed = await probe(runner, { candidates, requires, script });
  const { facts } = probed;
  const missing = facts ? requires.filter(name => !facts.programs.includes(name)) : [];
  const seen: Look = { ...unseen(resource), facts, missing };
  const name = host?.hostname ?? resource.name;
  // Jobs on this machine run in the image itself, and this machine need not have what nodes need.
  if (!probed.ok && !(facts && resource.kind === 'local')) {
    const hint = facts
      ? cureOf(facts)
      : `see what "ssh ${name} sh" makes of it: its rc files may be in the way`;
    return { ...seen, failure: { message: `${name}: ${probed.why}`, hint } };
  }
  if (missing.length === 0) return seen;
  return {
    ...seen,
    failure: {
      message: `${name}: not found there: ${missing.join(', ')}`,
      hint: 'what counts is PATH in a shell that nobody sits at: see its rc files, or module load in setup',
    },
  };
}

function cureOf({ lacks }: Facts): string {
  return lacks.length > 0
    ? 'the usual tools of Linux (or busybox) have to be in PATH there'
    : 'name a folder of yours there under fast_storage';
}

/** How many jobs of one processor it takes at once; undefined: nobody knows yet. */
export function slotsOf({ resource, facts }: Look): number | undefined {
  if (isCluster(resource)) return resource.maxJobs;
  const here = Number(process.env.LOGOBATCH_LOCAL_SLOTS) || cpus().length;
  return resource.slots ?? (resource.kind === 'local' ? here : facts?.processors);
}
