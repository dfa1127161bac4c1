/** Options of `ssh` that the user's configuration must not decide: what we run is no terminal, and hands out nothing. */
import { isOn, type Resolved } from './resolve.ts';

/**
 * For every `ssh` of ours. Older clients refuse options they do not know (StdinNull came with 8.7), and IgnoreUnknown
 * would replace the user's own, so those are set only where the configuration turned them on.
 */
export function pinned(resolved: Resolved): string[] {
  const fixed = [
    'RequestTTY=no',
    'RemoteCommand=none',
    'ClearAllForwardings=yes',
    'Tunnel=no',
    'PermitLocalCommand=no',
    'VisualHostKey=no',
    'EscapeChar=none',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'NoHostAuthenticationForLocalhost=no',
  ];
  const newer = [
    ['stdinnull', 'StdinNull=no'],
    ['forkafterauthentication', 'ForkAfterAuthentication=no'],
  ].flatMap(([key, option]) =>
    key !== undefined && option !== undefined && isOn(resolved, key) ? [option] : [],
  );
  return ['-T', '-a', '-x', ...[...fixed, ...newer].flatMap(option => ['-o', option])];
}

/** `ssh` fills in `%` and `${…}` in the path of a control socket. */
export function controlWord(path: string): string {
  return path.replaceAll('%', '%%');
}
