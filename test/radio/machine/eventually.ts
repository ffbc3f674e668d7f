import { connections, nmcli } from './network-manager';

const LIMIT_MS = 60_000;
const LOOK_PAUSE_MS = 500;

/** For states without an event: looks twice a second, or as often as given. @throws Error with what NetworkManager has instead */
export async function eventually(isSo: () => boolean, { everyMs = LOOK_PAUSE_MS } = {}): Promise<void> {
  for (const until = Date.now() + LIMIT_MS; !isSo();) {
    if (Date.now() > until) throw new Error(`it never came to be\n${nmcli('device')}\n${connections()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
