/** Everything that can be wrong with an image, by code; the catalogue of messages has an example of each. */
export const CODES = {
  'not-text': 'bytes that are no UTF-8 or UTF-16, or NUL',
  'too-large': 'a file, table or value past its limit',
  unreadable: 'a file that cannot be opened',
  'yaml-syntax': 'the YAML parser cannot read it',
  'yaml-too-deep': 'nesting past the limit',
  'yaml-directive': 'a %YAML line',
  'yaml-tag': 'a tag that means nothing here',
  'yaml-alias': 'an alias that is unknown, circular or explosive',
  'yaml-merge': 'a merge key with something else than a map',
  'duplicate-key': 'a key twice in one map',
  'csv-ragged': 'rows of different lengths',
  'csv-quote': 'quotes that RFC 4180 does not know',
  'csv-more': 'how many more mistakes a table has',
};

export type Code = keyof typeof CODES;
