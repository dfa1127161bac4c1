/** How many sessions one connection may carry at once: sshd refuses more than its MaxSessions (10 by default). */
export class Gate {
  #limit: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit = 8) {
    this.#limit = limit;
  }

  /** Waits for its turn; whoever enters must `leave` once, or report that it was `refused`. */
  async enter(): Promise<void> {
    if (this.#inside < this.#limit) this.#inside++;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
  }

  leave(): void {
    const next = this.#inside <= this.#limit ? this.#waiting.shift() : undefined;
    if (next) next();
    else this.#inside--;
  }

  /**
   * The host refused a session: so many as there are now is its limit. False where there is no other session, so that
   * waiting for one to end would be in vain.
   */
  refused(): boolean {
    this.#inside--;
    if (this.#inside === 0) return false;
    this.#limit = Math.min(this.#limit, this.#inside);
    return true;
  }
}
