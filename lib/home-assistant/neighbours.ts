/** The announcements of other instances at the same broker. */

/** @returns whether an instance is a node of this Node-RED that is gone, so that what is kept of it is ours */
export type IsOurs = (instance: string) => boolean;

export class Neighbours {
  /** Whose each config is that the broker has; undefined for one from before instances had ids. */
  private readonly owners = new Map<string, string | undefined>();
  private readonly present = new Set<string>();

  constructor(
    private readonly own: string,
    private readonly isOurs: IsOurs,
  ) {}

  /** Another instance says that it is there. @returns whether it is none of ours */
  markPresent(instance: string): boolean {
    if (!this.isForeign(instance)) return false;
    this.present.add(instance);
    return true;
  }

  /** Instances that are still present announce themselves again. */
  mayBeGone(): void {
    this.present.clear();
  }

  /** One that is there under our status topic. */
  get one(): string | undefined {
    return [...this.present].find((instance) => this.isForeign(instance));
  }

  announced(config: string, owner: string | undefined): void {
    this.owners.set(config, owner);
  }

  removed(config: string): void {
    this.owners.delete(config);
  }

  /** The broker is reached again, and will send what it retains. */
  forgetConfigs(): void {
    this.owners.clear();
  }

  /** Whether the broker has a config. */
  has(config: string): boolean {
    return this.owners.has(config);
  }

  /** Whose config it is, where it is another instance's. */
  foreignOwner(config: string): string | undefined {
    const owner = this.owners.get(config);
    return owner !== undefined && this.isForeign(owner) ? owner : undefined;
  }

  private isForeign(instance: string): boolean {
    return instance !== this.own && !this.isOurs(instance);
  }
}
