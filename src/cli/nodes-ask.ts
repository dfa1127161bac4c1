/** The questions of `logobatch nodes add` on a terminal. */
import type { OtherKind } from '../grid/model.ts';
import { nameFor, type TypedResource, typedFault } from '../grid/typed.ts';
import { conversation, line } from '../prompt.ts';

/** What is said of the hosts to be added; undefined: not said. */
export interface AddArguments {
  readonly hosts: readonly string[];
  readonly type: OtherKind;
  readonly grid: string | undefined;
  readonly name: string | undefined;
  readonly user: string | undefined;
  readonly port: string | undefined;
  readonly slots: string | undefined;
  readonly fastStorage: readonly string[];
  readonly tags: readonly string[];
  readonly nice: string | undefined;
  readonly maxLoad: string | undefined;
  readonly maxJobs: string | undefined;
}

/** Asks for what was not given. Undefined: the user does not want to go on. */
export function askForNode(given: AddArguments): Promise<AddArguments | undefined> {
  return conversation('logobatch', async () => {
    const asked = (
      known: string | undefined,
      key: keyof TypedResource,
      message: string,
      placeholder: string,
      otherwise = '',
    ) => (known === undefined ? question(key, message, placeholder, otherwise) : Promise.resolve(known));
    const host = await question('hostname', 'Which host?', 'what you type after ssh', '');
    if (host === undefined) return undefined;
    const name = await asked(given.name, 'name', 'What do you call it?', '', nameFor(host));
    if (name === undefined) return undefined;
    const user = await asked(given.user, 'username', 'As which user?', 'as ssh decides');
    if (user === undefined) return undefined;
    const slots = await asked(given.slots, 'slots', 'How many jobs at once?', 'as many as it has processors');
    if (slots === undefined) return undefined;
    const [givenStorage] = given.fastStorage;
    const storage = await asked(
      givenStorage,
      'fast_storage',
      'Which folder there is large and fast?',
      '/tmp, or else the home folder',
    );
    if (storage === undefined) return undefined;
    return {
      ...given,
      hosts: [host],
      name,
      user: user || undefined,
      slots: slots || undefined,
      fastStorage: givenStorage === undefined && storage ? [storage] : given.fastStorage,
    };
  });
}

/** An empty answer is right where something stands for it. */
function question(key: keyof TypedResource, message: string, placeholder: string, otherwise: string) {
  return line({
    message,
    placeholder,
    otherwise,
    fault: typed => {
      if (typed === '' && key !== 'hostname' && key !== 'name') return undefined;
      const fault = typedFault(key, typed);
      return fault && `it must be ${fault}`;
    },
  });
}
