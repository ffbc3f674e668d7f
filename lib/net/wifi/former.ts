/** The network of an interface before ours was joined. */
export interface FormerNetwork {
  /** NetworkManager's name of the profile. */
  readonly uuid?: string;
  /** The name of the home Wi-Fi, where only the host's own settings can bring it back. */
  readonly ssid?: string;
  /** Its addressing, as the Supervisor wants it. */
  readonly ipv4?: Readonly<Record<string, unknown>>;
}

/** Where the former network is kept over the end of the process; never with a password. */
export interface FormerMemory {
  /** Undefined where nothing is to be undone. */
  read(interfaceName: string): Promise<FormerNetwork | undefined>;
  write(interfaceName: string, former: FormerNetwork | undefined): Promise<void>;
}

export const FORGETFUL: FormerMemory = { read: async () => undefined, write: async () => undefined };
