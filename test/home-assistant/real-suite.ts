import assert from 'node:assert/strict';
import { Broker, mosquitto } from './broker';
import { HomeAssistant, place } from './home-assistant';
import { Scene, type SceneOptions } from './scene';

const CONFIGURATION = `
http:
  server_port: {{HTTP_PORT}}
frontend:
history:
logger:
  default: info
`;

/** Home Assistant's own refusal of an installation, which the tests provoke. */
const NOT_OFFERED = /Error during service call to update\.install: No update available/;

/**
 * What every suite with a real Home Assistant has: Home Assistant beside a Mosquitto that wants user, password and TLS.
 * Registers the hooks of the suite, which is skipped where one of the two is missing.
 */
export class RealSuite {
  broker!: Broker;
  ha!: HomeAssistant;
  scene: Scene | undefined;

  private constructor(private readonly files: () => Record<string, string>) {}

  /** @param files of Home Assistant's configuration; that of `configuration.yaml` is added to what is always there */
  static register(files: () => Record<string, string>): RealSuite {
    const suite = new RealSuite(files);
    before(async function () {
      await suite.start(this);
    });
    beforeEach(() => suite.ha.turnPage());
    afterEach(async function () {
      await suite.endTest(this.currentTest?.state === 'failed');
    });
    after(async () => {
      await suite.ha?.stop();
      await suite.broker?.stop();
    });
    return suite;
  }

  async open(options: SceneOptions = {}): Promise<Scene> {
    this.scene = await Scene.open({ broker: this.broker, ...options });
    return this.scene;
  }

  /** Asks again until it is so; the test's own limit ends it. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 200));
  }

  private async start(hook: Mocha.Context): Promise<void> {
    const where = place();
    const why = 'skip' in where ? where.skip : mosquitto() ? undefined : 'there is no mosquitto on this machine';
    if (why !== undefined) {
      console.log(`    Skipped: a real Home Assistant, because ${why}.`);
      return hook.skip();
    }
    this.broker = await Broker.start({ isSecured: true });
    const { 'configuration.yaml': more = '', ...others } = this.files();
    this.ha = await HomeAssistant.start(this.broker, { 'configuration.yaml': `${CONFIGURATION}${more}`, ...others });
  }

  private async endTest(hasFailed: boolean): Promise<void> {
    if (hasFailed) console.log(this.scene?.red.log.slice(-40).join('\n'));
    await this.scene?.close();
    this.scene = undefined;
    // Nothing of what we say, and nothing of what is documented, is rejected.
    const complaints = (this.ha?.complaints() ?? []).filter((line) => !NOT_OFFERED.test(line));
    assert.deepEqual(complaints, []);
  }
}
