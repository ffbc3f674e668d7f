/** Where a host writes what people should know: its config node's log. */
export type HostLog = (level: 'info' | 'warn', text: string) => void;
