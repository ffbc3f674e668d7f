import * as http from 'node:http';
import { type RunningNodeRed, startNodeRed } from '../shared/node-red';
import { type Air } from './air';

const DEPLOY_LIMIT_MS = 30_000;

/**
 * A real Node-RED in the host's namespace. Its admin API listens on a Unix socket, which no namespace holds back: so the
 * host has the interfaces of its layout and not one more, and a test's own link cannot be taken for the home network.
 */
export class RedInside {
  private constructor(
    readonly red: RunningNodeRed,
    readonly socket: string,
  ) {}

  /** @param bus the system bus that it finds; a path leads out of any namespace, so never this machine's own */
  static async start(air: Air, socket: string, bus = 'unix:path=/nowhere'): Promise<RedInside> {
    // Node-RED hands uiPort to listen(), which takes a path as well as a number.
    const settings: object = { uiPort: socket, disableEditor: true, credentialSecret: 'the lab' };
    const prefix = ['ip', 'netns', 'exec', air.namespace('host')];
    return new RedInside(
      await startNodeRed({ prefix, settings: { ...settings }, env: { DBUS_SYSTEM_BUS_ADDRESS: bus } }),
      socket,
    );
  }

  /** Deploys a whole configuration; the API answers before the flows run, hence the wait for the log. */
  async deploy(flow: object[]): Promise<void> {
    const { length } = this.red.log;
    await this.post('/flows', flow);
    await this.red.logged(/Started flows/, DEPLOY_LIMIT_MS, length);
  }

  /** POST to the admin API; throws for any status but 2xx. */
  async post(url: string, body: unknown): Promise<void> {
    const headers = { 'Content-Type': 'application/json', 'Node-RED-API-Version': 'v1' };
    await new Promise<void>((resolve, reject) => {
      const options = { socketPath: this.socket, method: 'POST', path: url, headers };
      const request = http.request(options, (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => {
          if (response.statusCode! >= 200 && response.statusCode! < 300) resolve();
          else reject(new Error(`POST ${url}: ${response.statusCode} ${text}\n${this.red.log.join('\n')}`));
        });
      });
      request.on('error', reject);
      request.end(JSON.stringify(body));
    });
  }
}
