/** The ways in which a user may prove who they are, each with a key of its own but the first. */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKey } from './client.ts';
import { system } from './command.ts';
import { until } from './waiting.ts';

/**
 * `key`: a file; `agent`: a key that only the agent has; `encrypted`: a file with a passphrase, which the agent does not
 * have unless it is given to it; `certificate`: a key that the host knows only by the signature of an authority;
 * `password`: a key and a password, so that somebody is asked at each connection.
 */
export type Login = 'key' | 'agent' | 'encrypted' | 'certificate' | 'password';

export interface LoginFiles {
  /** Private files of the client, and public ones of the host. */
  readonly client: string;
  readonly host: string;
  /** The host's name and the user's. */
  readonly name: string;
  readonly user: string;
  /** The key that all hosts share. */
  readonly key: string;
}

/** What a person types when asked, be it for a password or for a passphrase. */
export const SECRET = 'open sesame';

/** Makes what this login needs; lines for sshd_config and for the client's configuration. */
export function arrange(login: Login, files: LoginFiles): { server: string[]; client: string[] } {
  const authorized = join(files.host, 'authorized_keys');
  const own = join(files.client, `${files.name}_ed25519`);
  const server = [`AuthorizedKeysFile ${authorized}`];
  const using = (key: string) => [`IdentityFile ${key}`, 'IdentitiesOnly yes'];
  switch (login) {
    case 'key':
      copyFileSync(`${files.key}.pub`, authorized);
      return { server, client: using(files.key) };
    case 'agent':
      makeKey(own);
      copyFileSync(`${own}.pub`, authorized);
      system('ssh-add', ['-q', own], { env: { SSH_AUTH_SOCK: agentSocket(files.client) } });
      for (const path of [own, `${own}.pub`]) rmSync(path);
      return { server, client: [] };
    case 'encrypted':
      makeKey(own, SECRET);
      copyFileSync(`${own}.pub`, authorized);
      return { server, client: using(own) };
    case 'certificate': {
      const authority = join(files.host, 'authority');
      makeKey(authority);
      makeKey(own);
      system('ssh-keygen', ['-q', '-s', authority, '-I', 'lab', '-n', files.user, '-V', '+1d', `${own}.pub`]);
      return {
        server: [`TrustedUserCAKeys ${authority}.pub`, 'AuthorizedKeysFile none'],
        client: using(own),
      };
    }
    case 'password':
      copyFileSync(`${files.key}.pub`, authorized);
      system('chpasswd', [], { input: `${files.user}:${SECRET}\n` });
      return {
        server: [...server, 'AuthenticationMethods publickey,password', 'PasswordAuthentication yes'],
        client: using(files.key),
      };
  }
}

export const agentSocket = (client: string) => join(client, 'agent');

/** An agent without keys. */
export async function startAgent(client: string): Promise<void> {
  const socket = agentSocket(client);
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore', detached: true });
  agent.unref();
  writeFileSync(join(client, 'pid'), `${agent.pid}`);
  await until('the agent listens', () => existsSync(socket));
}

/** Gives the agent the key of a host with `encrypted`, as a person would in the morning. */
export function unlock(client: string, name: string): void {
  const env = { ...person(client).env, SSH_AUTH_SOCK: agentSocket(client) };
  system('ssh-add', ['-q', join(client, `${name}_ed25519`)], { env });
}

/** Somebody who answers when asked, and counts. */
export function person(client: string): { env: Record<string, string>; asked: () => string[] } {
  const asked = join(client, 'asked');
  const program = join(client, 'askpass');
  if (!existsSync(program)) {
    mkdirSync(client, { recursive: true });
    writeFileSync(asked, '');
    writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$1" >> ${asked}\necho '${SECRET}'\n`);
    chmodSync(program, 0o755);
  }
  return {
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force' },
    asked: () => readFileSync(asked, 'utf8').split('\n').filter(Boolean),
  };
}
