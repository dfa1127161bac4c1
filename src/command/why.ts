/** Why a marker cannot be filled in where it stands, and what to write instead; {name} becomes its name. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they speak of shell text
export const WHY = {
  backslash: 'a backslash stands before it; write {{name}} for a literal {name}, or leave the backslash out',
  quotedHeredoc:
    'the end word of this here-document is quoted, so nothing is filled in; leave its quotes out',
  delimiter: 'it stands in the end word of a here-document; use a fixed word',
  ansi: "it stands in $'…', which has no exact way to hold a value; close the quote before it and use '…' after it",
  arithmetic:
    'a value would be computed as an expression here; set a variable to it first (x={name}) and write x here',
  expansion:
    'it stands in a pattern or name inside ${…}; set a variable to it first (x={name}) and write "$x" here',
  nestedQuotes: 'shells differ in "…" inside "${…}"; leave the inner quotes out',
  backticks: 'it stands in backticks that hold backslashes; write $(…) instead of backticks',
} as const;
