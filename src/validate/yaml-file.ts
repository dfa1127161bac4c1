/** A YAML file of the user's from its bytes to its tree. */
import { readFileSync, statSync } from 'node:fs';
import { fileStart, type Report } from '../read/report.ts';
import { decode } from '../read/text.ts';
import type { Tree } from '../read/tree.ts';
import { MAX_YAML_BYTES, readYaml } from '../read/yaml.ts';
import { reportPath, systemFault } from './paths.ts';

/** `full` is where it lies, `file` what messages call it. Undefined after a diagnostic. */
export function readYamlFile(full: string, file: string, report: Report): Tree | undefined {
  let bytes: Buffer;
  try {
    const { size } = statSync(full);
    if (size > MAX_YAML_BYTES) {
      const message = `the file has ${(size / 1024 ** 2).toFixed(1)} MiB; 8 MiB is the limit`;
      report.error('too-large', fileStart(file), message, { hint: 'put the data into a CSV' });
      return undefined;
    }
    bytes = readFileSync(full);
  } catch (error) {
    reportPath(systemFault(error, file), fileStart(file), report);
    return undefined;
  }
  const text = decode(bytes, file, report);
  return text === undefined ? undefined : readYaml(text, file, report);
}
