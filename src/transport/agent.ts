/** The user's ssh-agent, asked for some of its keys only: sshd ends a connection after six keys it does not know. */
import ssh2, { type Listed, type ParsedKey, type Signed, type SignOptions } from 'ssh2';

class ChosenKeys extends ssh2.BaseAgent {
  readonly #agent: InstanceType<typeof ssh2.BaseAgent>;
  readonly #order: readonly string[];

  constructor(socket: string, order: readonly string[]) {
    super();
    this.#agent = ssh2.createAgent(socket);
    this.#order = order;
  }

  override getIdentities(done: Listed): void {
    this.#agent.getIdentities((error, keys = []) => {
      const place = (key: ParsedKey) => this.#order.indexOf(key.getPublicSSH().toString('base64'));
      const chosen = keys.filter(key => place(key) >= 0).sort((a, b) => place(a) - place(b));
      done(error, chosen);
    });
  }

  override sign(key: ParsedKey, data: Buffer, options: SignOptions, done: Signed): void {
    this.#agent.sign(key, data, options, done);
  }
}

/** `order`: the public keys to offer, base64, the best first. */
export function agentOf(socket: string, order: readonly string[]): InstanceType<typeof ssh2.BaseAgent> {
  return new ChosenKeys(socket, order);
}
