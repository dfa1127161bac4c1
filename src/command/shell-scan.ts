/**
 * Walks through a shell command as the shell's own lexer would (POSIX 2.2, 2.3, 2.6, 2.7.4; for bash its additions)
 * and notes which quoting each marker stands in. It judges no syntax beyond that: the shell does.
 */
import { Cursor } from './cursor.ts';
import type { Heredoc } from './heredoc.ts';
import { heredocAt, heredocEnd } from './heredoc.ts';
import type { Scanned } from './scan.ts';
import { bracesAt, scanStretch } from './scan.ts';
import { WHY } from './why.ts';

/** Reserved words after which a command starts, so that the next word may be reserved, too. */
const BEFORE_COMMAND = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '{', '!', 'time']);

/** Markers of a shell command with their quoting. */
export function scanShell(source: string, bash: boolean): Scanned {
  return new ShellScan(source, bash).run();
}

class ShellScan extends Cursor {
  private readonly bash: boolean;
  /** Those announced on the line being read; their bodies follow it. */
  private heredocs: Heredoc[] = [];

  constructor(source: string, bash: boolean) {
    super(source);
    this.bash = bash;
  }

  run(): Scanned {
    this.commands('');
    this.bodies();
    return this.found;
  }

  /** Commands up to the `)` that closes them, or to the end. */
  private commands(closer: ')' | ''): boolean {
    const open: ('(' | 'case')[] = [];
    let starts = true;
    while (this.at < this.end) {
      const char = this.source[this.at] ?? '';
      if (char === ')') {
        this.at++;
        if (open.at(-1) === '(') open.pop();
        // In `case`, it ends a pattern.
        else if (open.length === 0 && closer === ')') return true;
        starts = true;
      } else if (char === '(') {
        if (
          this.bash &&
          starts &&
          this.source[this.at + 1] === '(' &&
          isArithmetic(this.source, this.at + 2)
        ) {
          this.arithmetic(2);
        } else {
          open.push('(');
          this.at++;
        }
        starts = true;
      } else if (char === '\n') {
        this.at++;
        this.bodies();
        starts = true;
      } else if (char === '<' || char === '>') {
        this.redirection();
      } else if (char === '#') {
        this.comment();
      } else if (';&|'.includes(char)) {
        this.at++;
        starts = true;
      } else if (char === ' ' || char === '\t') {
        this.at++;
      } else {
        const start = this.at;
        this.word();
        const word = this.source.slice(start, this.at);
        if (starts && word === 'case') open.push('case');
        else if (starts && word === 'esac' && open.at(-1) === 'case') open.pop();
        starts = (starts && BEFORE_COMMAND.has(word)) || (word === 'in' && open.at(-1) === 'case');
      }
    }
    return closer === '';
  }

  /** One word: everything up to a blank or an operator. */
  private word(): void {
    const start = this.at;
    while (this.at < this.end) {
      const char = this.source[this.at] ?? '';
      if (' \t\n;&|<>()'.includes(char)) return;
      if (char === '\\') this.backslash('bare');
      else if (char === "'") this.single();
      else if (char === '"') this.double();
      else if (char === '`') this.backticks();
      else if (char === '$') this.dollar('bare');
      else if (char !== '{') this.at++;
      else if (this.bash && /^[A-Za-z_]\w*\[[^\]]*$/.test(this.source.slice(start, this.at))) {
        this.under({ why: WHY.arithmetic }, () => this.brace('plain'));
      } else this.brace('bare');
    }
  }

  private backslash(where: 'bare' | 'double' | 'heredoc'): void {
    this.at++;
    if (this.source[this.at] !== '{') this.at++;
    else if (where === 'bare') this.under({ why: WHY.backslash }, () => this.brace(where));
    else this.brace(where, true);
  }

  private single(): void {
    const start = this.at++;
    this.stretchTo(this.source.indexOf("'", this.at), "'", start, { where: 'single', ...this.rule });
  }

  private double(): void {
    const start = this.at++;
    while (this.at < this.end) {
      if (this.source[this.at] === '"') {
        this.at++;
        return;
      }
      this.quotedChar('double');
    }
    this.unterminated(start, '"');
  }

  /** One step inside `"…"` or a here-document, where only `\`, `$` and backticks mean something. */
  private quotedChar(where: 'double' | 'heredoc'): void {
    const char = this.source[this.at];
    if (char === '\\') this.backslash(where);
    else if (char === '$') this.dollar(where);
    else if (char === '`') this.backticks();
    else if (char === '{') this.brace(where);
    else this.at++;
  }

  private dollar(where: 'bare' | 'double' | 'heredoc'): void {
    const start = this.at;
    const next = this.source[start + 1];
    if (next === '(' && this.source[start + 2] === '(' && isArithmetic(this.source, start + 3))
      this.arithmetic(3);
    else if (next === '(') {
      this.at += 2;
      const closed = this.under({ why: undefined }, () => this.commands(')'));
      if (!closed) this.unterminated(start, '$(');
    } else if (next === '{' && bracesAt(this.source, start + 1)?.literal !== undefined) {
      this.at++;
      this.brace(where);
    } else if (next === '{') this.expansion(where);
    else if (next === '[' && this.bash) {
      this.at += 2;
      this.stretchTo(this.source.indexOf(']', this.at), '$[', start, {
        where: 'plain',
        byVariable: false,
        why: WHY.arithmetic,
      });
    } else if (next === "'" && where === 'bare') this.ansiString();
    else this.at += next === '$' ? 2 : 1;
  }

