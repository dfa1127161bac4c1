/** The part of ssh2 (below node-ssh, without types of its own) that is used here. */
declare module 'ssh2' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex, Readable } from 'node:stream';

  export interface ParsedKey {
    readonly type: string;
    getPublicSSH(): Buffer;
    isPrivateKey(): boolean;
  }

  export type Listed = (error: Error | null | undefined, keys?: ParsedKey[]) => void;
  export type Signed = (error: Error | null | undefined, signature?: Buffer) => void;
  export interface SignOptions {
    readonly hash?: string;
  }

  export class BaseAgent {
    getIdentities(done: Listed): void;
    sign(key: ParsedKey, data: Buffer, options: SignOptions, done: Signed): void;
  }

  export interface ClientChannel extends Duplex {
    readonly stderr: Readable;
    close(): void;
  }

  export class Client extends EventEmitter {
    exec(command: string, done: (error: Error | undefined, channel: ClientChannel) => void): boolean;
    destroy(): void;
    end(): void;
    setNoDelay(on: boolean): this;
  }

  export type Attempt =
    | { readonly type: 'agent'; readonly username: string; readonly agent: BaseAgent }
    | { readonly type: 'publickey'; readonly username: string; readonly key: string };

  interface Choice {
    readonly remove?: readonly RegExp[];
  }

  export interface ConnectConfig {
    readonly host?: string;
    readonly port?: number;
    readonly username?: string;
    readonly sock?: Duplex;
    readonly forceIPv4?: boolean;
    readonly forceIPv6?: boolean;
    readonly authHandler?: readonly Attempt[];
    readonly hostVerifier?: (key: Buffer) => boolean;
    readonly keepaliveInterval?: number;
    readonly keepaliveCountMax?: number;
    readonly readyTimeout?: number;
    readonly algorithms?: {
      readonly kex?: Choice;
      readonly cipher?: Choice;
      readonly hmac?: Choice;
      readonly serverHostKey?: readonly string[];
    };
  }

  interface Ssh2 {
    readonly BaseAgent: typeof BaseAgent;
    readonly Client: typeof Client;
    createAgent(path: string): BaseAgent;
    readonly utils: { parseKey(text: string | Buffer): ParsedKey | ParsedKey[] | Error };
  }
  const ssh2: Ssh2;
  export default ssh2;
}
