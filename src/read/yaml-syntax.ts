/** The YAML parser's complaints in words that name the cure. */
import type { YAMLError } from 'yaml';

/** Its message where that is good, ours where users stumble most. */
export function explainSyntax(
  problem: YAMLError,
  text: string,
): { message: string; hint: string | undefined } {
  const [from] = problem.pos;
  const line = text.slice(text.lastIndexOf('\n', from) + 1).split(/[\r\n]/, 1)[0] ?? '';
  switch (problem.code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab is no indentation in YAML', hint: 'indent with blanks' };
    case 'NON_STRING_KEY':
      return { message: 'a key must be a plain text', hint: 'quote a value that starts with {{ or {' };
    case 'MULTIPLE_DOCS':
      return {
        message: 'a second document starts here',
        hint: 'a file holds one document: use several files',
      };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'a second ": " on one line',
        hint: 'quote the value, or put it on lines of its own after |',
      };
    case 'BAD_SCALAR_START':
      return { message: `a plain value cannot start with ${text[from] ?? 'this'}`, hint: 'quote the value' };
    case 'BAD_DQ_ESCAPE':
      return { message: 'no such escape in "…"', hint: "use '…', where a backslash is a backslash" };
    case 'BAD_INDENT':
      if (!problem.message.startsWith('Flow')) return stumble(problem.message, line);
      return {
        message: 'a [ or { above is not closed, or its lines are not indented',
        hint: 'close it, or indent',
      };
    case 'RESOURCE_EXHAUSTION':
      return { message: 'nested too deep', hint: 'is a bracket missing its partner?' };
    case 'MISSING_CHAR':
      return { message: lower(problem.message), hint: 'is a quote, a colon or a bracket missing?' };
    case 'UNEXPECTED_TOKEN':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'IMPOSSIBLE':
      return stumble(problem.message, line);
    default:
      return { message: lower(problem.message), hint: undefined };
  }
}

/** The parser met something it did not expect; the line tells which of the two usual causes it is. */
function stumble(message: string, line: string): { message: string; hint: string } {
  return {
    message: lower(message),
    hint: /["']/.test(line)
      ? 'what starts with a quote must end with it: quote all of the value, or put it after |'
      : 'does the indentation match the lines around? quote values that hold : # { } [ ] & * ! or %',
  };
}

function lower(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