  /** `$'…'`. A sh that does not know it reads `$` and `'…'`, where a backslash escapes nothing. */
  private ansiString(): void {
    const start = this.at;
    this.at += 2;
    let close = this.at;
    while (close < this.end && this.source[close] !== "'") {
      close += this.bash && this.source[close] === '\\' ? 2 : 1;
    }
    const like = { where: 'single', byVariable: false, why: WHY.ansi } as const;
    this.stretchTo(close < this.end ? close : -1, "$'", start, like);
  }

  /** `${…}`: after `:-` and its like stands a word; everything else is a name, a number or a pattern. */
  private expansion(where: 'bare' | 'double' | 'heredoc'): void {
    const start = this.at;
    const head = /\$\{(?:[A-Za-z_]\w*|\d+|[@*#?$!-])(:?[-+=?])?/y;
    head.lastIndex = start;
    const takesWord = head.exec(this.source)?.[1] !== undefined;
    const quoted = where !== 'bare';
    this.at += 2;
    const closed = this.under(takesWord ? { byVariable: true } : { why: WHY.expansion }, () => {
      while (this.at < this.end) {
        const char = this.source[this.at];
        if (char === '}') {
          this.at++;
          return true;
        }
        if (char === "'" && !(quoted && takesWord)) this.single();
        else if (char === '"') this.under(quoted ? { why: WHY.nestedQuotes } : {}, () => this.double());
        else if (char === '\\') this.backslash(where);
        else if (quoted) this.quotedChar(where);
        else if (char === '$') this.dollar(where);
        else if (char === '`') this.backticks();
        else if (char === '{') this.brace(where);
        else this.at++;
      }
      return false;
    });
    if (!closed) this.unterminated(start, '${');
  }

  private arithmetic(opening: number): void {
    let depth = 2;
    this.at += opening;
    this.under({ why: WHY.arithmetic }, () => {
      while (this.at < this.end && depth > 0) {
        const char = this.source[this.at];
        if (char === '(') depth++;
        else if (char === ')') depth--;
        if (char === '{') this.brace('plain');
        else if (char === '\\' || char === '"' || char === '(' || char === ')') this.at++;
        else this.quotedChar('double');
      }
    });
  }

  /** The shell takes backslashes out of backticks before it reads them; without any, what is seen is what it reads. */
  private backticks(): void {
    const start = this.at++;
    let close = this.at;
    while (close < this.end && this.source[close] !== '`') close += this.source[close] === '\\' ? 2 : 1;
    const escapes = /\\[\\$`"]/.test(this.source.slice(this.at, close));
    if (close >= this.end || escapes) {
      this.stretchTo(close, '`', start, { where: 'bare', byVariable: true, why: WHY.backticks });
    } else {
      this.upTo(close, { byVariable: true, why: undefined }, () => this.commands(''));
      this.at = close + 1;
    }
  }

  private redirection(): void {
    const heredoc = heredocAt(this.source, this.at);
    if (heredoc === undefined) {
      // Two characters at once, so that the `&` of `>&2` starts no command.
      this.at += /[<>][&|>]|<<</.test(this.source.slice(this.at, this.at + 3)) ? 2 : 1;
      return;
    }
    const like = { where: 'bare', byVariable: false, why: WHY.delimiter } as const;
    scanStretch(this.found, this.source, heredoc.word, like);
    this.at = heredoc.word.end;
    this.heredocs.push(heredoc);
  }

  /** The bodies of the here-documents of the line that has just ended. */
  private bodies(): void {
    for (const heredoc of this.heredocs.splice(0)) {
      const start = this.at;
      const close = heredocEnd(this.source, { start, end: this.end }, heredoc);
      if (heredoc.quoted) {
        const like = { where: 'heredoc', byVariable: true, why: WHY.quotedHeredoc } as const;
        scanStretch(this.found, this.source, { start, end: close.start }, like);
      } else {
        // A literal value could hold the line that ends the here-document, or tabs that `<<-` takes away.
        this.upTo(close.start, { byVariable: true, why: undefined }, () => {
          while (this.at < this.end) this.quotedChar('heredoc');
        });
      }
      this.at = close.end;
      if (!close.found) this.unterminated(heredoc.start, '<<');
    }
  }

  private comment(): void {
    const newline = this.source.indexOf('\n', this.at);
    const end = newline < 0 || newline > this.end ? this.end : newline;
    const like = { where: 'comment', byVariable: false, why: undefined } as const;
    scanStretch(this.found, this.source, { start: this.at, end }, like);
    this.at = end;
  }
}

/** Whether `((` is arithmetic: its two closing parentheses stand together. Else it is a subshell in a subshell. */
function isArithmetic(source: string, inside: number): boolean {
  let depth = 2;
  for (let at = inside; at < source.length; at++) {
    if (source[at] === '(') depth++;
    else if (source[at] === ')' && --depth === 1) return source[at + 1] === ')';
  }
  return false;
}
