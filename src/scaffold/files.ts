/** The files of a new image, out of `templates/image/`: as they are, or filled in where they name who made it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { renderTemplate, templatesFolder } from '../emit/template.ts';

export interface About {
  /** What the image is called by people; one line. */
  readonly title: string;
  /** For the licence and the README. */
  readonly author: string;
  /** Empty: nobody is told when a batch ends. */
  readonly email: string;
  readonly year: number;
}

/** npm leaves files of this name out of packages, so it is stored without its dot. */
const STORED_AS: ReadonlyMap<string, string> = new Map([['gitignore', '.gitignore']]);

/** Contents by path below the image's root, in the order of the paths. */
export function scaffoldFiles(about: About): Map<string, string | Buffer> {
  const folder = join(templatesFolder(), 'image');
  const view = { ...about, year: String(about.year), email: about.email && JSON.stringify(about.email) };
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  return new Map(
    paths.map(path => {
      const filled = path.endsWith('.hbs');
      const target = filled ? path.slice(0, -'.hbs'.length) : (STORED_AS.get(path) ?? path);
      return [target, filled ? renderTemplate(path, view, folder) : readFileSync(join(folder, path))];
    }),
  );
}
