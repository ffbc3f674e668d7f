import assert from 'node:assert/strict';
import { Broker, clearBroker, mosquitto } from './broker';
import { HomeAssistant, place } from './home-assistant';
import { NEW_FIRMWARE, Scene, type SceneOptions } from './scene';

const CONFIGURATION = `
http:
  server_host: 127.0.0.1
  server_port: {{HTTP_PORT}}
frontend:
history:
logger:
  default: info
`;

/** Home Assistant's own refusal of an installation, which the tests provoke. */
const NOT_OFFERED = /Error during service call to update\.install: No update available/;

/** On the level "info", which the tests read, Home Assistant finds its own log too long. */
const LOGS_MUCH = /homeassistant\.util\.logging\] Module \S+ is logging too frequently/;

/**
 * What every suite with a real Home Assistant has: Home Assistant beside a Mosquitto that wants user, password and TLS.
 * Registers the hooks of the suite, which is skipped where one of the two is missing.
 */
export class RealSuite {
  broker!: Broker;
  ha!: HomeAssistant;
  scene: Scene | undefined;

  private constructor(
    private readonly files: () => Record<string, string>,
    private readonly expected: readonly RegExp[],
  ) {}

  /**
   * @param files of Home Assistant's configuration; that of `configuration.yaml` is added to what is always there
   * @param expected warnings of Home Assistant that the suite provokes
   */
  static register(files: () => Record<string, string>, expected: readonly RegExp[] = []): RealSuite {
    const suite = new RealSuite(files, [NOT_OFFERED, LOGS_MUCH, ...expected]);
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

  /** Turns on the switch of a device and waits until its update is offered. */
  async arm(deviceid: string): Promise<void> {
    const update = `update.sonota_${deviceid}_update`;
    await this.ha.state(update, ({ state }) => state === 'off');
    const from = this.ha.states.length;
    await this.ha.call('switch.turn_on', { entity_id: `switch.sonota_${deviceid}_arm` });
    const offered = await this.ha.state(update, ({ state }) => state === 'on', from);
    assert.equal(offered.attributes['latest_version'], NEW_FIRMWARE);
  }

  /** Arms a device and installs, as a person does. */
  async install(deviceid: string): Promise<void> {
    await this.arm(deviceid);
    await this.ha.call('update.install', { entity_id: `update.sonota_${deviceid}_update` });
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

  /** The next scene is another Node-RED, which must find nothing of this one; entities must not see their states go. */
  private async clear(): Promise<void> {
    await clearBroker(this.broker, /\/config$/);
    await this.ha.isCleared();
    await clearBroker(this.broker);
  }

  private async endTest(hasFailed: boolean): Promise<void> {
    if (hasFailed) console.log(this.scene?.red.log.slice(-40).join('\n'));
    await this.scene?.close();
    this.scene = undefined;
    if (this.ha) await this.clear();
    // Nothing of what we say, and nothing of what is documented, is rejected.
    const complaints = (this.ha?.complaints() ?? []).filter((line) => !this.expected.some((one) => one.test(line)));
    assert.deepEqual(complaints, []);
  }
}
