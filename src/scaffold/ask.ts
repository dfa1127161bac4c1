/** The questions of `makebimg` on a terminal. */
import { conversation, line } from '../prompt.ts';
import { type Answers, defaults, faultOf, type Given } from './answers.ts';

/** Asks for what was not given. Undefined: the user does not want to go on. */
export function ask(given: Given): Promise<Answers | undefined> {
  return conversation('makebimg', async () => {
    const asked = (
      key: keyof Answers,
      message: string,
      placeholder: string,
      otherwise: string,
    ): Promise<string | undefined> =>
      given[key] === undefined
        ? line({ message, placeholder, otherwise, fault: faultOf[key] })
        : Promise.resolve(given[key]);
    const name = await asked('name', 'What is it called?', 'a folder and a word in commands', '');
    if (name === undefined) return undefined;
    const known = defaults(name);
    const title = await asked('title', 'Its title?', '', known.title);
    if (title === undefined) return undefined;
    const author = await asked('author', 'Who makes it?', '', known.author);
    if (author === undefined) return undefined;
    const email = await asked('email', 'Who gets a mail when a batch ends?', 'nobody', known.email);
    return email === undefined ? undefined : { name, title, author, email };
  });
}
