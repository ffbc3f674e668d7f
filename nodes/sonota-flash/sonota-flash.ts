import type { Node, NodeAPI } from 'node-red';
import { isAtLoopback, isLoopback } from '../../lib/net/addresses';
import { notPossible } from '../shared/admin-answers';
import { homeWifi } from '../shared/hosts';
import { MessageValues } from '../shared/messages';
import type { WiredNodeDef } from '../shared/node-wiring';
import { StageNode } from '../shared/stage-node';
import { translator } from '../shared/translate';
import { checkFlash, refuseHopeless } from './before-flash';
import { FLASH_STEPS, readFlashForm, type FlashForm } from './flash-form';
import { answerOf, type FlashNode } from './press';
import { addFlashRoutes } from './routes';
import { startOf } from './start';

export default function register(RED: NodeAPI): void {
  function SonotaFlash(this: Node<{ password: unknown }>, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const stageNode = new StageNode<FlashForm>(RED, this, config, {
      steps: FLASH_STEPS,
      readForm: (form) => readFlashForm(RED, this.id, form),
      startOf,
      prefetched: ({ upgrade }) => upgrade.firmware(new MessageValues({})),
      check: async (given) => {
        stageNode.status.busy(translate('status.checking', 'checking'));
        await refuseHopeless(given);
      },
    });
    const press: FlashNode['press'] = async (isConfirmed, signal) => {
      const given = stageNode.given(new MessageValues({}));
      const { runs, bind } = given.host.flashHost;
      if (runs.isIn(this.id, 'provision')) return { state: 'waiting' };
      const report = await checkFlash({ ...given, signal });
      const { url } = given.form.provision;
      // Where host and access point are on this machine alone, no device is at stake.
      const isRehearsal = isLoopback(bind) && url !== undefined && isAtLoopback(url);
      const answer = answerOf(report, isConfirmed || isRehearsal);
      if (answer.state !== 'started') return answer;
      // Another person may have pressed meanwhile, or the flows have been deployed.
      if (runs.isIn(this.id, 'provision')) return { state: 'waiting' };
      const node = RED.nodes.getNode(this.id) as Node | null;
      if (!node) throw notPossible('node-gone');
      node.receive({});
      return answer;
    };
    const cancelWait: FlashNode['cancelWait'] = () => {
      stageNode.flashHost?.runs.cancel(this.id, undefined, 'provision');
    };
    const afterFlash: FlashNode['afterFlash'] = () => {
      const { host, form, said } = stageNode.given(new MessageValues({}));
      const { url } = form.newfirmware;
      const apUrl = url !== undefined && isAtLoopback(url) ? url : undefined;
      return { ...homeWifi(host, said, form.provision.wifi), apUrl };
    };
    Object.assign(this, { press, cancelWait, afterFlash } satisfies Omit<FlashNode, keyof Node>);
  }

  addFlashRoutes(RED);
  RED.nodes.registerType('sonota-flash', SonotaFlash, { credentials: { password: { type: 'password' } } });
}
